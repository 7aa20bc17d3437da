"""Ties of stops in OR-Tools' terms; a stop that is left out has vehicle -1."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from nco.problem.objective import Feature

if TYPE_CHECKING:
    from nco.baselines.ortools_model import Model


def add_ties(model: Model) -> None:
    """Stops for one vehicle, for different ones, in a given order, or directly in a row."""
    known = set(model.stops)
    for tie in model.problem.ties:
        served = [j for j in tie.stops if j in known]
        if tie.feature is Feature.SEQUENCES:
            _in_a_row(model, [model.index(j) for j in served], whole=len(served) == len(tie.stops))
            continue
        indices = [model.index(j) for j in served]
        if tie.feature is Feature.DIFFERENT_VEHICLES:
            for a, b in combinations(indices, 2):
                v, w = (model.routing.VehicleVar(x) for x in (a, b))
                _add_any(model, v != w, v == -1)
            continue
        for a, b in combinations(indices, 2):
            v, w = (model.routing.VehicleVar(x) for x in (a, b))
            _add_any(model, v == w, v == -1, w == -1)
            if tie.feature is Feature.PRECEDENCE:
                order = model.turns
                earlier = order.CumulVar(a) <= order.CumulVar(b)
                _add_any(model, earlier, v == -1, w == -1)


def _in_a_row(model: Model, indices: list[int], *, whole: bool) -> None:
    """Each is followed by the next; without one of them all are left out."""
    routing = model.routing
    if not whole:
        for index in indices:
            routing.VehicleVar(index).SetValues([-1])
        return
    for a, b in pairwise(indices):
        v, w = routing.VehicleVar(a), routing.VehicleVar(b)
        routing.solver().Add(v == w)
        _add_any(model, routing.NextVar(a) == b, v == -1)


def _add_any(model: Model, *ways: Any) -> None:
    """One of some conditions holds."""
    solver = model.routing.solver()
    solver.Add(solver.Sum([way.Var() for way in ways]) >= 1)
