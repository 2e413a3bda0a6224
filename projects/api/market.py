"""Projects and bids as JSON."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
