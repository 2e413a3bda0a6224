"""Every address the product answers, for people who test an instance from outside."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import URLPattern, URLResolver, get_resolver


class Command(BaseCommand):
    help = "Print every URL pattern with its name, methods and who may call it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        routes = list(_routes(get_resolver().url_patterns))
        if options["json"]:
            self.stdout.write(json.dumps(routes, indent=1))
            return
        for route in routes:
            self.stdout.write(
                f"{route['path']}  {route['name']}  {'|'.join(route['methods'])}  {route['role']}"
            )


def _routes(
    patterns: list[URLPattern | URLResolver], path: str = "/", namespace: str = ""
) -> Iterator[dict[str, Any]]:
    for pattern in patterns:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _routes(pattern.url_patterns, here, inside)
        else:
            view = pattern.callback
            yield {
                "path": here,
                "name": f"{namespace}{pattern.name}",
                "methods": _methods(view),
                "role": _role(here, view),
            }


def _methods(view: Any) -> list[str]:
    """What a class view implements, or what a function's `require_…` decorators let through."""
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if cls is not None:
        return sorted(m.upper() for m in cls.http_method_names if hasattr(cls, m))
    for layer in _layers(view):
        if allowed := inspect.getclosurevars(layer).nonlocals.get("request_method_list"):
            return sorted(allowed)
    return ["GET", "HEAD", "POST"]


def _layers(view: Any) -> Iterator[Any]:
    """The view and every function its decorators wrapped."""
    while view is not None:
        if inspect.isfunction(view):
            yield view
        view = getattr(view, "__wrapped__", None)


def _role(path: str, view: Any) -> str:
    if path.startswith("/admin/"):
        return "staff"
    cls = getattr(view, "cls", None)
    if cls is not None:
        names = {permission.__name__ for permission in cls.permission_classes}
        return "anyone" if names <= {"AllowAny", "IsAuthenticatedOrReadOnly"} else "member"
    # `login_required` leaves its redirect field on the view it wraps.
    return "member" if hasattr(view, "redirect_field_name") else "anyone"
