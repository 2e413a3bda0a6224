"""What ./run serves: loopback, test money, plain static files."""

import os
from pathlib import Path

import environ

if "DATABASE_URL" not in os.environ:
    # `manage.py` beside a running `./run` takes the settings the stack left in its data folder.
    data = Path(os.environ.get("BIDWELL_DATA", Path(__file__).parents[2] / "var"))
    environ.Env.read_env(data / "environment")

from marketplace.settings.base import *

WHITENOISE_USE_FINDERS = True
EMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
