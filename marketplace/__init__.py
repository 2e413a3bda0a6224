"""Bidwell: the Django project around accounts, payments, projects and matching."""

from marketplace.celery import app as celery_app

__all__ = ["celery_app"]
