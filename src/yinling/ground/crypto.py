"""Sealing of fields: authenticated encryption with a key id and a suite beside each row, and keyed blind indexes.

Suites: ``aes`` (AES-256-GCM, HMAC-SHA-256) and ``sm`` (SM4-GCM, HMAC-SM3). Envelope keys live outside the database.
"""

from __future__ import annotations

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12
TAG_BYTES = 16


class Unreadable(Exception):  # noqa: N818 - names what the reader meets
    """The cipher text was changed, moved to another row, or its key is gone."""


@cache
def _key(kid: str) -> bytes:
    try:
        return bytes.fromhex(settings.KEYS["keys"][kid])
    except KeyError as error:
        raise Unreadable(kid) from error


@cache
def _aes(kid: str) -> AESGCM:
    return AESGCM(_key(kid))


@cache
def _fingerprint(suite: str, key: str) -> hmac.HMAC:
    return hmac.HMAC(bytes.fromhex(key), hashes.SM3() if suite == "sm" else hashes.SHA256())


def current_key() -> str:
    """Return the id of the envelope key for new rows."""
    return str(settings.KEYS["current"])


def seal(text: str, *, suite: str, kid: str, bound_to: str) -> bytes:
    """Encrypt; ``bound_to`` (table, row and field) is authenticated, so that a cipher text moved elsewhere is refused."""
    nonce = os.urandom(NONCE_BYTES)
    if suite == "aes":
        return nonce + _aes(kid).encrypt(nonce, text.encode(), bound_to.encode())
    encryptor = Cipher(algorithms.SM4(_key(kid)[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound_to.encode())
    return nonce + encryptor.update(text.encode()) + encryptor.finalize() + encryptor.tag


def unseal(sealed: bytes, *, suite: str, kid: str, bound_to: str) -> str:
    """Decrypt what ``seal`` made. Raises Unreadable."""
    data = bytes(sealed)
    nonce, body = data[:NONCE_BYTES], data[NONCE_BYTES:]
    try:
        if suite == "aes":
            return _aes(kid).decrypt(nonce, body, bound_to.encode()).decode()
        mode = modes.GCM(nonce, body[-TAG_BYTES:])
        decryptor = Cipher(algorithms.SM4(_key(kid)[:16]), mode).decryptor()
        decryptor.authenticate_additional_data(bound_to.encode())
        return (decryptor.update(body[:-TAG_BYTES]) + decryptor.finalize()).decode()
    except InvalidTag as error:
        raise Unreadable(bound_to) from error


def blind_index(text: str, *, purpose: str) -> bytes:
    """Return the keyed fingerprint by which an exact value is found; ``purpose`` keeps equal texts of two columns apart."""
    mac = _fingerprint(settings.SUITE, settings.KEYS["index_key"]).copy()
    mac.update(f"{purpose}:{text}".encode())
    return mac.finalize()
