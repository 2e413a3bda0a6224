"""Form-encoded and JSON parameters, read strictly by the TypedDicts of `stripe.params`.

Stricter than Stripe in one way: where the types say "one of these, or any string" only the
listed values pass, because that is how a typo is caught.
"""

import functools
import json
import re
import sys
import types
import typing
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import typing_extensions
from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject

LITERALS = (typing.Literal, typing_extensions.Literal)
WRAPPERS = (
    typing.Annotated,
    typing.NotRequired,
    typing.Required,
    typing_extensions.NotRequired,
    typing_extensions.Required,
)
# Named in annotations, imported by the package only while type checking.
UNIMPORTED = {"Mapping": Mapping, "StripeContext": str}
# Stripe's published limits for metadata, the only free-form mapping.
MAX_KEYS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH = 50, 40, 500


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a request: Stripe's code, the parameter, a sentence."""

    code: str
    param: str
    message: str


Reading = tuple[Any, list[Problem]]


def decode(encoded: str) -> dict[str, Any]:
    """`a[b]=1&c[0]=2` as `{"a": {"b": "1"}, "c": ["2"]}`; every leaf is text."""
    root: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(encoded, keep_blank_values=True):
        path = [name.split("[", 1)[0], *re.findall(r"\[([^\]]*)\]", name)]
        place = root
        for step in path[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        # `expand[]=a&expand[]=b` repeats one empty index.
        last = path[-1] if path[-1] or len(path) == 1 else str(len(place))
        place[last] = value
    return {key: _lists(value) for key, value in root.items()}


def decode_json(text: str) -> dict[str, Any]:
    """A JSON object in the form of `decode`, every leaf as text; null means "not given"."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"": text}
    return _texts(found) if isinstance(found, dict) else {"": text}


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in value.items()}
    if items and all(re.fullmatch(r"[0-9]+", key) for key in items):
        return [items[key] for key in sorted(items, key=int)]
    return items


def read(kind: Any, value: Any, name: str = "") -> Reading:
    """The value with the type `kind` asks for, and what is wrong with it."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in WRAPPERS:
        return read(inner[0], value, name)
    if typing_extensions.is_typeddict(kind):
        return _read_fields(kind, value, name)
    if origin in GENERICS:
        return GENERICS[origin](inner, value, name)
    if kind in SCALARS:
        return SCALARS[kind](value, name)
    return value, []


def _read_fields(kind: Any, value: Any, name: str) -> Reading:
    if not isinstance(value, dict):
        return value, [_invalid(name, "an object with named fields")]
    known = fields(kind)
    result, problems = {}, []
    for key, item in value.items():
        param = f"{name}[{key}]" if name else key
        if key in known:
            result[key], found = read(known[key], item, param)
            problems += found
        else:
            message = f"Received unknown parameter: {param}"
            problems.append(Problem("parameter_unknown", param, message))
    for key, hint in known.items():
        if key not in value and typing.get_origin(hint) not in OPTIONAL:
            param = f"{name}[{key}]" if name else key
            message = f"Missing required param: {param}."
            problems.append(Problem("parameter_missing", param, message))
    return result, problems


OPTIONAL = (typing.NotRequired, typing_extensions.NotRequired)


@functools.cache
def fields(kind: Any) -> dict[str, Any]:
    """The parameters of a TypedDict; the SDK's own request options are none of them."""
    scope = {**vars(sys.modules[kind.__module__]), **UNIMPORTED}
    hints = typing_extensions.get_type_hints(kind, include_extras=True, localns=scope)
    if kind.__name__.endswith("Params"):
        for option in RequestOptions.__annotations__:
            hints.pop(option, None)
    return hints


def _read_union(kinds: tuple[Any, ...], value: Any, name: str) -> Reading:
    """The first kind that fits; else the complaints of the one that nearly did."""
    # An UntypedStripeObject can be passed in Python; on the wire it is one of the others.
    sendable = [kind for kind in closed(kinds) if not _is_untyped(kind)]
    readings = [read(kind, value, name) for kind in sendable]
    return min(readings, key=lambda reading: len(reading[1]))


def closed(kinds: tuple[Any, ...]) -> list[Any]:
    """The kinds of a union without null, and without "or any other string"."""
    left = [kind for kind in kinds if kind is not type(None)]
    choices = [kind for kind in left if typing.get_origin(kind) in LITERALS]
    # Literal[""] means "or empty, to unset", and leaves the string open.
    lists_values = any(typing.get_args(kind) != ("",) for kind in choices)
    if lists_values and set(left) - set(choices) == {str}:
        return choices
    return left


def _is_untyped(kind: Any) -> bool:
    return (typing.get_origin(kind) or kind) is UntypedStripeObject


def _read_choice(choices: tuple[Any, ...], value: Any, name: str) -> Reading:
    if value in choices:
        return value, []
    listed = ", ".join(str(choice) or "an empty string" for choice in choices[:8])
    message = f"Invalid {name}: must be one of {listed}"
    return value, [Problem("parameter_invalid", name, message)]


def _read_list(kinds: tuple[Any, ...], value: Any, name: str) -> Reading:
    if not isinstance(value, list):
        return value, [_invalid(name, "an array")]
    readings = [read(kinds[0], item, f"{name}[{index}]") for index, item in enumerate(value)]
    return [item for item, _ in readings], [p for _, problems in readings for p in problems]


def _read_mapping(kinds: tuple[Any, ...], value: Any, name: str) -> Reading:
    if not isinstance(value, dict):
        return value, [_invalid(name, "a set of key-value pairs")]
    readings = {key: read(kinds[1], item, f"{name}[{key}]") for key, item in value.items()}
    problems = [p for _, found in readings.values() for p in found]
    if len(value) > MAX_KEYS:
        problems.append(_invalid(name, f"at most {MAX_KEYS} keys"))
    for key, item in value.items():
        if len(key) > MAX_KEY_LENGTH or len(str(item)) > MAX_VALUE_LENGTH:
            limits = f"keys up to {MAX_KEY_LENGTH} and values up to {MAX_VALUE_LENGTH} characters"
            problems.append(_invalid(f"{name}[{key}]", limits))
    return {key: item for key, (item, _) in readings.items()}, problems


def _read_text(value: Any, name: str) -> Reading:
    return value, [] if isinstance(value, str) else [_invalid(name, "a string")]


def _read_integer(value: Any, name: str) -> Reading:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value), []
    message = f"Invalid integer: {value}"
    return value, [Problem("parameter_invalid_integer", name, message)]


def _read_boolean(value: Any, name: str) -> Reading:
    if value in ("true", "false"):
        return value == "true", []
    return value, [_invalid(name, "true or false")]


def _read_decimal(value: Any, name: str) -> Reading:
    try:
        return Decimal(value), []
    except (InvalidOperation, TypeError, ValueError):
        return value, [_invalid(name, "a decimal number")]


def _invalid(name: str, wanted: str) -> Problem:
    return Problem("parameter_invalid", name, f"Invalid {name or 'request'}: must be {wanted}")


SCALARS: dict[Any, Callable[[Any, str], Reading]] = {
    str: _read_text,
    int: _read_integer,
    bool: _read_boolean,
    float: _read_decimal,
    Decimal: _read_decimal,
}
GENERICS: dict[Any, Callable[[tuple[Any, ...], Any, str], Reading]] = {
    dict: _read_mapping,
    list: _read_list,
    types.UnionType: _read_union,
    typing.Union: _read_union,
    **dict.fromkeys(LITERALS, _read_choice),
}
