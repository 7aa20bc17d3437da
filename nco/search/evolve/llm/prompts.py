"""What a language model is asked: the rules of programs, and one of five tasks.

The rules are made from the language's own tables, so that they say what is true.
"""

from __future__ import annotations

from collections.abc import Sequence

from nco.search.evolve.language import (
    FEATURES,
    HOLES,
    MODES,
    MOST_ANCHORS,
    MOST_BLINK,
    MOST_DRAWS,
    MOST_NODES,
    MOST_PHASES,
    MOST_REACH,
    MOST_SHARE,
    MOST_VEHICLES,
    SPREADS,
    Insertion,
    Program,
    Removal,
    holes_of,
)
from nco.search.evolve.outside.text import text_of

_PYTHON = f"""\
Write it in a small part of Python. At the top level there are settings (name = number, text, True
or False) and functions, nothing else. A function is given features by their names as arguments,
assigns to names, decides by if, repeats by for k in range(3), and returns a number. It may use
+ - * / ** 2, comparisons, and, or, not, min, max, abs, sqrt, log, floor, random() (a new number
from 0 to 1 at each call) and functions that stand above it. There are no imports, attributes,
lists, texts, while loops or recursion. Conditions compare, as in x > 0. x / 0 is x. Written out,
no function may have more than {MOST_NODES} operations and names.
"""
_REMOVAL = f"""\
A removal takes about a wanted count of stops out of their routes. It has one to {MOST_PHASES}
phases; names of the second and third end in _2 and _3. The first line is kind = "removal".
A phase draws stops at random, takes the one with the greatest anchor, looks at candidates around
it, and takes those whose take is positive; then it begins anew with another anchor, until it has
enough.
Settings: share (0.01 to {MOST_SHARE:g}, of the wanted count), draws (1 to {MOST_DRAWS}), anchors
(1 to {MOST_ANCHORS}, how often it begins), reach (0 to {MOST_REACH}, candidates), spread: one of
{", ".join(SPREADS)} ("near" the nearest stops; "routes" the nearest, one for each route; "along"
what is behind the anchor on its route; "route" its whole route; "alone" nothing else).
Functions: anchor; take; length (2 or more takes a string of so many stops of the route around the
candidate); keep (how many stops within the string stay). A function that is left out is a constant.
"""
_INSERTION = f"""\
An insertion puts removed stops back, each at the feasible place with the least place. The first
line is kind = "insertion".
Settings: mode: one of {", ".join(MODES)} ("order": stops come by order, greatest first, reckoned
once; "regret": the next stop is that with the greatest order, reckoned anew, and may use what the
best places on different routes cost), blink (0 to {MOST_BLINK:g}, chance that a place is
overlooked), vehicles (2 to {MOST_VEHICLES}, how many routes regret compares), free (True or False:
whether one kind of vehicles opens routes at no fixed cost).
Functions: order; place (usually cost, plus something).
"""
_SYSTEM = """\
You design operators for a large neighbourhood search on vehicle routing problems: removals take
stops out of routes, insertions put them back. Costs are in units of a mean arc, times in mean
seconds of an arc, loads are shares of a vehicle's capacity. Answer with one fenced block of code
for each operator that is asked for, and nothing else.
"""


def rules(kind: type[Program]) -> str:
    """How a program of a kind is written."""
    if kind is Removal:
        shape, holes = _REMOVAL, dict(HOLES)
    else:
        by_mode = {mode: holes_of(Insertion(mode)) for mode in MODES}
        shape = _INSERTION
        holes = {f"order in mode {mode}": known["order"] for mode, known in by_mode.items()}
        holes["place"] = by_mode[MODES[0]]["place"]
    lines = [
        f"{name} may be given: {', '.join(n for n, f in FEATURES.items() if hole in f.holes)}"
        for name, hole in holes.items()
    ]
    known = set(holes.values())
    meanings = [f"{n}: {f.meaning}" for n, f in FEATURES.items() if f.holes & known]
    return "\n".join((shape, *lines, "", "Features:", *meanings))


def initialise(kind: type[Program], known: Sequence[Program]) -> list[tuple[str, str]]:
    """Asks for a new operator, unlike those that are there."""
    there = [f"There is already:\n{_block(program)}" for program in known]
    return _asked(
        (kind,),
        *there,
        f"Write {_a(kind)} that works by another idea than "
        + ("all of these." if known else "choosing at random."),
    )


def vary(program: Program) -> list[tuple[str, str]]:
    """Asks for an operator with another idea in it."""
    kind = type(program)
    return _asked(
        (kind,),
        f"This is {_a(kind)}:\n{_block(program)}",
        "Change what it does: another criterion, formula or way of spreading, where you expect "
        "better plans from it.",
    )


def calibrate(program: Program) -> list[tuple[str, str]]:
    """Asks for the same operator with other numbers."""
    kind = type(program)
    return _asked(
        (kind,),
        f"This is {_a(kind)} that works well:\n{_block(program)}",
        "Keep its idea. Change its numbers and settings, where you expect better plans from it.",
    )


def recombine(one: Program, other: Program) -> list[tuple[str, str]]:
    """Asks for an operator with the ideas of two of a kind."""
    kind = type(other)
    return _asked(
        (kind,),
        f"Here are two operators:\n{_block(one)}\n{_block(other)}",
        f"Write {_a(kind)} in the form of the second that takes over what is best in the first.",
    )


def pair(removal: Removal, insertion: Insertion) -> list[tuple[str, str]]:
    """Asks for a removal and an insertion that belong together."""
    return _asked(
        (Removal, Insertion),
        f"These two work well together:\n{_block(removal)}\n{_block(insertion)}",
        "Write both anew as one: let the removal open what the insertion is best at mending. Give "
        "the removal first, then the insertion, in two blocks.",
    )


def refused(why: str) -> str:
    """Tells what is wrong with an answer."""
    return f"That cannot be used: {why}\nWrite it once more, corrected, in the same form as before."


def _asked(kinds: Sequence[type[Program]], *parts: str) -> list[tuple[str, str]]:
    told = (*(rules(kind) for kind in kinds), _PYTHON, *parts)
    return [("system", _SYSTEM), ("user", "\n\n".join(told))]


def _block(program: Program) -> str:
    return f"```python\n{text_of(program)}```"


def _a(kind: type[Program]) -> str:
    return "a removal" if kind is Removal else "an insertion"
