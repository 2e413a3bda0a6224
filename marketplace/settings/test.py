"""Settings of ./test: fast hashing, mail in memory, every Stripe request checked."""

import os

# mypy and makemigrations need settings, not servers.
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("DATABASE_URL", "postgres://bidwell_owner@127.0.0.1:1/bidwell")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_bidwell")
os.environ.setdefault("STRIPE_WEBHOOK_SECRET", "whsec_bidwell_tests")

from marketplace.settings.base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # nothing is collected before tests
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
STRIPE_CHECK_REQUESTS = True
STRIPE_WRITES_PER_SECOND = 10_000.0
ACCOUNT_RATE_LIMITS = False
# A slow machine must not turn a test red: only what a test waits for on purpose ends its wait.
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": 60,
    "options": "-c lock_timeout=120s -c statement_timeout=300s",
}
CACHES["default"]["OPTIONS"] |= {"socket_connect_timeout": 60, "socket_timeout": 60}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
