"""Asking Nominatim: for the extent of a place, and for addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from nco.data.cities.web import Ask
from nco.errors import ServiceError, quoted
from nco.json_text import parse_json


def search(ask: Ask, url: str, text: str, **options: object) -> list[dict[str, Any]]:
    """What Nominatim finds of a text, the likeliest first; what is in it is not checked.

    Args:
        ask: how to ask.
        url: of the server, before `/search`.
        text: an address or the name of a place.
        **options: further ones of Nominatim's `search`.

    Raises:
        ServiceError: the server is down, slow or answers something else than a list of objects.
    """
    question = urlencode({"q": text, "format": "jsonv2", **options})
    status, body = ask(f"{url.rstrip('/')}/search?{question}")
    try:
        found = parse_json(body) if status == 200 else None
    except ValueError:
        found = None
    if isinstance(found, dict) and "error" in found:
        return []
    if not isinstance(found, list) or not all(isinstance(place, dict) for place in found):
        start = body[:60].decode("utf-8", "replace")
        raise ServiceError(
            f"{url} answered {quoted(start)} (status {status}), which is not what Nominatim "
            "answers; check the address"
        )
    return found
