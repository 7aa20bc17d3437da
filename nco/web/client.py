"""A small client for the interface, with the standard library alone.

Its token goes to the server that was named and nowhere else: redirections are not followed. An
answer has a time and a size that it may take.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request

from nco.arguments import of_kind
from nco.data.cities.web import Ask, opener
from nco.errors import InputError, ServiceError, quoted, shortened
from nco.json_text import parse_json

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from nco.problem import Problem
    from nco.problem.solution import Solution

MOST_BYTES = 1 << 28  # of an answer
_MOST_LINE = 1 << 24  # bytes of a line of events

type LonLat = tuple[float, float]


@dataclass(frozen=True)
class Progress:
    """A better answer that a job has told of.

    Attributes:
        time_s: when it was found.
        cost: its total.
        unassigned: stops that it leaves out.
        routes: vehicle and nodes of each; none where a better answer has come meanwhile.
    """

    time_s: float
    cost: float
    unassigned: int
    routes: tuple[tuple[int, tuple[int, ...]], ...]


class RefusedError(ServiceError):
    """The server refused a request.

    Attributes:
        status: of HTTP; 503 means that it is busy, and to ask again later.
        kind: the server's word for it.
    """

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


class Client:
    """Speaks with a server that `nco serve` runs.

    Args:
        url: such as `http://127.0.0.1:8765`.
        token: where the server wants one.
        timeout_s: for one answer, from connecting to the last byte; of events, for each.
        most_bytes: that an answer may have.

    Raises:
        InputError: the address is none of HTTP.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8765", *, token: str | None = None,
        timeout_s: float = 60, most_bytes: int = MOST_BYTES,
    ) -> None:  # fmt: skip
        of_kind(url, str, "url", "the address of a server, such as 'http://127.0.0.1:8765'")
        if not url.startswith(("http://", "https://")):
            raise InputError(f"url is {quoted(url)}; give one that begins with http:// or https://")
        self.url, self._token = url.rstrip("/"), token
        self._timeout_s, self._most_bytes = timeout_s, most_bytes

    def about(self) -> dict[str, Any]:
        """What is served, by which version, and the limits."""
        return self._object("GET", "/v1/about")

    def cities(self) -> list[dict[str, Any]]:
        """The cities that are served."""
        return list(self._object("GET", "/v1/cities")["cities"])

    def matrix(
        self, points: Sequence[LonLat], targets: Sequence[LonLat] | None = None, **more: str
    ) -> dict[str, Any]:
        """`distance_m` and `duration_s` between places, None where no street leads.

        Args:
            points: longitude and latitude.
            targets: the points themselves if left out.
            **more: `city` and `profile`, the first that are served if left out.
        """
        asked = {"points": points, "targets": targets, **more}
        return self._object("POST", "/v1/matrix", asked)

    def route(self, points: Sequence[LonLat], **more: str) -> dict[str, Any]:
        """The way through places in their order: `legs`, `distance_m`, `duration_s`."""
        return self._object("POST", "/v1/route", {"points": points, **more})

    def geocode(self, addresses: Sequence[str], **more: Any) -> list[dict[str, Any]]:
        """Places of addresses."""
        asked = {"addresses": list(addresses), **more}
        return list(self._object("POST", "/v1/geocode", asked)["results"])

    def table(
        self, path: str | Path, kind: str = "stops", city: str | None = None
    ) -> dict[str, Any]:
        """What a table of stops or of vehicles (`kind="fleet"`) holds, and what is doubtful."""
        path = Path(path)
        query = {"kind": kind, "suffix": path.suffix} | ({} if city is None else {"city": city})
        where = f"/v1/tables?{urlencode(query)}"
        return self._read(self._bytes("POST", where, path.read_bytes(), "application/octet-stream"))

    def vroom(self, problem: Mapping[str, Any]) -> dict[str, Any]:
        """What vroom-express would answer."""
        return self._object("POST", "/", problem)

    def submit(
        self,
        problem: Problem | Mapping[str, Any],
        method: str = "auto",
        *,
        time_limit_s: float = 2.0,
        seed: int = 0,
        initial: Solution | None = None,
    ) -> str:
        """Begins a job.

        Args:
            problem: ours, or JSON that the server knows: VROOM's, or tables.
            method: a name of `nco.methods`.
            time_limit_s: of the search.
            seed: of the search.
            initial: to go on from.

        Returns:
            Its id.
        """
        asked: dict[str, Any] = {
            "problem": _plain(problem),
            "method": method,
            "time_limit_s": time_limit_s,
            "seed": seed,
        }
        if initial is not None:
            asked["initial"] = [
                {"vehicle": int(r.vehicle), "stops": [int(j) for j in r.stops]}
                for r in initial.routes
            ]
        return str(self._object("POST", "/v1/solve", asked)["id"])

    def solve(
        self,
        problem: Problem | Mapping[str, Any],
        method: str = "auto",
        *,
        time_limit_s: float = 2.0,
        seed: int = 0,
        patience_s: float = 600.0,
    ) -> Solution:
        """Solves a problem on the server and waits for the answer; arguments as of `submit`.

        Raises:
            ServiceError: the server is not there, refuses, or has no answer in `patience_s`.
        """
        job = self.submit(problem, method, time_limit_s=time_limit_s, seed=seed)
        end_s = time.monotonic() + patience_s
        while self.job(job)["state"] in ("queued", "running"):
            if time.monotonic() > end_s:
                self.cancel(job)
                raise ServiceError(f"{self.url} had no answer within {patience_s:g} s")
            time.sleep(0.1)
        return self.result(job)

    def job(self, number: str) -> dict[str, Any]:
        """How a job stands."""
        return self._object("GET", f"/v1/solve/{number}")

    def events(self, number: str) -> Iterator[Progress]:
        """Better answers of a job, as they are found, until it is over."""
        with self._open(f"/v1/solve/{number}/events") as answer:
            kind = ""
            while raw := answer.readline(_MOST_LINE):
                line = raw.decode(errors="replace").rstrip("\n")
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "better":
                    try:
                        yield _progress(parse_json(line.removeprefix("data: ")))
                    except (ValueError, TypeError, KeyError):
                        raise self._strange() from None

    def stop(self, number: str) -> None:
        """Has a job return the best that it has found so far."""
        self._bytes("POST", f"/v1/solve/{number}/stop", b"")

    def cancel(self, number: str) -> None:
        """Ends a job by force."""
        self._bytes("DELETE", f"/v1/solve/{number}")

    def result(self, number: str) -> Solution:
        """The answer of a job that is over."""
        from nco.data.formats.json_file import Fields
        from nco.data.formats.native import solution_from

        data = self._object("GET", f"/v1/solve/{number}/result")
        return solution_from(Fields(self.url, "", data))

    def _object(self, method: str, path: str, asked: Any = None) -> dict[str, Any]:
        raw = None if asked is None else json.dumps(asked, allow_nan=False).encode()
        return self._read(self._bytes(method, path, raw))

    def _read(self, answer: bytes) -> dict[str, Any]:
        """The object in an answer."""
        try:
            return dict(parse_json(answer))
        except (ValueError, TypeError):
            raise self._strange() from None

    def _strange(self) -> ServiceError:
        return ServiceError(f"{self.url} answered what is no JSON; is it an nco server?")

    def _headers(self, media: str) -> dict[str, str]:
        headers = {"content-type": media}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        return headers

    def _bytes(
        self, method: str, path: str, raw: bytes | None = None, media: str = "application/json"
    ) -> bytes:
        headers, no = self._headers(media), frozenset[int]()
        ask = Ask(self._timeout_s, 0, 0.0, self._most_bytes, headers, follow=False, retried=no)
        status, answer = ask(self.url + path, raw, method)
        if status >= 300:
            raise self._refused(status, answer)
        return answer

    def _open(self, path: str) -> HTTPResponse:
        """An answer that comes in pieces."""
        asked = Request(self.url + path, headers=self._headers("application/json"))  # noqa: S310
        try:
            answer: HTTPResponse = opener(follow=False).open(asked, timeout=self._timeout_s)
        except HTTPError as error:
            with error:
                raise self._refused(error.code, error.read(_MOST_LINE)) from None
        except (URLError, OSError, HTTPException) as error:
            raise ServiceError(f"{self.url} does not answer: {shortened(error)}") from error
        return answer

    def _refused(self, status: int, answer: bytes) -> RefusedError:
        kind, text = "HTTPError", "it did not say why"
        if 300 <= status < 400:
            text = "it sends us elsewhere, where a token must not go; give the address itself"
        try:
            inner = parse_json(answer)["error"]
            kind, text = (
                (inner["kind"], inner["message"]) if isinstance(inner, dict) else ("VROOM", inner)
            )
        except (ValueError, TypeError, KeyError):
            pass
        return RefusedError(f"{self.url}: {shortened(text)} (status {status})", status, str(kind))


def _plain(problem: Problem | Mapping[str, Any]) -> Any:
    if isinstance(problem, Mapping):
        return dict(problem)
    from nco.data.formats.json_file import finite
    from nco.data.formats.native import problem_data
    from nco.problem.given import given_problem

    return finite(problem_data(given_problem(problem)))


def _progress(data: dict[str, Any]) -> Progress:
    return Progress(
        time_s=data["time_s"],
        cost=data["cost"],
        unassigned=data["unassigned"],
        routes=tuple((r["vehicle"], tuple(r["stops"])) for r in data.get("routes", ())),
    )
