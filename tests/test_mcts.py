"""Tree search of games that fit on a page, whose best ends are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nco.kernels.tree import (
    Expansion,
    Leaves,
    Rule,
    Trees,
    advance,
    expand_and_backup,
    roots_of,
    search,
    select,
)

DEPTH, MOVES = 4, 3
PLAIN = Rule()


class Digits:
    """Writes numbers of some digits; each number is worth what a table says.

    A position's label is what is written so far, as a number that begins with 1. Leaves are
    answered for in one of two ways: by the positions of the greedy rollout to the end, or, given
    `guess`, by a single position and a guess of its worth.

    Args:
        worth: `[T, MOVES ** DEPTH]` of each tree's numbers.
        prior: `[MOVES]` of every position.
        guess: of the worth of an unfinished number, given its tree and label.
    """

    def __init__(self, worth, prior=(0.5, 0.3, 0.2), guess=None):
        self.worth, self.prior, self.guess = worth, np.array(prior), guess
        self.answered: list[tuple[int, int]] = []

    def ended(self, label: int) -> bool:
        """Whether all digits are written."""
        return label >= MOVES**DEPTH

    def __call__(self, leaves: Leaves) -> Expansion:
        """Answers, and remembers what was asked."""
        value, first, label, taken = [], [0], [], []
        for tree, position, before, action in zip(
            leaves.tree, leaves.position, leaves.label, leaves.action, strict=True
        ):
            at = int(before * MOVES + action) if position >= 0 else 1
            self.answered.append((int(tree), at))
            if self.guess is not None and not self.ended(at):
                value.append(self.guess(int(tree), at))
                label.append(at)
                taken.append(-1)
            else:
                while not self.ended(at):
                    label.append(at)
                    taken.append(int(self.prior.argmax()))
                    at = at * MOVES + taken[-1]
                value.append(self.worth[tree, at - MOVES**DEPTH])
            first.append(len(label))
        moves = np.tile(np.arange(MOVES, dtype=np.int32), (len(label), 1))
        return Expansion(
            np.array(value, float),
            np.array(first, np.int32),
            np.array(label, np.int64),
            moves,
            np.tile(self.prior, (len(label), 1)),
            np.array(taken, np.int32),
        )


def worths(trees: int, seed: int = 0) -> np.ndarray:
    """Numbers that begin alike are worth alike, more or less."""
    rng = np.random.default_rng(seed)
    share = [rng.random((trees, MOVES**d)) / 2**d for d in range(1, DEPTH + 1)]
    return sum(np.repeat(x, MOVES ** (DEPTH - d), 1) for d, x in enumerate(share, 1))


def searched(game: Digits, rounds: int, width: int, rule: Rule = PLAIN, positions: int = 100):
    """Trees after a search."""
    trees = Trees.empty(len(game.worth), positions, MOVES)
    search(trees, game, rounds, width, rule)
    return trees


RULES = [PLAIN, Rule(best=1.0), Rule(exploration=5.0, best=0.5)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("width", [1, 5, 100])
def test_everything_is_tried_once_and_the_best_end_is_found(rule, width):
    """Whatever the rule: no end is visited twice, and the search stops by itself."""
    game = Digits(worths(1))
    trees = searched(game, 1000, width, rule)
    assert trees.bounds[0, 1] == game.worth.max()
    assert trees.finished.all()
    # As many rollouts as ends: each ends somewhere else.
    assert len(game.answered) == MOVES**DEPTH
    assert len(set(game.answered)) == len(game.answered)


def test_few_visits_find_a_good_end():
    """With a quarter of the ends seen, the best is found far more often than by chance."""
    found = 0
    for seed in range(20):
        game = Digits(worths(1, seed), prior=(0.34, 0.33, 0.33))
        trees = searched(game, 20, 1, Rule(exploration=0.5, best=1.0))
        found += trees.bounds[0, 1] == game.worth.max()
    assert found >= 12  # five by chance


@pytest.mark.parametrize("width", [1, 4, 9])
def test_visit_counts_add_up(width):
    """The visits of a position are those of the move that leads there; none stays under way."""
    game = Digits(worths(2), guess=lambda tree, at: 0.0)
    trees = searched(game, 7, width)
    assert not trees.pending.any()
    for t in range(2):
        assert trees.visits[t, 0].sum() == sum(tree == t for tree, _ in game.answered) - 1
        for n in range(1, trees.used[t]):
            above = trees.parent[t, n], trees.via[t, n]
            assert trees.visits[t, n].sum() == trees.visits[t][above] - 1
            own = trees.visits[t, n] > 0
            assert trees.total[t, n].sum() == pytest.approx(trees.total[t][above])
            assert trees.best[t, n, own].max(initial=0.0) <= trees.best[t][above]
    assert trees.visit_share().sum(1) == pytest.approx([1.0, 1.0])


def test_a_line_is_worth_as_much_as_its_end():
    """A rollout counts once for every position on it."""
    game = Digits(worths(1))
    trees = searched(game, 0, 1)
    assert trees.used[0] == DEPTH
    assert trees.visits[0, :DEPTH].sum(1).tolist() == [1] * DEPTH
    assert set(trees.best[0, :DEPTH].max(1)) == {game.worth[0, 0]}


def test_a_misleading_guess_is_overcome():
    """What looks best at first is left when the ends behind it turn out to be worthless."""
    worth = np.zeros((1, MOVES**DEPTH))
    worth[0, -(MOVES ** (DEPTH - 1)) :] = 0.5  # all numbers that begin with 2
    worth[0, -1] = 1.0

    def guess(tree: int, at: int) -> float:
        return 0.9 if at == MOVES else 0.2  # 0 as the first digit

    early, late = (searched(Digits(worth, guess=guess), rounds, 1) for rounds in (8, 50))
    assert early.visit_share()[0].argmax() == 0
    assert late.visit_share()[0].argmax() == 2
    assert late.visits[0, 0, 0] < (MOVES**DEPTH - 1) / (MOVES - 1) / 2  # half of it is not tried


def test_trees_do_not_know_of_each_other():
    """Side by side they grow as they do alone."""
    whole = worths(3)
    together = searched(Digits(whole), 9, 2)
    for t in range(3):
        alone = searched(Digits(whole[t : t + 1]), 9, 2)
        for name, table in alone._asdict().items():
            np.testing.assert_array_equal(getattr(together, name)[t], table[0], err_msg=name)


def test_values_have_no_unit():
    """The same game in other units is searched in the same order."""
    plain, other = Digits(worths(1)), Digits(1e6 * worths(1) - 3e7)
    for game in (plain, other):
        searched(game, 15, 2)
    assert plain.answered == other.answered


def test_what_has_no_room_is_valued_all_the_same():
    """A full tree takes values of its untried moves, but no positions."""
    game = Digits(worths(1))
    trees = searched(game, 1000, 3, positions=5)
    assert trees.used[0] == 5
    assert trees.finished.all()
    # Four positions on the first line and one more, each with all of its moves tried.
    assert len(game.answered) == 1 + 4 * (MOVES - 1) + MOVES - 1


def test_moves_that_do_not_exist_are_never_tried():
    """A prior of 0 marks them."""
    game = Digits(worths(1), prior=(0.6, 0.0, 0.4))
    searched(game, 1000, 4)
    assert len(game.answered) == 2**DEPTH
    digits = {np.base_repr(at, MOVES)[1:] for _, at in game.answered}
    assert not any("1" in d for d in digits)


def test_leaves_under_way_are_not_selected_again():
    """Until they are answered, others come; and there may be none."""
    game = Digits(worths(1))
    trees = Trees.empty(1, 100, MOVES)
    expand_and_backup(trees, roots_of(trees), game(roots_of(trees)))
    first, second, third = (select(trees, 5, PLAIN) for _ in range(3))
    pairs = [set(zip(x.position, x.move, strict=True)) for x in (first, second, third)]
    assert [len(p) for p in pairs] == [5, 3, 0]  # two untried moves at each of four positions
    assert not pairs[0] & pairs[1]


def test_a_root_moves_on_and_keeps_what_is_behind():
    """The subtree is what a search remembers; it goes on as before."""
    game = Digits(worths(2))
    trees = searched(game, 6, 2)
    move = trees.best_move()
    rows = np.arange(2)
    expected = trees.visits[rows, 0, move], trees.best[rows, 0, move]
    old = [subtree(trees, t, int(trees.child[t, 0, move[t]])) for t in range(2)]
    advance(trees, move)
    assert [subtree(trees, t, 0) for t in range(2)] == old
    # Its own rollout passed through the root before there were visits to count.
    assert (trees.visits[:, 0].sum(1) <= expected[0]).all()
    np.testing.assert_array_equal(trees.best[:, 0].max(1), expected[1])
    search(trees, game, 1000, 3, PLAIN)
    assert trees.finished.all()
    for t, part in itertools.product(range(2), [worths(2).reshape(2, MOVES, -1)]):
        assert trees.best[t, 0].max() == part[t, move[t]].max()


def subtree(trees: Trees, t: int, n: int) -> list:
    """All that is known of a position and of those behind it."""
    edges = [
        (int(trees.action[t, n, k]), int(trees.visits[t, n, k]), float(trees.total[t, n, k]),
         subtree(trees, t, c) if c >= 0 else c)
        for k, c in enumerate(trees.child[t, n].tolist())
    ]  # fmt: skip
    return [int(trees.label[t, n]), edges]


def test_a_root_stays_where_there_is_nothing_to_move_to():
    """A move that was not asked for, and one that leads nowhere, change nothing."""
    game = Digits(worths(2))
    trees = searched(game, 2, 1)
    untried = int((trees.child[1, 0] < 0).argmax())
    before = subtree(trees, 0, 0), subtree(trees, 1, 0)
    advance(trees, np.array([-1, untried], np.int32))
    assert (subtree(trees, 0, 0), subtree(trees, 1, 0)) == before
