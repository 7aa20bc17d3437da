"""Joins the results of shards, and refuses those that should not be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nco.bench.result import Result, find_results, read_results
from nco.errors import InputError

# What must be the same in all results: name -> value of a result.
_SAME: dict[str, Callable[[Result], str]] = {
    "suites (--city, --size, ..., files)": lambda r: r.suite,
    "versions of nco": lambda r: r.nco,
    "states of nco's code": lambda r: r.code,
    "versions of Python": lambda r: r.python,
    "processors": lambda r: r.processor,
}


def gather(folders: Iterable[str | Path]) -> list[Result]:
    """The results in folders, one a run: where there are several, the latest.

    Args:
        folders: that `nco bench solvers` wrote to, or files of results themselves.

    Returns:
        Results by size, instance, budget and method.

    Raises:
        InputError: a folder has no results.
        FormatError: a line is no result.
        StorageError: a file cannot be read.
    """
    latest: dict[tuple[str, str], Result] = {}
    paths = [path for folder in folders for path in find_results(Path(folder))]
    for path in dict.fromkeys(path.resolve() for path in paths):
        # Empty files are of runs that were ended before their first result.
        for result in read_results(path) if path.stat().st_size else ():
            place = (result.fingerprint, result.key)
            if place not in latest or latest[place].at <= result.at:
                latest[place] = result
    if not latest:
        raise InputError(
            "there are no results to join; give folders that `nco bench solvers` wrote to"
        )
    return sorted(latest.values(), key=lambda r: (r.size, r.instance, r.budget_s, r.method))


def check_comparable(results: Sequence[Result]) -> None:
    """Refuse results that were not measured alike.

    Raises:
        InputError: they are of different suites, versions, code or processors, or an instance of
            one name is not the same problem everywhere.
    """
    reasons = []
    for what, value in _SAME.items():
        values = sorted({value(result) for result in results})
        if len(values) > 1:
            reasons.append(f"{what}: {', '.join(values)}")
    for method in sorted({result.method for result in results}):
        versions = sorted({result.version for result in results if result.method == method})
        if len(versions) > 1:
            reasons.append(f"versions of {method}: {', '.join(versions)}")
    drawn: dict[str, set[str]] = {}
    for result in results:
        drawn.setdefault(result.instance, set()).add(result.fingerprint)
    differing = sorted(name for name, prints in drawn.items() if len(prints) > 1)
    if differing:
        reasons.append(f"matrices or demands of the same instance: {', '.join(differing[:3])}")
    if reasons:
        raise InputError(
            f"the results differ in {'; '.join(reasons)}. Join those that were measured alike, "
            "or say --mixed to compare them all the same"
        )


def missing(results: Sequence[Result]) -> list[str]:
    """What is not there, as sentences: means over different instances are not comparable."""
    found = []
    for suite in sorted({result.suite for result in results}):
        mine = [result for result in results if result.suite == suite]
        instances = {result.fingerprint for result in mine}
        methods = {result.method for result in mine}
        budgets = {result.budget_s for result in mine}
        wanted = mine[0].suite_instances * len(methods) * len(budgets)
        if len(mine) < wanted:
            found.append(
                f"incomplete: {len(mine)} of {wanted} runs are there, on {len(instances)} of "
                f"{mine[0].suite_instances} instances; run the missing shards, then merge again"
            )
    return found
