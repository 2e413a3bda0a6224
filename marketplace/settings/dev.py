"""What ./run serves: loopback, test money, plain static files."""

from marketplace.settings.base import *

WHITENOISE_USE_FINDERS = True
EMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
