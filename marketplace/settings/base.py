"""Settings of every environment. Secrets come from the environment; a missing one fails here."""

import sys
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

django_stubs_ext.monkeypatch()

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent

# --- Who we are -----------------------------------------------------------------------------
SITE_NAME = env("SITE_NAME", default="Bidwell")
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
# An operator's lawyer may replace this sentence; it is the conservative default.
CUSTODY_SENTENCE = env("CUSTODY_SENTENCE", default="We hold it and pay it out through Stripe.")
DEFAULT_CURRENCY = env("DEFAULT_CURRENCY", default="EUR")
CONTACT_EMAIL = env("CONTACT_EMAIL", default="help@bidwell.example")
# Who runs this instance, for the imprint; the address may have several lines.
OPERATOR_NAME = env("OPERATOR_NAME", default="")
OPERATOR_ADDRESS = env.str("OPERATOR_ADDRESS", default="", multiline=True)
# With a VAT id our fees contain VAT; then the country (like DE) says which.
OPERATOR_VAT_ID = env("OPERATOR_VAT_ID", default="")
OPERATOR_COUNTRY = env("OPERATOR_COUNTRY", default="").upper()
# Off for an operator in the EU who sells little to other members and stays with their own VAT.
OPERATOR_ONE_STOP_SHOP = env.bool("OPERATOR_ONE_STOP_SHOP", default=True)
if OPERATOR_VAT_ID and len(OPERATOR_COUNTRY) != 2:
    raise ImproperlyConfigured("OPERATOR_VAT_ID needs OPERATOR_COUNTRY: two letters, like DE.")
# The EU's register of VAT ids. Without an address a stand-in answers, marked as a test.
VIES_URL = env("VIES_URL", default=None)
# A sentence a tax adviser wants under every fee invoice, such as why it shows no VAT.
INVOICE_NOTE = env("INVOICE_NOTE", default="")

# --- Django ---------------------------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
# Behind a proxy of ours the last address it names is the visitor's.
TRUSTED_PROXY = env.bool("TRUSTED_PROXY", default=False)
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "marketplace.core",
    "accounts",
    "payments",
    "projects",
    "matching",
    "marketplace.pages",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "csp",
]
MIDDLEWARE = [
    "marketplace.core.http.DatabaseDownMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "marketplace.core.http.ReaderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.second_factor.StaffSecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "marketplace.core.http.HtmxVaryMiddleware",
]
ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.core.context.site",
            ],
            "builtins": ["marketplace.core.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "marketplace.core.forms.Renderer"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

# --- Database -------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 300,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        "connect_timeout": 3,
        # A request must never wait for ever on a lock or a slow plan.
        "options": "-c lock_timeout=5s -c statement_timeout=15s "
        "-c idle_in_transaction_session_timeout=30s",
    }
)

# --- Redis: cache, limits, broker. It may die without losing anything. -----------------------
REDIS_URL = env("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "marketplace.core.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the hard time limit, so that no task runs twice side by side.
    "visibility_timeout": 900,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"payments.tasks.*": "payments", "matching.tasks.*": "matching"}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "deliver-outbox": {"task": "marketplace.core.tasks.deliver_outbox", "schedule": 5.0},
    "read-inbox": {"task": "payments.tasks.read_inbox", "schedule": 5.0},
    "payments-due": {"task": "payments.tasks.run_due", "schedule": 20.0},
    "projects-due": {"task": "projects.tasks.run_due", "schedule": 20.0},
    "poll-stripe": {"task": "payments.tasks.poll_events", "schedule": 60.0},
    "seal-audit": {"task": "marketplace.core.tasks.seal_audit", "schedule": 60.0},
    "reconcile": {"task": "payments.tasks.reconcile", "schedule": 3600.0},
    "reconcile-everything": {
        "task": "payments.tasks.reconcile_everything",
        "schedule": crontab(hour=3, minute=10),
    },
    "ask-for-tax-details": {
        "task": "payments.tasks.ask_for_tax_details",
        "schedule": crontab(hour=7, minute=20),
    },
    "roll-up-ledger": {"task": "payments.tasks.roll_up", "schedule": 60.0},
    "forget-old": {"task": "marketplace.core.tasks.forget_old", "schedule": 3600.0},
    "rank-stale": {"task": "matching.tasks.rank_stale", "schedule": 120.0},
    "seal-rankings": {"task": "matching.tasks.seal_rankings", "schedule": 3600.0},
    "match-appeals": {"task": "matching.tasks.remind_of_appeals", "schedule": 300.0},
    # After midnight UTC, when the day that is counted is over.
    "count-night": {"task": "matching.tasks.count_night", "schedule": crontab(hour=1, minute=25)},
    "learn-tags": {"task": "matching.tasks.learn_tags", "schedule": crontab(hour=2, minute=20)},
    "keep-match-files": {"task": "matching.tasks.keep_files", "schedule": 300.0},
    "build-match-files": {
        "task": "matching.tasks.build_files",
        "schedule": crontab(hour=1, minute=40),
    },
    "forget-skill-readings": {
        "task": "matching.tasks.forget_skill_readings",
        "schedule": crontab(minute=40),
    },
}

# --- Who may enter --------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/home/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_FORMS = {
    "signup": "accounts.forms.signing_in.JoinForm",
    "login": "accounts.forms.signing_in.SignInForm",
    "confirm_login_code": "accounts.forms.signing_in.CodeForm",
    "confirm_email_verification_code": "accounts.forms.signing_in.EmailCodeForm",
    "add_email": "accounts.forms.signing_in.NewEmailForm",
    "reset_password": "accounts.forms.signing_in.ForgottenPasswordForm",
    "reset_password_from_key": "accounts.forms.signing_in.ResetPasswordForm",
    "set_password": "accounts.forms.signing_in.FirstPasswordForm",
    "change_password": "accounts.forms.signing_in.ChangePasswordForm",
    "reauthenticate": "accounts.forms.signing_in.ConfirmPasswordForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 900
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 900
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
# One address per person; changing it replaces it once the new one is proven.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Sensitive changes ask who you are again when the last proof is older than this.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
PASSWORD_RESET_TIMEOUT = 60 * 60
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "login": "30/m/ip",
    # The key holds address and IP, so that strangers cannot lock anybody out.
    "login_failed": "20/m/ip,5/15m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "request_login_code": "20/m/ip,3/m/key",
}
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.second_factor.AuthenticateForm",
    "reauthenticate": "accounts.forms.second_factor.ReauthenticateForm",
    "activate_totp": "accounts.forms.second_factor.TurnOnAppForm",
    "add_webauthn": "accounts.forms.second_factor.AddKeyForm",
    "edit_webauthn": "accounts.forms.second_factor.RenameKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# How often one person and one address may ask for what costs more than a page (core.limits):
# papers made as PDF, long exports, calls to Stripe while somebody waits, codes by mail, texts that
# a worker reads for skills.
LIMITS: dict[str, dict[str, Any]] = {
    "paper": {"seconds": 300, "per_user": 40, "per_address": 120},
    "export": {"seconds": 300, "per_user": 20, "per_address": 60},
    "stripe": {"seconds": 300, "per_user": 20, "per_address": 100},
    "mailed_code": {"seconds": 900, "per_user": 5, "per_address": 40},
    "skill_names": {"seconds": 60, "per_user": 30, "per_address": 60},
    "code_try": {"seconds": 900, "per_user": 10, "per_address": 80},
    "skill_reading": {"seconds": 300, "per_user": 30, "per_address": 90},
    # Every answer ranks hundreds of people a dozen times.
    "why_not": {"seconds": 3600, "per_user": 20, "per_address": 60},
    # Every appeal is read and answered by a person.
    "match_appeal": {"seconds": 86_400, "per_user": 10, "per_address": 40},
    # Not costly: without Redis nobody is counted.
    "price_range": {"seconds": 300, "per_user": 60, "per_address": 180, "costly": False},
    "api": {"seconds": 60, "per_user": 600, "per_address": 3000, "costly": False},
    "api_visitor": {"seconds": 60, "per_user": 120, "per_address": 120, "costly": False},
}
# Whoever changed their address is warned at the old one too, for so long.
FORMER_ADDRESS_DAYS = env.int("FORMER_ADDRESS_DAYS", default=60)
# So long the ids of Stripe's events are kept once they are read; Stripe repeats none after 30 days.
STRIPE_EVENT_DAYS = env.int("STRIPE_EVENT_DAYS", default=90)
if STRIPE_EVENT_DAYS < 31:
    raise ImproperlyConfigured(
        "STRIPE_EVENT_DAYS is 31 or more: Stripe repeats events for 30 days."
    )
# How rankings came about is kept for so long; the law asks for half a year.
MATCH_RUN_DAYS = env.int("MATCH_RUN_DAYS", default=400)
if MATCH_RUN_DAYS < 184:
    raise ImproperlyConfigured("MATCH_RUN_DAYS is 184 or more: such logs are kept half a year.")
# Staff without an authenticator app or a key see no page of the console; production insists.
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", default=False)
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "marketplace.pages.errors.csrf_failure"

# --- Words and time -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Files ----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
UPLOAD_LIMIT_BYTES = 25 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_PERMISSIONS = 0o640

# --- Mail -----------------------------------------------------------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST") or ""
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(EMAIL_CONFIG.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(EMAIL_CONFIG.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = EMAIL_CONFIG.get("EMAIL_FILE_PATH") or str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Bidwell <no-reply@bidwell.example>")

# --- Stripe ---------------------------------------------------------------------------------
STRIPE_API_VERSION = "2026-10-28.endive"
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY")
# Set only when our own sandbox stands in for Stripe; production refuses to start with it.
STRIPE_API_BASE = env("STRIPE_API_BASE", default=None)
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRET", default=[])
# Ways to pay, by Stripe's names. A SEPA direct debit takes days, and the bank may refuse it then.
STRIPE_PAYMENT_METHODS = env.list("STRIPE_PAYMENT_METHODS", default=["card"])
STRIPE_LIVE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
STRIPE_CHECK_REQUESTS = False
# Which of Stripe's APIs opens payees' accounts: v1, or v2 once the platform is enabled for it.
STRIPE_ACCOUNTS_API = env("STRIPE_ACCOUNTS_API", default="v1")
if STRIPE_ACCOUNTS_API not in {"v1", "v2"}:
    raise ImproperlyConfigured("STRIPE_ACCOUNTS_API is v1 or v2.")
TEST_MONEY = not STRIPE_LIVE
# Stripe takes 100 writes a second, 25 with test keys; a fifth is left for what people click. Our
# own sandbox has no such limit.
STRIPE_WRITES_PER_SECOND = env.float(
    "STRIPE_WRITES_PER_SECOND",
    default=10_000 if STRIPE_API_BASE else 80 if STRIPE_LIVE else 20,
)

# --- Matching -------------------------------------------------------------------------------
MATCHER_MODE = env("MATCHER_MODE", default="on")
# With so many people who can be suggested, workers share files instead of reading all of them.
MATCH_FILES_FROM = env.int("MATCH_FILES_FROM", default=1000)
# Files that manage.py build_encoder makes; they belong to the installed packages.
ENCODER_DIR = Path(env("ENCODER_DIR", default=str(Path(sys.prefix) / "encoder")))

# --- Live -----------------------------------------------------------------------------------
# Where /live/ streams come from; None means pages poll.
LIVE_ORIGIN = env("LIVE_ORIGIN", default=None)

# --- What a browser may do ------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, *([LIVE_ORIGIN] if LIVE_ORIGIN else [])],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # A form that ends in a redirect to the Checkout page needs its origin here too.
        "form-action": [
            SELF,
            *([STRIPE_API_BASE] if STRIPE_API_BASE else []),
            "https://checkout.stripe.com",
            "https://connect.stripe.com",
        ],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "usb": [],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- API ------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["marketplace.core.api.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.core.api.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "marketplace.core.api.problem",
    "DEFAULT_THROTTLE_CLASSES": ["marketplace.core.api.Throttle"],
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Three fields share these choices, so none of them may give the name.
    "ENUM_NAME_OVERRIDES": {"MatchWishLevelEnum": "matching.models.MatchWishes.Level"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}, "stripe": {"level": "WARNING"}},
}
