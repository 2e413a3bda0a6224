"""What people type about themselves: shapes only, the rules are in the services."""

from django import forms

from marketplace.core.errors import DomainError


def refuse(form: forms.BaseForm, error: DomainError) -> None:
    """Show what a rule said at the field it names, or on top when the form does not ask for it."""
    form.add_error(error.field if error.field in form.fields else None, str(error))
