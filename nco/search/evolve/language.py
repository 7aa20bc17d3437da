"""The language of operators: what a removal or an insertion may look at and do.

A program is a fixed shape with holes, and the holes hold expressions. It is plain data (JSON), it
always ends, and it cannot break a plan: which stops may be taken out, which places are feasible and
what stands in the request bank is the search's affair; a program only says what it prefers.

**Values.** All are floating-point numbers from -1e9 to 1e9. Whatever an operation or a feature
would make otherwise is brought there: what is larger becomes 1e9 or -1e9, what is no number 0.
Costs are in units of a mean arc of the routes as they are, times in mean seconds of an arc and its
service, so that a program means the same on a courtyard and on a country; loads are shares of a
vehicle's capacity, the greatest of all dimensions.

**Expressions.** A number; the name of a feature; or a list of a function's name and its arguments:
`["+", "detour", ["*", 0.5, "random"]]`. At most `MOST_NODES` nodes, `MOST_DEPTH` deep.

| function | value |
|---|---|
| `+ - *` of a, b | as ever |
| `/` of a, b | the quotient; a where b is nearer to 0 than 1e-9 |
| `min max` of a, b | the smaller one, the greater one |
| `<` of a, b | 1 where a < b, else 0 |
| `neg abs` of a | -a, the distance of a from 0 |
| `sqrt` of a | the root of a's distance from 0 |
| `log` of a | the logarithm of a's distance from 0; 0 where that is below 1e-9 |
| `floor` of a | the whole number below |
| `if` of a, b, c | b where a > 0, else c; both are reckoned |

**Features** are in `FEATURES`, each with the holes that may use it.

**A removal** is one to three phases, one after the other. With a wanted count of stops a phase
takes `share * count` of them (rounded up), all phases together at most `2 * count`. It

1. draws `draws` stops on routes at random; that with the greatest `anchor` is the anchor;
2. looks at the anchor and at candidates by `spread`, at most `reach` of them, until it has taken
   enough: `alone` none; `near` the stops nearest to the anchor, in order; `routes` the same, but
   only the first one of each route that has lost nothing yet; `along` those behind the anchor on
   its route; `route` all of its route, from the beginning;
3. takes a candidate where `take` is positive, and the anchor always: it alone, or with `length` of
   2 and more (rounded down) a string of so many stops of its route somewhere around it, in which
   `keep` stops in a row stay where they are;
4. begins anew with another anchor, `anchors` times at most.

**An insertion** puts stops back one by one, each at the place with the least `place`; only places
that break no rule are looked at, with idle vehicles, beside the nearest nodes, or everywhere if
there are none; optional stops only where they are worth it. A place is overlooked by a chance of
`blink`. With mode

- `order` stops come by `order`, greatest first, which is reckoned once before the first is put in;
- `regret` the next stop is the one with the greatest `order`, reckoned anew when the route changed
  that was best for a stop; it may use what places on other routes cost (`vehicles` of them, 2 to
  4): `best`, `second`, `third`, `fourth` are the least `place` of each route, 1e9 where there is
  none, and `regret` is `second - best`.

With `free`, in fleets of several kinds, vehicles of one kind drawn at random begin new routes at
no fixed cost (as the hand-made operator "kind").

**Steps** are counted. A call has `FUEL` of them a stop; an expression takes one a node. When they
are used up, `take`, `order`, `anchor`, `length` and `keep` are 0 and `place` is the cost, so that
an operator ends soon and its stops are inserted.

**JSON** of a program is what `to_json` makes and `program_of` takes, which checks all of the above:

    {"kind": "removal", "phases": [{"share": 1.0, "draws": 6, "anchors": 20, "spread": "alone",
     "reach": 0, "anchor": "detour", "take": 0, "length": 1, "keep": 0}]}
    {"kind": "insertion", "mode": "regret", "order": "regret", "place": "cost", "blink": 0.01,
     "vehicles": 2, "free": false}

Fields that are left out have the values of `Phase` and `Insertion`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from nco.errors import InputError, listed, quoted

type Expression = float | str | tuple[Any, ...]
"""A number, the name of a feature, or a function's name and its arguments."""

MOST_NODES, MOST_DEPTH = 64, 16
MOST_PHASES, MOST_DRAWS, MOST_ANCHORS, MOST_REACH = 3, 16, 20, 100
MOST_BLINK, MOST_SHARE, MOST_VEHICLES = 0.5, 2.0, 4
BIG = 1e9  # values are between this and its negative
FUEL = MappingProxyType({"removal": 500, "insertion": 4000})  # steps a stop

FUNCTIONS = MappingProxyType(
    {
        "+": 2, "-": 2, "*": 2, "/": 2, "min": 2, "max": 2, "<": 2,
        "neg": 1, "abs": 1, "sqrt": 1, "log": 1, "floor": 1, "if": 3,
    }
)  # fmt: skip
"""How many arguments each function has."""

ANCHOR, TAKE, ORDER, REGRET, PLACE = "anchor", "take", "order", "regret", "place"
_ALL = frozenset({ANCHOR, TAKE, ORDER, REGRET, PLACE})
_ON_ROUTE = frozenset({ANCHOR, TAKE})
_ROUTE = _ON_ROUTE | {PLACE}
_TAKE, _REGRET, _PLACE = frozenset({TAKE}), frozenset({REGRET}), frozenset({PLACE})


@dataclass(frozen=True)
class Feature:
    """Something that an expression may look at.

    Attributes:
        holes: where: `anchor`, `take` (with `length` and `keep`), `order`, `regret` (what `order`
            is called where the mode is that) and `place`.
        meaning: in words.
    """

    holes: frozenset[str]
    meaning: str


FEATURES = MappingProxyType(
    {
        "random": Feature(_ALL, "a random number from 0 to below 1, another one every time"),
        "demand": Feature(_ALL, "of the stop: load, as a share of the first vehicle's capacity"),
        "service": Feature(_ALL, "of the stop: service time"),
        "opens": Feature(_ALL, "of the stop: earliest start"),
        "closes": Feature(_ALL, "of the stop: latest start; 1e9 where there is none"),
        "depot": Feature(_ALL, "cost from the depot of the first vehicle to the stop"),
        "crowd": Feature(_ALL, "cost between the stop and the nearest other one"),
        "prize": Feature(_ALL, "cost of leaving the stop out"),
        "age": Feature(
            _ALL, "removals since the stop was taken out last, as a multiple of the stops"
        ),
        "fill": Feature(_ROUTE, "of the route: share of its vehicle's capacity in use"),
        "size": Feature(_ROUTE, "of the route: how many stops"),
        "duty": Feature(_ROUTE, "of the route: seconds; 0 where time does not matter"),
        "slack": Feature(
            _ROUTE, "how much later the stop, or what is behind the place, could be begun"
        ),
        "heat": Feature(
            _ROUTE, "share of the policy's routes that drive the arc into the stop; 0 without one"
        ),
        "detour": Feature(_ON_ROUTE, "cost that the route has for the stop"),
        "into": Feature(_ROUTE, "cost of the arc to the stop"),
        "out": Feature(_ROUTE, "cost of the arc behind the stop"),
        "near": Feature(_TAKE, "cost between the anchor and the candidate, the cheaper way"),
        "same": Feature(_TAKE, "1 where the candidate is on the route that the anchor was on"),
        "apart": Feature(_TAKE, "difference of the earliest starts of anchor and candidate"),
        "unlike": Feature(_TAKE, "difference of the demands of anchor and candidate"),
        "saved": Feature(_PLACE, "cost of the arc that is driven there now"),
        "regret": Feature(_REGRET, "`second - best`"),
        "rank": Feature(_TAKE, "number of the candidate: 0 for the first one looked at"),
        "left": Feature(_TAKE, "stops that are still to be taken"),
        "taken": Feature(_TAKE, "stops that have been taken in this phase"),
        "best": Feature(_REGRET, "least `place` of all routes"),
        "second": Feature(_REGRET, "that of the next-best route"),
        "third": Feature(_REGRET, "that of the third-best route"),
        "fourth": Feature(_REGRET, "that of the fourth-best route"),
        "cost": Feature(_PLACE, "what all costs grow by if the stop goes there"),
    }
)
"""All features by name."""

SPREADS = ("alone", "near", "routes", "along", "route")
MODES = ("order", "regret")


@dataclass(frozen=True)
class Phase:
    """A phase of a removal; see above.

    Attributes:
        share: of the wanted count, above 0 up to `MOST_SHARE`.
        draws: 1 to `MOST_DRAWS`.
        anchors: 1 to `MOST_ANCHORS`.
        spread: one of `SPREADS`.
        reach: 0 to `MOST_REACH`.
        anchor: expression.
        take: expression.
        length: expression.
        keep: expression.
    """

    share: float = 1.0
    draws: int = 1
    anchors: int = 1
    spread: str = "near"
    reach: int = MOST_REACH
    anchor: Expression = 0.0
    take: Expression = 1.0
    length: Expression = 1.0
    keep: Expression = 0.0


@dataclass(frozen=True)
class Removal:
    """A program that takes stops out.

    Attributes:
        phases: one to `MOST_PHASES`.
    """

    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class Insertion:
    """A program that puts stops in; see above.

    Attributes:
        mode: one of `MODES`.
        order: expression.
        place: expression.
        blink: 0 to `MOST_BLINK`.
        vehicles: 2 to `MOST_VEHICLES`; of no meaning in mode `order`.
        free: whether one kind of vehicles begins routes at no fixed cost.
    """

    mode: str = "order"
    order: Expression = "random"
    place: Expression = "cost"
    blink: float = 0.0
    vehicles: int = 2
    free: bool = False


type Program = Removal | Insertion

HOLES = MappingProxyType({"anchor": ANCHOR, "take": TAKE, "length": TAKE, "keep": TAKE})
"""Holes of a phase, and as which features know them."""


def holes_of(insertion: Insertion) -> dict[str, str]:
    """Holes of an insertion, and as which features know them."""
    return {"order": REGRET if insertion.mode == "regret" else ORDER, "place": PLACE}


def nodes(expression: Expression) -> int:
    """How many nodes an expression has."""
    if isinstance(expression, tuple):
        return 1 + sum(map(nodes, expression[1:]))
    return 1


def to_json(program: Program) -> dict[str, Any]:
    """A program as plain data; see above."""
    if isinstance(program, Removal):
        phases = [
            {f.name: _plain(getattr(phase, f.name)) for f in fields(Phase)}
            for phase in program.phases
        ]
        return {"kind": "removal", "phases": phases}
    return {
        "kind": "insertion",
        **{f.name: _plain(getattr(program, f.name)) for f in fields(Insertion)},
    }


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def program_of(data: object) -> Program:
    """A program from plain data.

    Raises:
        InputError: it is no program of this language; the message says where and why.
    """
    given = _object(data, "a program")
    kind = given.pop("kind", None)
    if kind == "removal":
        phases = given.pop("phases", None)
        _nothing_else(given, "a removal", ("kind", "phases"))
        if not isinstance(phases, list | tuple) or not 1 <= len(phases) <= MOST_PHASES:
            raise InputError(
                f"phases are {quoted(phases)}; give a list of 1 to {MOST_PHASES} objects"
            )
        return Removal(tuple(_phase(phase, f"phases[{n}]") for n, phase in enumerate(phases)))
    if kind == "insertion":
        return _insertion(given)
    raise InputError(f"kind is {quoted(kind)}; give removal or insertion")


def _object(data: object, what: str) -> dict[str, Any]:
    if not isinstance(data, dict) or len(data) > 2 * len(fields(Phase)):
        raise InputError(f"{what} is {quoted(data)}; give an object with a few named fields")
    return dict(data)


def _nothing_else(given: dict[str, Any], what: str, allowed: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in allowed]
    if unknown:
        raise InputError(
            f"{what} has {listed(map(quoted, unknown))}; its fields are {', '.join(allowed)}"
        )


def _phase(data: object, at: str) -> Phase:
    given = _object(data, at)
    _nothing_else(given, at, tuple(f.name for f in fields(Phase)))
    found = {f.name: given.get(f.name, f.default) for f in fields(Phase)}
    _number(found, "share", at, 0.01, MOST_SHARE)
    for name, least, most in (
        ("draws", 1, MOST_DRAWS), ("anchors", 1, MOST_ANCHORS), ("reach", 0, MOST_REACH),
    ):  # fmt: skip
        _whole(found, name, at, least, most)
    _choice(found, "spread", at, SPREADS)
    for name, hole in HOLES.items():
        found[name] = expression_of(found[name], hole, f"{at}.{name}")
    return Phase(**found)


def _insertion(given: dict[str, Any]) -> Insertion:
    at = "an insertion"
    _nothing_else(given, at, tuple(f.name for f in fields(Insertion)))
    found = {f.name: given.get(f.name, f.default) for f in fields(Insertion)}
    _choice(found, "mode", at, MODES)
    _number(found, "blink", at, 0.0, MOST_BLINK)
    _whole(found, "vehicles", at, 2, MOST_VEHICLES)
    if not isinstance(found["free"], bool):
        raise InputError(f"free of {at} is {quoted(found['free'])}; give true or false")
    for name, hole in holes_of(Insertion(found["mode"])).items():
        found[name] = expression_of(found[name], hole, name)
    return Insertion(**found)


def _number(found: dict[str, Any], name: str, at: str, least: float, most: float) -> None:
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InputError(f"{name} of {at} is {quoted(value)}; give a number from {least} to {most}")
    found[name] = float(value)


def _whole(found: dict[str, Any], name: str, at: str, least: int, most: int) -> None:
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(
            f"{name} of {at} is {quoted(value)}; give a whole number from {least} to {most}"
        )


def _choice(found: dict[str, Any], name: str, at: str, allowed: tuple[str, ...]) -> None:
    if found[name] not in allowed:
        raise InputError(
            f"{name} of {at} is {quoted(found[name])}; give one of {', '.join(allowed)}"
        )


def expression_of(data: object, hole: str, at: str = "an expression") -> Expression:
    """An expression from plain data, for a hole that features know by that name.

    Raises:
        InputError: it is none, or none for this hole; the message says why.
    """
    left = [MOST_NODES]
    return _expression(data, hole, at, left, MOST_DEPTH)


def _expression(data: object, hole: str, at: str, left: list[int], deep: int) -> Expression:
    left[0] -= 1
    if left[0] < 0 or deep <= 0:
        raise InputError(
            f"{at} is too large; {MOST_NODES} nodes, {MOST_DEPTH} deep, are the most there may be"
        )
    if isinstance(data, str):
        known = FEATURES.get(data)
        if known is None or hole not in known.holes:
            usable = (name for name, feature in FEATURES.items() if hole in feature.holes)
            raise InputError(f"{at} has {quoted(data)}; there it may use {', '.join(usable)}")
        return data
    if isinstance(data, int | float) and not isinstance(data, bool):
        if not -BIG <= data <= BIG:
            raise InputError(f"{at} has {quoted(data)}; numbers are from -1e9 to 1e9")
        return float(data)
    if isinstance(data, list | tuple) and data and isinstance(data[0], str):
        arity = FUNCTIONS.get(data[0])
        if arity is None:
            raise InputError(
                f"{at} has the function {quoted(data[0])}; there are {', '.join(FUNCTIONS)}"
            )
        if len(data) != 1 + arity:
            raise InputError(f"{at} has {quoted(data)}; {data[0]} takes {arity} arguments")
        return (data[0], *(_expression(part, hole, at, left, deep - 1) for part in data[1:]))
    raise InputError(
        f"{at} has {quoted(data)}; give a number, a feature's name, or a list of a function's "
        "name and its arguments"
    )
