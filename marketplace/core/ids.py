"""Public references: random, so that nothing leaks how many of a thing exist."""

import secrets

from django.db import models

# No vowels and no look-alikes: refs never spell words and survive a phone call.
ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
LENGTH = 10


def new_ref() -> str:
    """Ten random characters, about 48 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class RefField(models.CharField):  # type: ignore[type-arg]
    """The public id of a row, used in URLs, API, mail and Stripe metadata."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(
            **{  # type: ignore[arg-type]
                "max_length": LENGTH,
                "unique": True,
                "default": new_ref,
                "editable": False,
                **kwargs,
            }
        )
