"""Production. It refuses to start with a set-up that would betray its users."""

from django.core.exceptions import ImproperlyConfigured

from marketplace.settings.base import *

DEBUG = env.bool("DEBUG", default=False)
TRUSTED_PROXY = env.bool("TRUSTED_PROXY", default=True)
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", default=True)

if DEBUG:
    raise ImproperlyConfigured("DEBUG must be off in production: it shows secrets to strangers.")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or SECRET_KEY.startswith("django-insecure"):
    raise ImproperlyConfigured("SECRET_KEY is weak. Use at least 50 random characters.")
if not env.list("ALLOWED_HOSTS", default=[]) or any("*" in host for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name your hosts, without wildcards.")
if not SITE_URL.startswith("https://"):
    raise ImproperlyConfigured("SITE_URL must be your public https:// address.")
if STRIPE_API_BASE or not STRIPE_SECRET_KEY.startswith(("sk_", "rk_")):
    raise ImproperlyConfigured("Production needs a real Stripe key, not the built-in sandbox.")
if not all(secret.startswith("whsec_") for secret in STRIPE_WEBHOOK_SECRETS or [""]):
    raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET must be the signing secret of your endpoint.")

VIES_URL = VIES_URL or "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"

STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}

SECURE_SSL_REDIRECT = True
# The health checks of the machine itself come without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Sign-in limits count visitors, who all come from the address of the proxy otherwise.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
