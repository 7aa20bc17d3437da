"""The hand-made operators as programs, as far as `nco.search.evolve.language` can say them.

Evolution begins with these.
"""

from __future__ import annotations

from types import MappingProxyType

from nco.search.evolve.language import Insertion, Phase, Removal

_LENGTH = ("+", 1.0, ("*", "random", ("min", ("min", "size", 10.0), "left")))
_HALF = 0.6931471805599453  # ln 2: lengths of which each has half the chance of the one before
_KEEP = ("if", ("-", "random", 0.5), ("-", 1.0, ("/", ("log", "random"), _HALF)), 0.0)

REMOVALS = MappingProxyType(
    {
        "string": Removal((Phase(spread="routes", length=_LENGTH, keep=_KEEP),)),
        "longest": Removal(
            (Phase(draws=16, spread="routes", anchor="duty", length=_LENGTH, keep=_KEEP),)
        ),
        "related": Removal((Phase(take=("-", "random", 0.3)),)),
        "worst": Removal((Phase(draws=6, anchors=20, spread="alone", reach=0, anchor="detour"),)),
        "random": Removal((Phase(anchors=20, spread="alone", reach=0),)),
        "route": Removal((Phase(share=2.0, spread="route", reach=40),)),
        "policy": Removal((Phase(draws=6, anchor=("neg", "heat"), take=("-", "random", "heat")),)),
    }
)
"""By the names that the hand-made ones have; "longest" takes the longest of 16 drawn routes."""


INSERTIONS = MappingProxyType(
    {
        "blinks": Insertion(blink=0.01),
        "blinks-demand": Insertion(order="demand", blink=0.01),
        "blinks-far": Insertion(order="depot", blink=0.01),
        "blinks-near": Insertion(order=("neg", "depot"), blink=0.01),
        "greedy": Insertion(),
        "kind": Insertion(blink=0.01, free=True),
        "policy": Insertion(place=("-", "cost", ("*", 0.3, "heat")), blink=0.01),
        "regret-2": Insertion("regret", "regret"),
        "regret-3": Insertion("regret", ("+", "regret", ("-", "third", "best")), vehicles=3),
        "regret-4": Insertion(
            "regret",
            ("+", "regret", ("-", ("+", "third", "fourth"), ("*", 2.0, "best"))),
            vehicles=4,
        ),
    }
)
"""By the names that the hand-made ones have; of "blinks", which draws one of four orders, each."""
