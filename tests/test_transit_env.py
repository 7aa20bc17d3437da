"""Bus lines built stop by stop: masks, transitions, and what networks see of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.errors import ProblemError
from nco.transit.instance.lines import check_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.learn.cities import Cities
from nco.transit.policy.environment import TransitEnv
from nco.transit.policy.lookahead import completable, rules_of
from nco.transit.policy.observe import Observer

SMALL = Cities(stops=(6, 14), lines=(1, 4), longest=(3, 8), trips=(50.0, 100.0), hub=0.0)


def grid(side=3, **fields):
    """A square of streets of a minute each, with demand between opposite corners."""
    count = side * side
    link_s = np.full((count, count), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for k in range(count):
        for other in (k + 1, k + side):
            if other < count and (other == k + side or other % side):
                link_s[k, other] = link_s[other, k] = 60.0
    demand = np.zeros((count, count))
    demand[0, count - 1] = demand[side - 1, count - side] = 30.0
    return TransitInstance(link_s=link_s, demand=demand, **{"lines": 2, **fields})


def random_rollouts(env, rollouts, seed):
    """States at the end of random masked rollouts; every state on the way has a move."""
    generator = torch.Generator().manual_seed(seed)
    state = env.reset(rollouts)
    while not state.done.all():
        moves = env.moves(state)
        assert (moves >= 0).any(1).all()
        drawn = torch.multinomial((moves >= 0).float(), 1, generator=generator)
        state = env.step(state, moves.gather(1, drawn)[:, 0])
    return state


def violations(env, state):
    """Everything that lines break but being unconnected."""
    found = (check_lines(env.instance, lines, connected=False) for lines in env.lines(state))
    return [violation for some in found for violation in some]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.booleans(),
    st.sampled_from(["anywhere", "hub", "terminals", "hub and terminals"]),
    st.integers(2, 6),
    st.booleans(),
)
def test_random_rollouts_never_get_stuck_and_break_no_rule(seed, both, start, fewest, closing):
    """Whatever the network, the bounds, the hub and the terminals."""
    rng = np.random.default_rng(seed)
    drawn = SMALL.draw(seed)
    fields = {"min_stops": min(fewest, drawn.max_stops)}
    if "hub" in start:
        fields["hub"] = int(rng.integers(drawn.size))
    if "terminals" in start:
        fields["terminals"] = rng.random(drawn.size) < 0.4
        fields["terminals"][rng.integers(drawn.size, size=2)] = True
    try:
        env = TransitEnv(drawn.changed(**fields), both_ends=both, closing=closing)
    except ProblemError:
        return  # no line meets such bounds
    assert violations(env, random_rollouts(env, 4, seed)) == []


def lines_of(env, state, path=()):
    """Every first line that masked moves can make."""
    if int(state.line):
        return {env.lines(state)[0][0]}
    moves = env.moves(state)[0]
    return set().union(
        *(lines_of(env, env.step(state, m[None]), (*path, int(m))) for m in moves if m >= 0)
    )


@pytest.mark.parametrize("both", [False, True])
def test_masks_leave_out_no_line_that_is_legal(both):
    """On nodes on a string with a spur all legal lines are made, by brute force, and no other."""
    link_s = np.full((5, 5), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for a, b in ((0, 1), (1, 2), (2, 3), (1, 4)):
        link_s[a, b] = link_s[b, a] = 60.0
    terminals = np.array([True, False, False, True, True])
    instance = TransitInstance(
        link_s=link_s, lines=1, min_stops=3, max_stops=4, terminals=terminals
    )
    env = TransitEnv(instance, both_ends=both)
    legal = {(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 4), (4, 1, 0), (3, 2, 1, 4), (4, 1, 2, 3)}
    assert lines_of(env, env.reset(1)) == legal


def test_lines_grow_in_front_and_close_when_full():
    """A stop in front moves the others back; the last one possible closes the line."""
    env = TransitEnv(grid(lines=1, max_stops=3), both_ends=True)
    state = env.reset(1)
    for action in (1, 9 + 0, 2):
        assert env.mask(state)[0, action]
        state = env.step(state, torch.tensor([action]))
    assert env.lines(state) == [((0, 1, 2),)]
    assert state.done.all()
    after = env.step(state, torch.tensor([env.close]))
    assert torch.equal(after.lines, state.lines)


def test_steps_leave_the_state_before_as_it_was():
    """Transitions are pure, so that trees can go back."""
    env = TransitEnv(grid(hub=4))
    state = env.reset(2)
    before = [tensor.clone() for tensor in vars(state).values()]
    env.step(state, torch.tensor([1, 3]))
    assert all(map(torch.equal, before, vars(state).values()))


def test_closing_is_offered_from_the_fewest_stops_on():
    """Not before, and without `closing` only where a line cannot grow."""
    for closing in (True, False):
        env = TransitEnv(grid(hub=0, min_stops=3, lines=1), closing=closing)
        state = env.reset(1)
        for action in (1, 2):
            assert not env.mask(state)[0, env.close]
            state = env.step(state, torch.tensor([action]))
        assert bool(env.mask(state)[0, env.close]) is closing


def test_a_line_is_taken_out_and_built_anew():
    """The others stay closed, and the new one is the last."""
    env = TransitEnv(grid(hub=4, lines=3))
    done = random_rollouts(env, 2, seed=1)
    state = env.reopened(done.lines, torch.tensor([0, 2]))
    assert state.line.tolist() == [2, 2]
    assert env.lines(state)[0] == (*env.lines(done)[0][1:], (4,))
    assert env.lines(state)[1] == (*env.lines(done)[1][:2], (4,))
    assert violations(env, random_rollouts(env, 2, seed=2)) == []


def test_bounds_that_no_search_can_meet_are_refused():
    """The message names them."""
    link_s = np.full((30, 30), 60.0)
    np.fill_diagonal(link_s, 0.0)
    link_s[0, 2:] = link_s[2:, 0] = np.inf
    terminals = np.zeros(30, bool)
    terminals[0] = True
    instance = TransitInstance(link_s=link_s, lines=1, min_stops=2)
    with pytest.raises(ProblemError, match="widen the bounds"):
        # Not legal for an instance either, but for that its own search must come to an end.
        object.__setattr__(instance, "terminals", terminals)
        TransitEnv(instance)


def test_a_search_that_gives_up_calls_a_line_hopeless():
    """It errs on the safe side: with too few moves to look, nothing is vouched for."""
    rules = rules_of(grid(min_stops=9), both=False)
    used = np.zeros(9, bool)
    used[0] = True
    assert completable(rules, used, 0, 0, 1, 20_000)
    assert not completable(rules, used, 0, 0, 1, 5)
    assert used.tolist() == [True] + [False] * 8


def test_what_is_shown_does_not_depend_on_units():
    """Ten times the demand and slower streets look alike, but for the load of buses."""
    plain = grid(hub=4)
    other = plain.changed(
        demand=10 * plain.demand, link_s=3 * plain.link_s, capacity=10 * plain.capacity
    )
    shown = []
    for instance in (plain, other):
        env = TransitEnv(instance)
        state = random_rollouts(env, 2, seed=3)
        state = env.reopened(state.lines, torch.tensor([0, 1]))
        state = env.step(state, env.moves(state)[:, :2].amax(1))
        seen = Observer(env).see(state)
        choices = seen.choices(state, env.moves(state), torch.arange(2))
        shown.append([*vars(seen.scenes()).values(), *vars(choices).values()])
    for a, b in zip(*shown, strict=True):
        torch.testing.assert_close(a, b)


def test_what_is_shown_without_demand_is_finite():
    """Nobody travels, and nothing is divided by zero."""
    instance = grid(hub=4).changed(demand=None)
    env = TransitEnv(instance)
    state = env.step(env.reset(2), torch.tensor([1, 3]))
    seen = Observer(env).see(state)
    choices = seen.choices(state, env.moves(state), torch.arange(2))
    for tensor in (*vars(seen.scenes()).values(), *vars(choices).values()):
        assert torch.isfinite(tensor.float()).all()


def test_flows_follow_the_fastest_ways_and_leave_out_what_is_served():
    """On a string, demand between its ends passes every link, until a line serves it."""
    link_s = np.full((3, 3), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for a, b in ((0, 1), (1, 2)):
        link_s[a, b] = link_s[b, a] = 60.0
    demand = np.zeros((3, 3))
    demand[0, 2], demand[0, 1] = 3.0, 1.0
    env = TransitEnv(TransitInstance(link_s=link_s, demand=demand, lines=2, hub=0))
    observer, state = Observer(env), env.reset(1)
    first = observer.see(state)
    assert first.flow[0, 0, 1].tolist() == 1.0
    assert first.flow[0, 1, 2].tolist() == pytest.approx(0.75)
    for action in (1, env.close):
        state = env.step(state, torch.tensor([action]))
    second = observer.see(state)
    assert second.flow[0, 0, 1].tolist() == pytest.approx(0.75)
    assert second.covered[0].tolist() == [1.0, 1.0, 0.0]
    # In means of a node: a third of both ends of all four trips.
    assert second.open[0].tolist() == pytest.approx([1.125, 0.0, 1.125])
