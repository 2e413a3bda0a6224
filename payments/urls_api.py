"""Addresses of the API of money, under /api/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
