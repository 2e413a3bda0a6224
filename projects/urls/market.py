"""Post, browse, bid, choose."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
