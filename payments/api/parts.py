"""What every answer about money is made of."""

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models import User
from marketplace.core.money import Money

AFTER = OpenApiParameter("after", str, description="The `after` of the page before")


@extend_schema_field({"type": "string", "example": "1200.50"})
class AmountField(serializers.Field):  # type: ignore[type-arg]
    """An amount in canonical text; its currency stands beside it."""

    def to_representation(self, value: Money) -> str:
        return value.decimal_text


def caller(request: Request) -> User:
    """Who is signed in; the permission classes have let nobody else through."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
