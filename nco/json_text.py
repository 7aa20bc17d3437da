"""JSON text from anywhere: what it holds, or a ValueError that says what is wrong and where."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from nco.errors import quoted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_MOST = 2**63  # of numbers in records
_JSON = {tuple: list, float: float, int: int, str: str, bool: bool, dict: dict}


def parse_json(text: str | bytes, **hooks: Any) -> Any:
    """What JSON text holds; `hooks` are those of `json.loads`.

    Raises:
        ValueError: it is not JSON, or more deeply nested than anything sensible; the message says
            what is wrong and where.
    """
    try:
        return json.loads(text, **hooks)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{place}: not JSON ({error.msg})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply to be sensible") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def record[Record: DataclassInstance](kind: type[Record], data: object) -> Record:
    """A dataclass of plain fields from the JSON object that `asdict` makes of it.

    Entries of other names, as a later version may write them, are left alone.

    Raises:
        ValueError: a field is missing, or holds something else than it may.
    """
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        if field.name in data:
            values[field.name] = _value(hints[field.name], field.name, data[field.name])
        elif field.default is MISSING:
            raise ValueError(f"{field.name} is missing")
    return kind(**values)


def _value(hint: Any, name: str, value: Any) -> Any:
    """A field's value, in the type that the hint asks for."""
    if isinstance(hint, type) and is_dataclass(hint):
        return record(hint, value)
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    allowed = tuple(_JSON.get(get_origin(kind) or kind, kind) for kind in kinds)
    wrong = isinstance(value, bool) and bool not in allowed
    if type(value) in (int, float) and float in allowed:
        wrong = not abs(value) < _MOST  # NaN as well
        value = value if wrong else float(value)
    if wrong or not isinstance(value, allowed) or (type(value) is int and abs(value) > _MOST):
        raise ValueError(f"{name} is {quoted(value)}")
    if not isinstance(value, list):
        return value
    match get_args(hint):
        case (part, second) if second is Ellipsis:
            return tuple(_value(part, f"an entry of {name}", entry) for entry in value)
    return tuple(value)
