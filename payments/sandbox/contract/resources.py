"""The shape of Stripe's answers, from the annotations of the SDK's resource classes.

`blank` makes an object with every field present and nothing in it; `misfits` says where an
object differs from its type. Both keep the sandbox from inventing fields.
"""

import ast
import copy
import functools
import importlib
import sys
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from stripe._object_classes import get_object_class
from stripe._stripe_object import StripeObject, UntypedStripeObject

from payments.sandbox.contract.parameters import LITERALS, closed
from payments.sandbox.contract.sources import tree_of

# Deeper than any required object inside another; stops a type that contains itself.
MAX_DEPTH = 6


def blank(kind: str) -> dict[str, Any]:
    """A schema-valid object of that kind: null where allowed, else empty."""
    return copy.deepcopy(_blank_of_kind(kind))


@functools.cache
def _blank_of_kind(kind: str) -> dict[str, Any]:
    return typing.cast(dict[str, Any], _empty(_class_of(kind), 0))


def _class_of(kind: str) -> type[StripeObject]:
    """The SDK's class for objects of this kind; those of the v2 API say so in their names."""
    return get_object_class("V2" if kind.startswith("v2.") else "V1", kind)


def _empty(annotation: Any, depth: int) -> Any:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if _is_union(origin):
        return None if type(None) in args else _empty(args[0], depth)
    if origin in LITERALS:
        return args[0]
    if origin is list:
        return []
    resource = origin or annotation
    if _is_resource(resource):
        return _empty_resource(resource, depth)
    return EMPTY.get(annotation)


EMPTY = {int: 0, float: 0.0, bool: False, str: "", Decimal: "0"}


def _empty_resource(resource: Any, depth: int) -> dict[str, Any]:
    if resource.__name__ == "ListObject":
        return {"object": "list", "data": [], "has_more": False, "url": "/v1"}
    if resource.__name__ in OPEN or depth > MAX_DEPTH:
        return {}
    body = {name: _empty(kind, depth + 1) for name, kind in fields(resource).items()}
    # Stripe sends it on removed objects only.
    body.pop("deleted", None)
    return body


OPEN = ("StripeObject", "UntypedStripeObject")


def misfits(body: dict[str, Any]) -> list[str]:
    """Where the object differs from the type of its kind; empty when it fits."""
    return _compare(body, _class_of(body["object"]), body["object"])


def _compare(value: Any, annotation: Any, where: str) -> list[str]:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if _is_union(origin):
        return _compare_union(value, args, where)
    if origin is list and isinstance(value, list):
        pairs = [(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return [misfit for item, place in pairs for misfit in _compare(item, args[0], place)]
    if _is_resource(origin or annotation):
        return _compare_resource(value, origin or annotation, where)
    fits = value in args if origin in LITERALS else _fits(value, origin or annotation)
    return [] if fits else [f"{where}: {value!r} is not {args[:6] or annotation}"]


def _fits(value: Any, kind: Any) -> bool:
    wanted = SCALARS.get(kind)
    # bool counts as int in Python, not in JSON.
    return wanted is None or (
        isinstance(value, wanted) and isinstance(value, bool) == (kind is bool)
    )


SCALARS: dict[Any, Any] = {
    int: int,
    float: (int, float),
    bool: bool,
    str: str,
    Decimal: str,
    list: list,
}


def _compare_union(value: Any, kinds: tuple[Any, ...], where: str) -> list[str]:
    if value is None and type(None) in kinds:
        return []
    # An expanded field holds the object where otherwise its id stands.
    kinds_left = closed(kinds)
    fitting = [kind for kind in kinds_left if _is_resource(kind) == isinstance(value, dict)]
    return min((_compare(value, kind, where) for kind in fitting or kinds_left), key=len)


def _compare_resource(value: Any, resource: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    if resource.__name__ in OPEN or resource.__name__ == "ListObject":
        return []
    known = fields(resource)
    found = [f"{where}.{name}: not a Stripe field" for name in value if name not in known]
    for name, annotation in known.items():
        if name in value:
            found += _compare(value[name], annotation, f"{where}.{name}")
        elif name != "deleted" and type(None) not in typing.get_args(annotation):
            found.append(f"{where}.{name}: missing")
    return found


def _is_union(origin: Any) -> bool:
    return origin is typing.Union or origin is types.UnionType


def _is_resource(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StripeObject)


@functools.cache
def fields(resource: type[StripeObject]) -> dict[str, Any]:
    """The fields of a resource class and their types, those of its bases included."""
    found: dict[str, Any] = {}
    for base in reversed(resource.__mro__):
        if not issubclass(base, StripeObject) or base in (StripeObject, UntypedStripeObject):
            continue
        own = {
            name: kind
            for name, kind in vars(base).get("__annotations__", {}).items()
            if not name.startswith("_") and "ClassVar" not in str(kind)
        }
        holder = type("Holder", (), {"__annotations__": own})
        scope = vars(sys.modules[base.__module__])
        found |= typing.get_type_hints(holder, globalns=scope, localns=_Names(base))
    # The kind of an object is its name, a ClassVar in the SDK but a field on the wire.
    if name := getattr(resource, "OBJECT_NAME", None):
        found["object"] = typing.Literal[name]
    return found


class _Names(dict[str, Any]):
    """What an annotation may mention: classes nested around it, and lazy imports."""

    def __init__(self, resource: type) -> None:
        super().__init__()
        place: Any = sys.modules[resource.__module__]
        for step in resource.__qualname__.split("."):
            place = getattr(place, step)
            self.update({name: item for name, item in vars(place).items() if _is_resource(item)})
        self._imports = _imports_of(resource.__module__)

    def __missing__(self, name: str) -> Any:
        module, original = self._imports[name]
        self[name] = getattr(importlib.import_module(module), original)
        return self[name]


@functools.cache
def _imports_of(module: str) -> Mapping[str, tuple[str, str]]:
    """Name → (module, name there) of every `from … import`, also those only for checkers."""
    source = Path(str(sys.modules[module].__file__))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
