"""Every setting, from the environment, with a default that works for a demo. Unknown ``YINLING_`` variables stop the start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

KNOWN = {
    "YINLING_DATA": "folder of files and keys",
    "YINLING_KEY_FILE": "JSON file with the secret key and the envelope keys",
    "YINLING_DEMO": "1 = demonstration: movable clock, simulated calls, codes shown",
    "YINLING_CITY": "profile folder below cities/",
    "YINLING_CITIES": "folder of the profiles",
    "YINLING_LABELS": "folder of label packs: the wording of scales an operator holds",
    "YINLING_HOSTS": "comma-separated host names",
    "YINLING_PORT": "port of the pages",
    "YINLING_HTTPS": "1 = cookies only over https",
    "YINLING_SUITE": "aes or sm",
    "YINLING_POOL": "size of the connection pool, 0 = none",
    "YINLING_DISPATCH": "socket of the resident ranking (in the folder of files and keys), or DIVISION=SOCKET,...",
    "YINLING_TEST_DB": "suffix of the test database",
    "YINLING_TEST_URLS": "file with the addresses of the test server",
}


def _unknown() -> list[str]:
    return sorted(name for name in os.environ if name.startswith("YINLING_") and name not in KNOWN)


if _unknown():
    known = "; ".join(f"{name}: {meaning}" for name, meaning in KNOWN.items())
    message = f"Unknown setting {', '.join(_unknown())}. Remove it or use one of: {known}"
    raise ImproperlyConfigured(message)

BASE = Path(__file__).resolve().parent
ROOT = BASE.parent.parent
DATA = Path(os.environ.get("YINLING_DATA", ROOT / "var" / "data"))
_sockets = os.environ.get("YINLING_DISPATCH", str(DATA / "dispatch.sock")).split(",")
DISPATCH_SOCKETS = {part.rpartition("=")[0]: part.rpartition("=")[2] for part in _sockets}
DEMO = os.environ.get("YINLING_DEMO") == "1"
CITY = os.environ.get("YINLING_CITY", "wuxi-332")
CITIES = Path(os.environ.get("YINLING_CITIES", ROOT / "cities"))
LABELS = Path(os.environ.get("YINLING_LABELS", DATA / "labels"))
DEBUG = False
PORT = int(os.environ.get("YINLING_PORT", "8000"))
STREAM_URL = os.environ.get("STREAM_URL", "")
HTTPS = os.environ.get("YINLING_HTTPS") == "1"

_key_file = os.environ.get("YINLING_KEY_FILE", "")
KEYS: dict[str, Any] = json.loads(Path(_key_file).read_text("utf-8")) if _key_file else {}
if not KEYS:
    if not DEMO and "PYTEST_VERSION" not in os.environ and os.environ.get("DATABASE_URL"):
        message = "Set YINLING_KEY_FILE to the JSON file made by ./run (secret_key, index_key, envelope keys)."
        raise ImproperlyConfigured(message)
    KEYS = {"secret_key": "unset-" * 9, "index_key": "00" * 32, "keys": {"1": "11" * 32}, "current": "1"}
SECRET_KEY = KEYS["secret_key"]
SUITE = os.environ.get("YINLING_SUITE", "aes")

ALLOWED_HOSTS = os.environ.get("YINLING_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
INTERNAL_ADDRESSES_ALLOWED = False


def _database(url: str, pool: int) -> dict[str, Any]:
    parts = conninfo_to_dict(url)
    options: dict[str, Any] = {"server_side_binding": True, "application_name": "yinling"}
    # Joins stay in the order written: with policies on every table, seven joined tables took 12 ms to plan and now 2 ms.
    # One process answers one request: helpers take ten milliseconds to start, as long as two pages take, and many people ask at once.
    options["options"] = "-c join_collapse_limit=3 -c from_collapse_limit=3 -c max_parallel_workers_per_gather=0"
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "yinling"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
        "TEST": {"NAME": f"test_yinling{os.environ.get('YINLING_TEST_DB', '')}"},
    }


DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://yl_app@127.0.0.1/yinling")
DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL", "")
DATABASE_AUDIT_URL = os.environ.get("DATABASE_AUDIT_URL", "")
DATABASES = {"default": _database(DATABASE_URL, int(os.environ.get("YINLING_POOL", "0")))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CONTEXTS = (
    "ground",
    "accounts",
    "directory",
    "people",
    "catalogue",
    "assessment",
    "entitlements",
    "hotline",
    "orders",
    "dispatch",
    "visits",
    "settlement",
    "programmes.family_doctor",
    "programmes.home_beds",
    "programmes.subsidies",
    "devices",
    "supervision",
    "indicators",
)
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "csp",
    *[f"yinling.{name}" for name in CONTEXTS],
    "yinling.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "yinling.web.middleware.ActorMiddleware",
]
ROOT_URLCONF = "yinling.urls"
WSGI_APPLICATION = "yinling.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE / "web" / "jinja2"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "yinling.web.environment.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]
FORM_RENDERER = "yinling.web.environment.FormRenderer"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["yinling.web.sessions.Backend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
if DEMO or "PYTEST_VERSION" in os.environ:
    # Made-up people only: a cheap hash lets the demo city and the tests sign in quickly.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "yinling.web.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "yinling.web.refusals.bad_token"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
X_FRAME_OPTIONS = "DENY"
MFA_ADAPTER = "yinling.web.second_factor.SealedAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Yinling"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]

_stream_origin = "{0.scheme}://{0.netloc}".format(urlsplit(STREAM_URL)) if STREAM_URL else ""
_sources: list[Any] = [SELF, *([_stream_origin] if _stream_origin else [])]
_scripts: list[Any] = [SELF, NONCE]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": _scripts,
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": _sources,
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "ground_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # beyond it codes that were used would be forgotten
    }
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [
    BASE / "web" / "static",
    *([ROOT / "var" / "static_vendor"] if (ROOT / "var" / "static_vendor").is_dir() else []),
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DATA / "files")}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE / "web" / "locale"]
FORMAT_MODULE_PATH = ["yinling.web.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_THOUSAND_SEPARATOR = True

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
JOURNAL_WRITER = "yinling.accounts.operations.write_refusal"
PORTS = {
    "telephony": os.environ.get("PORT_TELEPHONY", "yinling.interop.telephony.memory.MemoryTelephony"),
    "sms": os.environ.get("PORT_SMS", "yinling.interop.sms.log.LogSms"),
    "wechat": os.environ.get("PORT_WECHAT", "yinling.interop.wechat.log.LogWechat"),
    "tts": os.environ.get("PORT_TTS", "yinling.interop.tts.espeak.Espeak"),
    "ticket_exchange": os.environ.get("PORT_TICKET_EXCHANGE", "yinling.interop.exchange.log.LogExchange"),
    "payment": os.environ.get("PORT_PAYMENT", ""),
    "travel": os.environ.get("PORT_TRAVEL", "yinling.interop.travel.great_circle.GreatCircle"),
}
SMS = {
    "url": os.environ.get("SMS_URL", ""),
    "key": os.environ.get("SMS_KEY", ""),
    "secret": os.environ.get("SMS_SECRET", ""),
    "source": os.environ.get("SMS_SOURCE", ""),
    "signature": os.environ.get("SMS_SIGNATURE", ""),
    "timeout": os.environ.get("SMS_TIMEOUT", "5"),
}
WECHAT = {
    "url": os.environ.get("WECHAT_URL", "https://api.weixin.qq.com"),
    "key": os.environ.get("WECHAT_KEY", ""),
    "secret": os.environ.get("WECHAT_SECRET", ""),
    "template": os.environ.get("WECHAT_TEMPLATE", ""),
    "timeout": os.environ.get("WECHAT_TIMEOUT", "5"),
}
CARRIER = {
    "url": os.environ.get("CARRIER_URL", ""),
    "key": os.environ.get("CARRIER_KEY", ""),
    "secret": os.environ.get("CARRIER_SECRET", ""),
    "timeout": os.environ.get("CARRIER_TIMEOUT", "5"),
}
EXCHANGE = {
    "url": os.environ.get("EXCHANGE_URL", ""),
    "key": os.environ.get("EXCHANGE_KEY", ""),
    "secret": os.environ.get("EXCHANGE_SECRET", ""),
    "timeout": os.environ.get("EXCHANGE_TIMEOUT", "5"),
}
PAYMENT = {
    "name": os.environ.get("PAYMENT_NAME", "aggregator"),
    "url": os.environ.get("PAYMENT_URL", ""),
    "key": os.environ.get("PAYMENT_KEY", ""),
    "secret": os.environ.get("PAYMENT_SECRET", ""),
    "timeout": os.environ.get("PAYMENT_TIMEOUT", "5"),
}
TRAVEL = {
    "url": os.environ.get("TRAVEL_URL", ""),
    "key": os.environ.get("TRAVEL_KEY", ""),
    "secret": os.environ.get("TRAVEL_SECRET", ""),
    "timeout": os.environ.get("TRAVEL_TIMEOUT", "5"),
    "rate": os.environ.get("TRAVEL_RATE", "3"),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"yinling": {"level": "INFO"}, "procrastinate": {"level": "WARNING"}},
}
SILENCED_SYSTEM_CHECKS = ["models.W042"]
