"""The second factor: one-time codes and recovery codes of allauth, with their secrets sealed at rest."""

from __future__ import annotations

import base64
import time

import qrcode  # type: ignore[import-untyped]
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare

from yinling.accounts.models import User
from yinling.ground import crypto

PERIOD = 30
HELD = (0, 1)
"""A code is still good in the period after its own: who reads it in the last second has to type it first (RFC 6238, 5.2)."""
BOUND_TO = "mfa"


class SealedAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of authenticators under the platform's envelope keys: ``suite:key:text``."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        kid = crypto.current_key()
        sealed = crypto.seal(text, suite=settings.SUITE, kid=kid, bound_to=BOUND_TO)
        return f"{settings.SUITE}:{kid}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret."""
        suite, kid, sealed = encrypted_text.split(":", 2)
        return crypto.unseal(base64.b64decode(sealed), suite=suite, kid=kid, bound_to=BOUND_TO)


def authenticator(user: User) -> Authenticator | None:
    """Return the one-time-code device of a user."""
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()


def is_right_code(user: User, code: str) -> bool:
    """Whether a one-time or recovery code is right. Both serve once; a one-time code again in a
    demonstration, where the page itself shows it."""
    text = "".join(code.split())[:20]
    device = authenticator(user)
    if device is not None and len(text) == len(format_hotp_value(0)):
        if not is_right_for(decrypt(device.data["secret"]), text):
            return False
        return bool(settings.DEMO or cache.add(f"mfa.used:{user.pk}:{text}", "", timeout=PERIOD * len(HELD)))
    recovery = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).first()
    return bool(recovery is not None and text and RecoveryCodes(recovery).validate_code(text))


def is_right_for(secret: str, code: str) -> bool:
    """Whether a code fits a secret that is being set up."""
    text = "".join(code.split())
    return any(constant_time_compare(text, code_now(secret, ago=ago)) for ago in HELD)


def set_up(user: User, secret: str) -> list[str]:
    """Store the device and return the recovery codes, shown once."""
    TOTP.activate(user, secret)
    return list(RecoveryCodes.activate(user).generate_codes())


def code_now(secret: str, *, ago: int = 0) -> str:
    """Return the code that holds now, or held some periods ago: for the page of a demonstration."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD - ago)))  # noqa: TID251 - a technical time


def code_of(user: User) -> str:
    """Return the code of a user that holds now, only in a demonstration."""
    device = authenticator(user)
    return code_now(decrypt(device.data["secret"])) if settings.DEMO and device is not None else ""


def qr_image(user: User, secret: str) -> str:
    """Return the code to scan, as a data address of an SVG."""
    picture = qrcode.QRCode(border=2)
    picture.add_data(get_adapter().build_totp_url(user, secret))
    matrix = picture.get_matrix()
    dots = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, on in enumerate(row) if on)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(matrix)} {len(matrix)}"><path d="{dots}"/></svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
