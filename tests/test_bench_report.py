"""Reports of benchmarks: gaps, intervals, wins, soundness, and what may not be compared."""

import numpy as np
import pytest
from bench_results import result, wrong
from hypothesis import given
from hypothesis import strategies as st

from nco import plot
from nco.bench import Report
from nco.bench.duels import champion, duels
from nco.bench.result import from_line
from nco.bench.summary import best_known, gap, groups, soundness, summarise
from nco.errors import InputError
from nco.plot.bench_figure import picture
from nco.stats import interval


def test_gaps_are_to_the_best_of_all_budgets():
    """Every method and budget counts for the best known, wrong and disputed answers do not."""
    lines = [
        result("a", 110.0),
        wrong("b"),
        result("a", 100.0, budget_s=2.0),
        result("b", 90.0, budget_s=2.0, claimed=80.0, disagreement=0.1),
    ]
    known = best_known(lines)
    assert known["0"].cost == 100.0
    assert [gap(line, known) for line in lines] == [pytest.approx(0.1), None, 0.0, None]
    rows = summarise(lines, known)
    assert [(row.method, row.budget_s, row.feasible, row.cost) for row in rows] == [
        ("a", 1.0, 1, 110.0),
        ("b", 1.0, 0, None),
        ("a", 2.0, 1, 100.0),
        ("b", 2.0, 0, None),
    ]


def test_best_known_comes_from_files_and_references_when_lower():
    """A `.sol` beside the instance and earlier runs count where they are better, only there."""
    lines = [result(best_known=95.0), result(seed=1, best_known=120.0), result(seed=2)]
    references = [result("old", 90.0, seed=2, suite="other"), wrong("old", seed=1)]
    known = best_known(lines, references)
    found = {name: (best.cost, best.origin) for name, best in known.items()}
    assert found == {"0": (95.0, "file"), "1": (100.0, "runs"), "2": (90.0, "references")}
    report = Report(lines, references)
    assert report.data()["best_known"] == {"runs": 1, "file": 1, "references": 1}
    assert report.rows[0].gap == pytest.approx((100 / 95 - 1 + 100 / 90 - 1) / 3)


def test_gap_to_costs_of_zero_and_below():
    """No share of zero is told, and gains (negative costs) have gaps of the right sign."""
    lines = [result("a", 0.0), result("b", 5.0), result("a", -10.0, seed=1)]
    lines.append(result("b", -8.0, seed=1))
    known = best_known(lines)
    assert [gap(line, known) for line in lines] == [0.0, None, 0.0, pytest.approx(0.2)]


def test_groups_are_ordered_by_size():
    """Small instances come first, whatever their group is called."""
    lines = [result(group="a", size=500), result(group="b", size=100, seed=1)]
    assert groups(lines) == ["b", "a"]


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
def test_interval_holds_the_mean_and_is_repeatable(values):
    """The ends lie among the values and around their mean; the same values give the same."""
    ends = interval(values)
    assert ends is not None
    low, high = ends
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert ends == interval(values)


def test_interval_holds_the_truth_as_often_as_it_says():
    """Of 300 samples of 40 normal numbers, about 95 % give an interval around the true mean."""
    rng = np.random.default_rng(0)
    ends = [interval(rng.normal(3.0, 1.0, 40).tolist()) for _ in range(300)]
    share = np.mean([e is not None and e[0] <= 3.0 <= e[1] for e in ends])
    assert 0.90 <= share <= 0.98


def test_single_values_have_no_interval():
    """One instance says nothing about the spread."""
    assert interval([0.3]) is None
    assert interval([]) is None


def test_duel_counts_wins_ties_losses_and_the_lead():
    """An answer beats none, equal costs tie, and where neither answers nobody wins."""
    ours, theirs = [100.0, 100.0, 100.0, None, None, 90.0], [110.0, 100.0, 95.0, 99.0, None, None]
    lines = []
    for method, costs in (("a", ours), ("b", theirs)):
        for seed, cost in enumerate(costs):
            ok = cost is not None
            lines.append(result(method, cost, seed=seed) if ok else wrong(method, seed=seed))
    (duel,) = duels(lines, best_known(lines), "a")
    assert (duel.won, duel.tied, duel.lost) == (2, 1, 2)
    assert duel.share_won == 2 / 5
    assert duel.lead == pytest.approx((0.1 + 0.0 - (100 / 95 - 1)) / 3)
    assert duel.lead_low < duel.lead < duel.lead_high


def test_refusing_is_no_defeat():
    """Who cannot do what an instance asks for is not beaten on it, and beats nobody."""
    refused = {"feasible": False, "refused": "no windows"}
    lines = [result("a"), result("b", None, **refused)]
    for method in "ab":
        (duel,) = duels(lines, best_known(lines), method)
        assert (duel.won, duel.tied, duel.lost, duel.share_won) == (0, 0, 0, None)
        assert duel.lead is None


def test_duels_are_by_group_and_budget():
    """One row each, and the other side of a duel is its mirror image."""
    lines = [
        result(method, cost + 10 * budget_s, budget_s=budget_s, group=group, fingerprint=group)
        for group in ("g", "h")
        for budget_s in (2.0, 1.0)
        for method, cost in (("a", 100.0), ("b", 101.0))
    ]
    known = best_known(lines)
    found = duels(lines, known, "a")
    assert [(d.group, d.budget_s) for d in found] == [
        ("g", 1.0), ("g", 2.0), ("h", 1.0), ("h", 2.0)
    ]  # fmt: skip
    assert all((d.won, d.lost) == (1, 0) for d in found)
    assert [-d.lead for d in duels(lines, known, "b")] == [d.lead for d in found]


def test_compared_method_is_auto_else_the_first():
    """Whoever wants another one names it, and it must have been run."""
    lines = [result("b"), result("a")]
    assert champion(lines) == "b"
    assert champion([*lines, result("auto")]) == "auto"
    assert champion(lines, "a") == "a"
    with pytest.raises(InputError, match="'magic' was not run"):
        Report(lines, compare="magic")


@pytest.mark.parametrize(
    ("changes", "sound"),
    [
        ({}, True),
        ({"time_s": 1.15}, True),
        ({"time_s": 1.1501}, False),
        ({"feasible": False, "findings": ("late",)}, False),
        ({"claimed": 99.0, "disagreement": 0.01}, False),
        ({"disagreement": None}, False),
        ({"feasible": False, "cost": None, "claimed": None, "refused": "no windows"}, True),
        ({"feasible": False, "cost": None, "claimed": None, "crashed": "Boom"}, False),
    ],
)
def test_soundness_is_feasible_undisputed_and_in_time(changes, sound):
    """10 % and 50 ms are allowed; refusing is honest, crashing is not sound."""
    assert result(**changes).sound is sound
    assert Report([result(**changes)]).sound is sound


def test_soundness_is_counted_by_method():
    """The largest overrun names the limit that it is of."""
    lines = [result("a", time_s=1.4), result("a", budget_s=2.0, time_s=1.9), wrong("a", seed=1)]
    (row,) = soundness(lines)
    assert (row.runs, row.feasible, row.late) == (3, 2, 1)
    assert row.overrun_s == pytest.approx(0.25)
    assert row.overrun_limit_s == 1.0


def test_loading_is_told_beside_the_time():
    """Reports hold the mean of what loading took, and a late run says it, but is late without."""
    lines = [result("a", setup_s=0.5), result("a", seed=1, time_s=1.2, setup_s=1.0)]
    report = Report(lines)
    (row,) = report.data()["rows"]
    assert row["setup_s"] == 0.75
    assert "took 1.200 s (and 1.000 s before, to load it)" in report.text()
    assert from_line(lines[0].line()).setup_s == 0.5


def test_text_says_everything():
    """Gaps, wins, refusals, faults, what is missing, versions, processor and seeds."""
    lines = [
        *(result("auto", 100.0, seed=seed) for seed in range(3)),
        result("old", 105.0),
        wrong("old", seed=1),
        result("old", 99.0, seed=2, claimed=50.0, disagreement=0.5),
    ]
    lines += [
        result("small", None, seed=seed, feasible=False, refused="it cannot") for seed in range(3)
    ]
    text = Report(lines).text()
    for words in (
        "rcvrp, 5 stops, whole city: 3 instances",
        "0.00 [0.00, 0.00]",
        "5.00 (1/3)",
        "refuses",
        "auto against each other method",
        "3/0/0 100 %",
        "old on x-1 in 1 s: not feasible, too heavy",
        "claims a cost of 50.0, the checker finds 99.0",
        "Abacus",
        "seeds: 0 to 2",
        "code: c0de",
    ):
        assert words in text


def test_text_says_what_is_missing():
    """Means over different instances are not comparable, so their number is told."""
    assert (
        "incomplete: 3 of 4 runs" in Report([result("a"), result("b"), result("a", seed=1)]).text()
    )
    whole = [result(method, seed=seed) for method in "ab" for seed in range(2)]
    assert "incomplete" not in Report(whole).text()


def test_picture_has_a_panel_a_group():
    """Panels of an own size each, as a PNG; without any answer there is nothing to draw."""
    lines = [
        result("a", 100.0 + seed, seed=seed, group=f"{size} stops", size=size, budget_s=budget_s)
        for size in (5, 10, 20)
        for seed in range(2)
        for budget_s in (1.0, 2.0)
    ]
    assert picture(Report(lines)).startswith(b"\x89PNG")
    with pytest.raises(InputError, match="nothing to draw"):
        picture(Report([wrong("a")]))


def test_anytime_draws_a_band_and_keeps_colours():
    """The band spans the interval of several runs; a method has one colour in every panel."""
    gaps = [0.01, 0.03, 0.08]
    runs = [("b", budget_s, share) for budget_s in (1.0, 2.0) for share in gaps]
    ax = plot.anytime(runs, methods=["a", "b"])
    band, _ = ax.collections
    low, high = interval(gaps)
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(100 * low)
    assert heights.max() == pytest.approx(100 * high)
    alone = plot.anytime(runs)
    assert alone.lines[0].get_color() != ax.lines[0].get_color()
