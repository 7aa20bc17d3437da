"""A language model behind any server with OpenAI's interface for chats.

It is asked by the standard library, through `nco.data.cities.web.Ask`: one way out of nco that has
limits on time and size is enough, and a chat needs no more than a POST, so there is no need of a
further package. Redirections are not followed, because the key would go along.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nco.data.cities.web import Ask
from nco.errors import InputError, ServiceError, option, quoted, shortened
from nco.json_text import parse_json

KEY = "NCO_LLM_KEY"  # variable of the environment
MOST_TOKENS = 200_000  # in all, unless another number is given
MOST_ANSWER_BYTES = 1 << 20
_MOST_KEY, _MOST_URL, _MOST_NAME = 4096, 2000, 200
_PER_TOKEN = 4  # characters, where a server does not count

type Message = tuple[str, str]
"""Who says it (`system`, `user` or `assistant`), and what."""


@dataclass
class Spent:
    """What was asked of a model so far.

    Attributes:
        asked: questions that were answered.
        sent_tokens: in questions.
        answered_tokens: in answers.
        estimated: whether the server did not count, so that some tokens are estimates.
        unread: answers without a program that could be used.
        programs: that were used.
    """

    asked: int = 0
    sent_tokens: int = 0
    answered_tokens: int = 0
    estimated: bool = False
    unread: int = 0
    programs: int = 0

    @property
    def tokens(self) -> int:
        """In all."""
        return self.sent_tokens + self.answered_tokens

    def cost(self, prices: tuple[float, float] | None) -> float | None:
        """In the currency of the prices, which are for a million tokens sent and answered."""
        if prices is None:
            return None
        return (self.sent_tokens * prices[0] + self.answered_tokens * prices[1]) / 1e6


class Model:
    """Asks a server, and counts what that takes.

    The key, if the server wants one, is the variable `NCO_LLM_KEY` of the environment. It is sent
    by https, or to this machine, and is in no message and no log.

    Args:
        url: what comes before `/chat/completions`, such as `http://127.0.0.1:8000/v1`.
        name: of the model; the first one that the server has if None.
        most_tokens: nothing is asked any more when so many were used.
        answer_tokens: the longest answer that is asked for.
        timeout_s: for one answer.
        retries: further tries after a failed connection, a time-out, 429 or a server error.
        pause_s: before the first retry; doubled before each further one.

    Raises:
        InputError: an option or the key cannot be used.
    """

    def __init__(
        self,
        url: str,
        name: str | None = None,
        *,
        most_tokens: int = MOST_TOKENS,
        answer_tokens: int = 2_000,
        timeout_s: float = 120.0,
        retries: int = 2,
        pause_s: float = 1.0,
    ) -> None:
        self.url = _checked(url)
        for what, value in (("most_tokens", most_tokens), ("answer_tokens", answer_tokens)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{what} is {quoted(value)}; give a whole number of 1 or more")
        if not 0 < timeout_s <= 3600 or not 0 <= retries <= 10:
            raise InputError(
                f"timeout_s={quoted(timeout_s)} is more than 0 and at most 3600, "
                f"retries={quoted(retries)} 0 to 10"
            )
        self.name = name
        self.most_tokens = most_tokens
        self.spent = Spent()
        self._answer_tokens = answer_tokens
        self._key = _key(self.url)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._ask = Ask(timeout_s, retries, pause_s, MOST_ANSWER_BYTES, headers, follow=False)

    def __repr__(self) -> str:
        return f"Model({quoted(self.url)}, {quoted(self.name)})"

    @property
    def used_up(self) -> bool:
        """Whether nothing is asked any more."""
        return self.spent.tokens >= self.most_tokens

    def answer(self, messages: Sequence[Message]) -> str:
        """What the model says to a conversation, a text of a stranger.

        Raises:
            ServiceError: the server is down, slow or answers nonsense, or the tokens are used up.
        """
        if self.used_up:
            raise ServiceError(
                f"{self.spent.tokens} tokens were used, {self.most_tokens} are allowed; allow more "
                "to go on"
            )
        if self.name is None:
            self.name = self._first_model()
        asked = {
            "model": self.name,
            "messages": [{"role": role, "content": text} for role, text in messages],
            "max_tokens": self._answer_tokens,
            "temperature": 1.0,
            "stream": False,
        }
        content = self._said("/chat/completions", json.dumps(asked).encode())
        try:
            text = content["choices"][0]["message"]["content"]
        except (LookupError, TypeError):
            text = None
        if not isinstance(text, str):
            raise ServiceError(
                f"{self._host} does not answer as a server with OpenAI's interface does (there is "
                f"no message in it); check the address, which mostly ends in /v1"
            )
        self._count(content.get("usage"), sum(len(said) for _, said in messages), len(text))
        return text

    def _count(self, usage: Any, sent: int, answered: int) -> None:
        """Counts tokens as the server does, or by the length of texts."""
        spent = self.spent
        spent.asked += 1
        counts = [
            usage.get(name) if isinstance(usage, dict) else None
            for name in ("prompt_tokens", "completion_tokens")
        ]
        if all(type(count) is int and 0 <= count < 10**9 for count in counts):
            spent.sent_tokens += counts[0] or 0
            spent.answered_tokens += counts[1] or 0
        else:
            spent.estimated = True
            spent.sent_tokens += 1 + sent // _PER_TOKEN
            spent.answered_tokens += 1 + answered // _PER_TOKEN

    def _first_model(self) -> str:
        content = self._said("/models", None)
        try:
            names = [entry["id"] for entry in content["data"]]
        except (LookupError, TypeError):
            names = []
        first = names[0] if names else None
        if not isinstance(first, str) or len(first) > _MOST_NAME or not first.isprintable():
            raise ServiceError(
                f"{self._host} does not say which models it has; name one by {option('llm_model')}"
            )
        return first

    @property
    def _host(self) -> str:
        return shortened(urlsplit(self.url).netloc)

    def _said(self, path: str, data: bytes | None) -> Any:
        """The JSON object that the server answers.

        Raises:
            ServiceError: it does not; the message says why, without the key.
        """
        try:
            status, body = self._ask(f"{self.url}{path}", data)
        except ServiceError as error:
            raise ServiceError(self._without_key(str(error))) from None
        if status in (401, 403):
            raise ServiceError(
                f"{self._host} does not let us in ({status}); set {KEY} to a key that it knows"
            )
        if 300 <= status < 400:
            raise ServiceError(
                f"{self._host} sends us elsewhere ({status}), where we would not take a key; give "
                "the address itself"
            )
        try:
            content = parse_json(body)
        except ValueError as error:
            content, fault = None, str(error)
        else:
            fault = "no object"
        if status != 200:
            raise ServiceError(
                f"{self._host} answered {status}{self._words_of(content)}; check the address, "
                "which mostly ends in /v1, and the model's name"
            )
        if not isinstance(content, dict):
            raise ServiceError(
                f"{self._host} does not answer as a server with OpenAI's interface does ({fault}); "
                "check the address, which mostly ends in /v1"
            )
        return content

    def _words_of(self, content: Any) -> str:
        """What a server says of an error, if it does so in the usual place."""
        error = content.get("error") if isinstance(content, dict) else None
        words = error.get("message") if isinstance(error, dict) else error
        if not isinstance(words, str):
            return ""
        plain = "".join(c if c.isprintable() else " " for c in words[:2000])
        return f" ({shortened(self._without_key(plain))})"

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _checked(url: object) -> str:
    """A base address without its end.

    Raises:
        InputError: it is none.
    """
    what = "give one that begins with http:// or https://, such as http://127.0.0.1:8000/v1"
    if not isinstance(url, str) or len(url) > _MOST_URL or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise InputError(f"{quoted(url)} is no address of a server; {what}")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        known = False
    if not known:
        raise InputError(f"{quoted(url)} is no address of a server; {what}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(
            f"the address of {shortened(parts.hostname)} has more in it than a server and a path; "
            f"keys and passwords go into the variable {KEY}"
        )
    return url.rstrip("/").removesuffix("/chat/completions").rstrip("/")


def _key(url: str) -> str:
    """The key in the environment; empty if there is none.

    Raises:
        InputError: it cannot be sent, or everybody on the way could read it. It is not shown.
    """
    key = os.environ.get(KEY, "").strip()
    if not key:
        return ""
    if len(key) > _MOST_KEY or not re.fullmatch(r"[\x21-\x7e]+", key):
        raise InputError(f"{KEY} is no key: it has blanks, or letters beyond ASCII, or is too long")
    parts = urlsplit(url)
    if parts.scheme == "http" and not _here(parts.hostname or ""):
        raise InputError(
            f"{KEY} would be sent to {shortened(parts.hostname)} for everybody on the way to read; "
            "give an https address, or unset the variable"
        )
    return key


def _here(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
