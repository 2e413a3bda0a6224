"""Addresses of people: who they are, what they show, what we told them."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def soon(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise NotImplementedError


app_name = "accounts"
urlpatterns = [
    path("company/invitation/<str:token>/", soon, name="accept-invitation"),
    path("unsubscribe/<str:token>/", soon, name="unsubscribe"),
    path("notifications/", soon, name="notices"),
]
