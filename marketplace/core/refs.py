"""The part of an address that names a row."""

from django.urls.converters import StringConverter, register_converter

from marketplace.core.ids import ALPHABET, LENGTH


class RefConverter(StringConverter):
    """Ten characters of our alphabet; anything else is no address at all."""

    regex = f"[{ALPHABET}]{{{LENGTH}}}"


register_converter(RefConverter, "ref")
