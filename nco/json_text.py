"""JSON text from anywhere: what it holds, or a ValueError that says what is wrong and where."""

from __future__ import annotations

import json
from typing import Any


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
