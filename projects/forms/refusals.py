"""A refused rule, shown where the person can fix it."""

from django import forms

from marketplace.core.errors import DomainError


def show_refusal(form: forms.BaseForm, error: DomainError, **names: str) -> None:
    """Add the sentence to the field it belongs to; `names` says what the form calls a field."""
    field = names.get(error.field or "", error.field)
    form.add_error(field if field in form.fields else None, str(error))
