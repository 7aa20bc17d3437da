"""Free words about nodes and vehicles, carried from the table they stood in to every output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nco.errors import ProblemError, quoted


def checked_details(given: Mapping[int, Mapping[str, str]], size: int) -> dict[int, dict[str, str]]:
    """A copy without empty entries, by node in ascending order.

    Args:
        given: words under a title, by node.
        size: number of nodes.

    Raises:
        ProblemError: names the node and what is no text.
    """
    if not isinstance(given, Mapping):
        raise ProblemError(f"details is {quoted(given)}; give {{node: {{title: text}}}}")
    found: dict[int, dict[str, str]] = {}
    for node, words in given.items():
        if isinstance(node, bool) or not _is_node(node, size):
            raise ProblemError(f"details names node {quoted(node)}; nodes are 0 to {size - 1}")
        own = checked_texts(words, f"details[{node}]")
        if own:
            found[int(node)] = own
    return dict(sorted(found.items()))


def checked_texts(words: Mapping[str, str], what: str) -> dict[str, str]:
    """A copy of texts by title.

    Args:
        words: as given.
        what: they are, for messages.

    Raises:
        ProblemError: they are something else.
    """
    if not isinstance(words, Mapping):
        raise ProblemError(
            f"{what} is {quoted(words)}; give texts by title, such as {{'phone': '+358 9 1234'}}"
        )
    for title, text in words.items():
        if not (isinstance(title, str) and title.strip() and isinstance(text, str)):
            raise ProblemError(
                f"{what} has {quoted(title)}: {quoted(text)}; give a title that is not empty, and "
                "a text"
            )
    return dict(words)


def titles(details: Mapping[int, Mapping[str, str]]) -> list[str]:
    """Every title once, in the order in which they first appear."""
    return list(dict.fromkeys(title for words in details.values() for title in words))


def _is_node(node: Any, size: int) -> bool:
    try:
        return bool(0 <= node < size and node == int(node))
    except (TypeError, ValueError):
        return False
