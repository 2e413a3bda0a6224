"""Texts that rest encrypted, so that a copy of the database tells nobody."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(text: str, *, purpose: str) -> str:
    """The text encrypted (Fernet: AES-128-CBC and HMAC-SHA256) under a key for this purpose."""
    return _vault(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """The text again. Raises cryptography.fernet.InvalidToken when neither the present secret nor
    one in SECRET_KEY_FALLBACKS sealed it for this purpose.
    """
    return _vault(purpose).decrypt(sealed.encode()).decode()


def _vault(purpose: str) -> MultiFernet:
    """Keys of the present secret and of those before it, so that it can be replaced."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(f"{purpose}|{secret}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
