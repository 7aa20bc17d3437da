"""How states of bus lines become the scenes and choices that networks see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from nco.transit.policy.graph import Choices, Scenes

if TYPE_CHECKING:
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.policy.environment import TransitEnv, TransitState

PARTNERS = 3
"""Nodes with which a node has most demand, and edges besides its links."""


class Observer:
    """What is known of an instance before the first line.

    Args:
        env: whose states are shown.
    """

    def __init__(self, env: TransitEnv) -> None:
        self.env = env
        instance, device = env.instance, env.device
        both = instance.demand + instance.demand.T
        # An instance without demand shows zeros.
        unit = both.sum() / instance.size or 1.0
        self.both = _tensor(both / unit, device)
        self.total = self.both.sum().clamp(min=1e-9)
        self.linked = torch.as_tensor(
            np.isfinite(instance.link_s) & ~np.eye(instance.size, dtype=bool), device=device
        )
        link_s = np.where(self.linked.cpu().numpy(), instance.link_s, 0.0)
        unit_s = link_s.sum() / max(1, np.count_nonzero(link_s))
        self.link = _tensor(link_s / unit_s, device)
        self.drive = _tensor(instance.drive_s / unit_s, device)
        self.far = self.drive.mean()
        self.pairs, self._ways = _ways(instance, device)
        self.index, self.is_link = self._edges()
        self.all_flow = self._summed(self.both[tuple(self.pairs)][None])[0]
        self._busiest = self.all_flow.max().clamp(min=1e-9)
        self.all_flow = self.all_flow / self._busiest
        self.node = self._nodes(_tensor(instance.demand / unit, device))
        self.load = instance.trips * env.demand_share / instance.capacity
        sizes = np.log(instance.size) / 5, instance.max_stops / 15, env.demand_share
        self.context = _tensor(np.array(sizes), device)

    def flows(self, rest: Tensor) -> Tensor:
        """`[Q, N, N]` demand `[Q, N, N]` by the links on its fastest ways.

        As a share of what all demand makes of the busiest link.
        """
        a, b = self.pairs
        return self._summed(rest[:, a, b]) / self._busiest

    def _summed(self, weight: Tensor) -> Tensor:
        size = self.env.instance.size
        flow: Tensor = torch.sparse.mm(self._ways, weight.T).T
        return flow.reshape(-1, size, size)

    def _edges(self) -> tuple[Tensor, Tensor]:
        """`[2, E]` links, then demand both ways to partners of nodes; and which are links."""
        size = self.env.instance.size
        links = self.linked.nonzero().T
        # Counts are often equal; of equals the nearest, so that numbers of nodes do not matter.
        near = 1e-3 * (1 - self.drive / self.drive.max()) * self.both.max()
        partner = (self.both + near).fill_diagonal_(-1.0).topk(min(PARTNERS, size - 1), 1).indices
        start = torch.arange(size, device=links.device)[:, None].expand_as(partner)
        real = self.both[start, partner] > 0
        pairs = torch.stack([start[real], partner[real]])
        kind = torch.zeros(links.shape[1] + 2 * pairs.shape[1], device=links.device)
        kind[: links.shape[1]] = 1.0
        return torch.cat([links, pairs, pairs.flip(0)], 1), kind

    def _nodes(self, demand: Tensor) -> Tensor:
        """`[N, 7]` features of nodes that lines do not change."""
        hub = self.env.instance.hub
        own = torch.zeros(len(demand), device=demand.device)
        if hub is not None:
            own[hub] = 1.0
        centre = int(self.drive.sum(1).argmin()) if hub is None else int(hub)
        columns = (
            squashed(demand.sum(1)),
            squashed(demand.sum(0)),
            self.drive[centre] / self.far,
            self.drive.mean(1) / self.far,
            self.linked.sum(1) / 4.0,
            own,
            self.env.terminal.float(),
        )
        return torch.stack(columns, 1)

    def see(self, state: TransitState) -> Seen:
        """What the closed lines of `Q` rollouts make of the instance."""
        rollouts, lines, _ = state.lines.shape
        size, device = self.env.instance.size, state.lines.device
        closed = torch.arange(lines, device=device) < state.line[:, None]
        on = torch.zeros(rollouts, lines, size + 1, device=device)
        on.scatter_(2, torch.where(state.lines < 0, size, state.lines), 1.0)
        on = on[:, :, :size] * closed[..., None]
        direct = torch.bmm(on.transpose(1, 2), on).clamp(max=1.0)
        rest = self.both * (1 - direct)
        a, b = state.lines[:, :, :-1], state.lines[:, :, 1:]
        row, number, place = ((b >= 0) & closed[..., None]).nonzero().unbind(1)
        a, b = a[row, number, place], b[row, number, place]
        used = torch.zeros_like(rest)
        one = torch.ones(len(row), device=device)
        used.index_put_((row, a, b), one, accumulate=True)
        used.index_put_((row, b, a), one, accumulate=True)
        count = on.sum(1)
        covered = count.clamp(max=1.0)
        after = state.line + 1.0
        return Seen(
            self, rest, rest.sum(2), self.flows(rest), count / after[:, None], covered,
            covered @ self.both, used / after[:, None, None], after,
        )  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """The closed lines of `Q` rollouts, from which scenes and choices are made.

    Attributes:
        of: the instance.
        rest: `[Q, N, N]` demand both ways that no line serves directly.
        open: `[Q, N]` the same by nodes.
        flow: `[Q, N, N]` the same by links.
        count: `[Q, N]` lines at a node, as a share of `after`.
        covered: `[Q, N]` 1 where there are lines.
        to_covered: `[Q, N]` demand of a node with covered ones.
        used: `[Q, N, N]` lines on a link, as a share of `after`.
        after: `[Q]` how many lines there are with the one under way.
    """

    of: Observer
    rest: Tensor
    open: Tensor
    flow: Tensor
    count: Tensor
    covered: Tensor
    to_covered: Tensor
    used: Tensor
    after: Tensor

    def scenes(self) -> Scenes:
        """One scene for each rollout."""
        of, rollouts = self.of, len(self.after)
        size, device = self.rest.shape[1], self.rest.device
        a, b = of.index
        reached = (self.to_covered * self.covered).sum(1) / of.total
        numbers = (
            reached,
            self.open.sum(1) / of.total,
            self.after / 16,
            1 / self.after,
            torch.log1p(of.load / self.after) / 3,
        )
        context = torch.cat([torch.stack(numbers, 1), of.context.expand(rollouts, -1)], 1)
        changing = (
            self.covered,
            self.count,
            squashed(self.open),
            self.open / of.both.sum(1).clamp(min=1e-9),
            squashed(self.to_covered),
            squashed(self.to_covered * (1 - self.covered)),
        )
        node = torch.cat([of.node.expand(rollouts, -1, -1), torch.stack(changing, -1)], -1)
        fixed = (of.is_link, 1 - of.is_link, of.drive[a, b] / of.far, of.all_flow[a, b])
        own = (self.flow[:, a, b], self.used[:, a, b], squashed(self.rest[:, a, b]))
        first = torch.stack(fixed, -1).expand(rollouts, -1, -1)
        edge = torch.cat([first, torch.stack(own, -1)], -1)
        shift = size * torch.arange(rollouts, device=device)
        return Scenes(
            node.flatten(0, 1),
            edge.flatten(0, 1),
            (of.index[:, None] + shift[:, None]).flatten(1),
            torch.arange(rollouts, device=device).repeat_interleave(size),
            context,
        )

    def choices(self, state: TransitState, moves: Tensor, scene: Tensor) -> Choices:
        """What the next moves depend on.

        Args:
            state: `B` rollouts.
            moves: `[B, K]` of the environment, closing last.
            scene: `[B]` number of the rollout here that has the closed lines of each.
        """
        of, size = self.of, self.rest.shape[1]
        line, stops = state.current, state.stops
        # Nothing is on a line that has no stop yet; what is under way has its stops only.
        on = (line >= 0) & (stops > 0)[:, None]
        line = torch.where(on, line, -1)
        allowed = moves >= 0
        leads = allowed & (moves < 2 * size)
        node = torch.where(leads, moves % size, -1)
        j, front = node.clamp(min=0), leads & (moves >= size)
        stop, q = line.clamp(min=0), scene[:, None]
        row = torch.arange(len(line), device=line.device)
        last = stop[row, (stops - 1).clamp(min=0)][:, None]
        end = torch.where(front, stop[:, :1], last)
        begin = torch.where(front, last, stop[:, :1])
        spread = q[..., None], stop[:, :, None], j[:, None]
        left = (self.rest[spread] * on[..., None]).sum(1)
        bare = on & (self.covered[q, stop] == 0)
        fresh = (of.both[spread[1:]] * bare[..., None]).sum(1) + self.to_covered[q, j]
        driven = (of.link[stop[:, :-1], stop[:, 1:]] * on[:, 1:]).sum(1, keepdim=True)
        link = of.link[end, j]
        covered, whole = self.covered[q, j], driven + link
        some = (stops > 0)[:, None]
        columns = (
            torch.ones_like(link),
            front.float(),
            link * some,
            squashed(left),
            squashed(self.open[q, j]),
            squashed(fresh * (1 - covered)),
            covered,
            self.count[q, j],
            of.all_flow[end, j] * some,
            self.flow[q, end, j] * some,
            self.flow[q, j, end] * some,
            self.used[q, end, j] * some,
            of.drive[begin, j] / whole.clamp(min=1e-6) * some,
            whole / of.far * some,
        )
        move = torch.stack(columns, -1) * leads[..., None]
        closes = (allowed & ~leads).float()[..., None]
        context = torch.stack(
            [
                stops / line.shape[1],
                (stops >= of.env.rules.fewest).float(),
                driven[:, 0] / of.far,
                (of.both[stop[:, :, None], stop[:, None]] * on[:, :, None] * on[:, None]).sum(
                    (1, 2)
                )
                / 2,
            ],
            1,
        )
        shift = size * q
        line, node = (torch.where(x < 0, x, x + shift) for x in (line, node))
        return Choices(scene, line, node, torch.cat([move, closes], -1), allowed, context)


def squashed(x: Tensor) -> Tensor:
    """Numbers of 0 or more, of any order, in one of about one."""
    return torch.log1p(x)


def _tensor(values: object, device: torch.device) -> Tensor:
    return torch.as_tensor(np.asarray(values, np.float32), device=device)


def _ways(instance: TransitInstance, device: torch.device) -> tuple[Tensor, Tensor]:
    """Fastest ways of all pairs with demand, either way taken to be the other way round.

    Returns:
        `[2, P]` pairs, and a sparse `[N N, P]` of the links that each of them takes.
    """
    size = instance.size
    link_s = np.where(np.isfinite(instance.link_s), instance.link_s, 0.0)
    before = dijkstra(link_s, return_predecessors=True)[1]
    a, b = np.nonzero(instance.demand + instance.demand.T)
    links, pairs = [], []
    at, pair = b.copy(), np.arange(len(b))
    while len(pair):
        previous = before[a[pair], at]
        links.append(previous * size + at)
        pairs.append(pair)
        going = previous != a[pair]
        at, pair = previous[going], pair[going]
    where = np.stack([np.concatenate(x) if x else np.zeros(0, int) for x in (links, pairs)])
    ways = torch.sparse_coo_tensor(
        torch.as_tensor(where), torch.ones(where.shape[1]), (size * size, len(a)),
        check_invariants=False,
    ).coalesce()  # fmt: skip
    return torch.as_tensor(np.stack([a, b]), device=device), ways.to(device)
