"""The decision processes: batched torch state in, batched torch state out.

A new problem is a new module and one line in `ENVIRONMENTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.envs.atsp import ATSP
from nco.envs.pvrp import PVRP
from nco.envs.rcvrp import RCVRP
from nco.envs.rcvrptw import RCVRPTW
from nco.errors import PolicyError, quoted

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment

ENVIRONMENTS: dict[str, AnyEnvironment] = {
    env.name: env for env in (ATSP(), RCVRP(), RCVRPTW(), PVRP())
}


def environment(name: str) -> AnyEnvironment:
    """The environment called `name`.

    Raises:
        PolicyError: there is none of that name.
    """
    if name not in ENVIRONMENTS:
        known = ", ".join(sorted(ENVIRONMENTS))
        raise PolicyError(f"no environment is called {quoted(name)}; use one of {known}")
    return ENVIRONMENTS[name]
