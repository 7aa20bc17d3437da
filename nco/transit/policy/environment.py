"""Bus lines built stop by stop: batched torch state in, batched torch state out.

Lines are built one after another. A line begins at the hub, or, without one, at a stop of choice (a
terminal if only terminals may be ends). It grows at its end, or at both ends if so wanted, along
links to stops that it does not have yet, until it is closed; a line of the most stops is closed by
itself. Only moves are offered after which the line can still become legal
(`nco.transit.policy.lookahead`), so every rollout ends in lines that break no rule; whether they
join all nodes is for the objective to say.

Shapes: `B` rollouts, all of one instance, of `R` lines of up to `L` stops, on `N` nodes. Actions
are numbers: `j` makes node `j` the next stop (or the first), `N + j` puts it in front, and `2 N`
closes the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.errors import ProblemError
from nco.transit.policy.lookahead import STEPS, check_moves, rules_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance


@dataclass(frozen=True)
class TransitState:
    """Lines under way.

    Attributes:
        lines: `[B, R, L]` nodes, -1 where there is none yet.
        line: `[B]` number of the line under way; `R` when all are closed.
        stops: `[B]` how many it has.
        used: `[B, N]` which nodes it has.
    """

    lines: Tensor
    line: Tensor
    stops: Tensor
    used: Tensor

    def __len__(self) -> int:
        return len(self.line)

    @property
    def done(self) -> Tensor:
        """`[B]` whether all lines are closed."""
        return self.line == self.lines.shape[1]

    @property
    def current(self) -> Tensor:
        """`[B, L]` the line under way, -1 behind its end; the last one when all are closed."""
        number = self.line.clamp(max=self.lines.shape[1] - 1)
        return self.lines[torch.arange(len(self), device=number.device), number]

    def rows(self, chosen: Tensor) -> TransitState:
        """Some of the rollouts, in the order of `chosen`."""
        return TransitState(*(tensor[chosen] for tensor in vars(self).values()))

    def padded(self) -> NDArray[np.int16]:
        """`[B, R, L]` as objectives take lines."""
        return np.ascontiguousarray(self.lines.cpu().numpy(), np.int16)


class TransitEnv:
    """The decision process of one instance.

    Args:
        instance: what lines are for.
        both_ends: whether lines grow at both ends; those that begin at a hub never do.
        closing: whether lines may be closed before they have the most stops. Without it a line
            ends where it cannot grow.
        demand_share: share of the demand that the objective lets travel; shown to networks.
        device: of all tensors.

    Raises:
        ProblemError: no line was found that meets the bounds.
    """

    def __init__(
        self,
        instance: TransitInstance,
        *,
        both_ends: bool = False,
        closing: bool = True,
        demand_share: float = 1.0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.instance, self.closing = instance, closing
        self.demand_share = demand_share
        self.device = torch.device(device)
        self.rules = rules_of(instance, both_ends)
        self.near = torch.as_tensor(self.rules.near, device=device)
        self.terminal = torch.as_tensor(self.rules.terminal, device=device)
        self._starts = self._first_stops()
        if not len(self._starts):
            raise ProblemError(
                f"no line of {instance.min_stops} to {instance.max_stops} stops was found in "
                f"{STEPS} steps of search; widen the bounds or allow more terminals"
            )

    @property
    def close(self) -> int:
        """The action that closes a line; where all are closed, it does nothing."""
        return 2 * self.instance.size

    def _first_stops(self) -> Tensor:
        """Nodes that a line can begin at; with a hub, the hub if it can."""
        hub, size = self.instance.hub, self.instance.size
        move = np.arange(size)[None] if hub is None else np.array([[hub]])
        zero = np.zeros(1, np.int64)
        check_moves(self.rules, move, np.zeros((1, size), bool), zero, zero, zero, STEPS)
        return torch.as_tensor(move[move >= 0], device=self.device)

    def reset(self, rollouts: int) -> TransitState:
        """`B` rollouts before their first action."""
        shape = (rollouts, int(self.instance.lines), int(self.instance.max_stops))
        return self.begun(torch.full(shape, -1, device=self.device))

    def begun(self, closed: Tensor) -> TransitState:
        """Rollouts whose next line is to be built.

        Args:
            closed: `[B, R, L]` closed lines, -1 behind their ends; rows without one come last.
        """
        line = (closed[:, :, 0] >= 0).sum(1)
        used = torch.zeros(len(closed), self.instance.size, dtype=torch.bool, device=self.device)
        return self._begun(closed.long().clone(), line, torch.zeros_like(line), used)

    def reopened(self, lines: Tensor, number: Tensor) -> TransitState:
        """Rollouts in which all lines but one are closed, in their order; that one comes last.

        Args:
            lines: `[B, R, L]` of complete designs.
            number: `[B]` of the line that is to be built anew.
        """
        count, rows, _ = lines.shape
        kept = torch.arange(rows - 1, device=lines.device).expand(count, -1)
        kept = kept + (kept >= number[:, None])
        closed = torch.full_like(lines, -1)
        closed[:, :-1] = lines[torch.arange(count, device=lines.device)[:, None], kept]
        return self.begun(closed)

    def _begun(self, lines: Tensor, line: Tensor, stops: Tensor, used: Tensor) -> TransitState:
        """Puts the hub on lines that have no stop yet; writes into what is given."""
        hub = self.instance.hub
        if hub is not None:
            fresh = ((stops == 0) & (line < lines.shape[1])).nonzero()[:, 0]
            lines[fresh, line[fresh], 0] = hub
            stops[fresh] = 1
            used[fresh, hub] = True
        return TransitState(lines, line, stops, used)

    def step(self, state: TransitState, action: Tensor) -> TransitState:
        """The state after an action `[B]`; the only transition function there is.

        Where all lines are closed, nothing changes.
        """
        size, most = self.instance.size, state.lines.shape[2]
        row = torch.arange(len(state), device=action.device)
        going, closing = ~state.done, action == self.close
        number = state.line.clamp(max=state.lines.shape[1] - 1)
        front = going & (action >= size) & ~closing
        grows = going & ~closing
        lines, stops, used = state.lines.clone(), state.stops + grows, state.used.clone()
        if front.any():
            # Open lines have room: full ones were closed.
            lines[row[front], number[front]] = lines[row[front], number[front]].roll(1, 1)
        place = torch.where(front, 0, state.stops)
        node = action % size
        at = row[grows], number[grows], place[grows]
        lines[at] = node[grows]
        used[row[grows], node[grows]] = True
        closed = (going & closing) | (grows & (stops == most))
        used &= ~closed[:, None]
        return self._begun(lines, state.line + closed, stops.masked_fill(closed, 0), used)

    def moves(self, state: TransitState) -> Tensor:
        """`[B, K]` allowed actions, each once, -1 where there are fewer; one is always there.

        `K` is the same for all states that have a stop: neighbours, twice if lines grow at both
        ends, and closing, which comes last.
        """
        rollouts, size = len(state), self.instance.size
        current = state.current
        row = torch.arange(rollouts, device=self.device)
        last = current[row, (state.stops - 1).clamp(min=0)].clamp(min=0)
        first = current[:, 0].clamp(min=0)
        ends = [last, first] if self.rules.both else [last]
        nodes = torch.cat([self.near[end] for end in ends], 1)
        free = (nodes >= 0) & ~state.used.gather(1, nodes.clamp(min=0))
        front = torch.arange(nodes.shape[1], device=self.device) >= self.near.shape[1]
        move = torch.where(free, nodes + size * front, -1)
        empty = (state.stops == 0) & ~state.done
        if empty.any():
            wide = max(move.shape[1], len(self._starts))
            move = torch.nn.functional.pad(move, (0, wide - move.shape[1]), value=-1)
            move[empty] = -1
            move[empty, : len(self._starts)] = self._starts
        move = move.masked_fill(state.done[:, None], -1)
        self._look_ahead(state, move, first, last)
        ripe = (state.stops >= max(2, self.rules.fewest)) & self.terminal[last]
        ripe &= torch.ones_like(ripe) if self.rules.hub else self.terminal[first]
        if not self.closing:
            ripe &= (move < 0).all(1)
        close = torch.where(ripe | state.done, self.close, -1)
        return torch.cat([move, close[:, None]], 1)

    def _look_ahead(self, state: TransitState, move: Tensor, first: Tensor, last: Tensor) -> None:
        """Takes out moves that lead to lines which cannot become legal."""
        rules = self.rules
        # Without terminals every line that is long enough is legal; first stops were checked.
        asked = (state.stops > 0) & ~state.done
        if bool(rules.terminal.all()):
            asked &= state.stops + 1 < rules.fewest
        chosen = asked.nonzero()[:, 0]
        if not len(chosen):
            return
        part = move[chosen].cpu().numpy()
        given = (state.used[chosen], first[chosen], last[chosen], state.stops[chosen])
        check_moves(rules, part, *(x.cpu().numpy() for x in given), STEPS)
        move[chosen] = torch.as_tensor(part, device=self.device)

    def mask(self, state: TransitState) -> Tensor:
        """`[B, 2 N + 1]` which actions are allowed."""
        move = self.moves(state)
        mask = torch.zeros(len(state), self.close + 2, dtype=torch.bool, device=self.device)
        return mask.scatter(1, torch.where(move < 0, self.close + 1, move), True)[:, :-1]

    def lines(self, state: TransitState) -> list[Lines]:
        """The lines of each rollout, those without a stop left out."""
        return [
            tuple(tuple(line[line >= 0].tolist()) for line in table if line[0] >= 0)
            for table in state.padded()
        ]
