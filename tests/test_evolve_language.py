"""Programs of operators: what they may say, what is refused, and that they leave plans whole."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import Begun, chained_searches, differences, ruled_searches, searches

from nco.search.evolve import language
from nco.search.evolve.language import (
    FEATURES,
    FUNCTIONS,
    Insertion,
    Phase,
    Removal,
    program_of,
    to_json,
)
from nco.search.evolve.linking import operator_of
from nco.search.lns import changes

few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def whole_numbers(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


def expressions(hole: str) -> st.SearchStrategy[Any]:
    """Expressions for a hole, wild constants among them."""
    leaves = st.floats(-1e9, 1e9, allow_subnormal=False) | st.sampled_from(
        [name for name, feature in FEATURES.items() if hole in feature.holes]
    )

    def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            [st.tuples(st.just(name), *[inner] * arity) for name, arity in FUNCTIONS.items()]
        )

    return st.recursive(leaves, larger, max_leaves=8)


def phases() -> st.SearchStrategy[Phase]:
    holes = {name: expressions(hole) for name, hole in language.HOLES.items()}
    return st.builds(
        Phase,
        share=st.floats(0.01, 2.0),
        draws=whole_numbers(1, 16),
        anchors=whole_numbers(1, 20),
        spread=st.sampled_from(language.SPREADS),
        reach=whole_numbers(0, 100),
        **holes,
    )


removals = st.builds(Removal, st.lists(phases(), min_size=1, max_size=3).map(tuple))


@st.composite
def insertions(draw: st.DrawFn) -> Insertion:
    mode = draw(st.sampled_from(language.MODES))
    holes = language.holes_of(Insertion(mode))
    return Insertion(
        mode,
        blink=draw(st.floats(0.0, 0.5)),
        vehicles=draw(whole_numbers(2, 4)),
        free=draw(st.booleans()),
        **{name: draw(expressions(hole)) for name, hole in holes.items()},
    )


@few
@given(
    begun=searches() | ruled_searches() | chained_searches(),
    out=removals,
    back=insertions(),
    count=whole_numbers(1, 6),
)
def test_whatever_a_program_says_plans_stay_whole(
    begun: Begun, out: Removal, back: Insertion, count: int
):
    """After any removal and insertion, and taken back, all that is known of routes is right."""
    assert program_of(json.loads(json.dumps(to_json(out)))) == out
    assert program_of(json.loads(json.dumps(to_json(back)))) == back
    before, total = begun.trips(), float(begun.state.total[0])
    taken = begun.take_out(operator_of(out), count)
    mates = 2 if (begun.instance.mate >= 0).any() else 1
    assert len(set(taken)) == len(taken) <= 2 * count * mates
    assert differences(begun.instance, begun.state) == []
    begun.run(operator_of(back))
    assert differences(begun.instance, begun.state) == []
    begun.solution()
    changes.take_back(begun.instance, begun.state, total)
    assert begun.trips() == before
    assert differences(begun.instance, begun.state) == []
