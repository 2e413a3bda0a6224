"""Contracts, deliveries, messages, disputes, reviews."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
