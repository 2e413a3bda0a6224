"""Contracts and what follows as JSON."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
