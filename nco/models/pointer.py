"""The pointer that all networks share: a glimpse at the allowed nodes, then a score of each.

After Kool et al. 2019. That the query stays beside its glimpse follows Huang et al. 2025 (ReLD);
that the score of a node depends on the arc that leads there, through a small network on pair
features, generalises the distance bias of Son et al. 2025 (RRNCO).

A decision is `logit[n] = clip tanh(g . target[n] + pair[current, n])` where `g = q + glimpse(q)`,
`q = bias + context weight + sum of the rows of query at the roles`, and the glimpse is attention
over the allowed nodes. On CPUs it runs in compiled loops (`nco.models.pointer_kernels`), elsewhere
and where gradients of single logits are wanted in torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.models import threads
from nco.models.layers import NamedLinear, PairBias, sharpness
from nco.observation import gather_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nco.observation import Features, Observation

# Entries of masks below which a step of decisions is not worth the second that it takes to load
# the compiled loops. It must not matter whether they are loaded: the same seed, the same answer.
LIGHT = 20_000


@dataclass(frozen=True)
class Encoded:
    """What decisions need of `V` encoded instances: `B` instances in `V / B` views each.

    Attributes:
        query: `[V, R, N, E]` share of each role's node in a query.
        key: `[V, H, N, W]` keys of the glimpse, scaled; `E = H W`.
        value: `[V, H, N, W]` values of the glimpse.
        target: `[V, N, E]` what the final query is compared with, scaled.
        pair: `[B, N, N]` score of going from row to column, whatever else.
        weight: `[C, E]` of the context in a query.
        bias: `[E]` of a query.
        clip: logits lie within plus and minus this.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    target: Tensor
    pair: Tensor
    weight: Tensor
    bias: Tensor
    clip: float

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, in the order of the fields."""
        return (
            self.query, self.key, self.value, self.target, self.pair, self.weight, self.bias
        )  # fmt: skip

    @classmethod
    def of(cls, tensors: Sequence[Tensor], clip: float) -> Encoded:
        """The inverse of `tensors`."""
        query, key, value, target, pair, weight, bias = tensors
        return cls(query, key, value, target, pair, weight, bias, clip)

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor changed."""
        names = [f.name for f in fields(Encoded) if f.name != "clip"]
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in names}
        return replace(self, **changed)

    @property
    def count(self) -> int:
        """How many views of instances there are."""
        return len(self.query)

    @property
    def compiles(self) -> bool:
        """Whether the compiled loops are for these tensors."""
        return self.query.device.type == "cpu" and self.query.dtype == torch.float32

    def part(self, instances: Tensor | slice) -> Encoded:
        """Some of the instances, where there is one view of each."""
        names = ("query", "key", "value", "target", "pair")
        return replace(self, **{name: getattr(self, name)[instances] for name in names})

    def logits(self, decisions: Decisions) -> Tensor:
        """See the function `logits`."""
        return self.scores(decisions).masked_fill(~decisions.allowed, -torch.inf)

    def scores(self, decisions: Decisions) -> Tensor:
        """`[V, D, N]` logits of all nodes, after a glimpse at those that are allowed."""
        query = decisions.context @ self.weight + self.bias
        for r in range(decisions.roles.shape[-1]):
            query = query + gather_rows(self.query[:, r], decisions.roles[..., r])
        query = self.told(query)
        closed = torch.zeros(decisions.allowed.shape, dtype=query.dtype, device=query.device)
        closed = closed.masked_fill(~decisions.allowed, -torch.inf)
        count = self.key.shape[1]
        heads = query.view(*query.shape[:2], count, -1).transpose(1, 2)
        glimpse = F.scaled_dot_product_attention(
            heads, self.key, self.value, closed[:, None], scale=1.0
        )
        query = query + glimpse.transpose(1, 2).flatten(2)
        score = torch.bmm(query, self.target.transpose(1, 2))
        score = score + gather_rows(self.pairs(), decisions.roles[..., 0])
        return self.clip * torch.tanh(score)

    def each(self, decisions: Decisions) -> Tensor:
        """`[V, D, 1, N]` scores of the only vehicle, also of where it may not go."""
        return self.scores(decisions)[:, :, None]

    def told(self, query: Tensor) -> Tensor:
        """Queries `[V, D, E]` before they look at nodes."""
        return query

    def pairs(self) -> Tensor:
        """`[V, N, N]` the scores of going from row to column."""
        views = len(self.query) // len(self.pair)
        return self.pair.repeat_interleave(views, 0) if views > 1 else self.pair


@dataclass(frozen=True)
class Decisions:
    """Decisions to take: `D` of each encoded instance.

    They may be rollouts at one step, or all steps of all rollouts at once.

    Attributes:
        roles: `[V, D, R]` node of each role, the current one first.
        context: `[V, D, C]` numbers of the state.
        allowed: `[V, D, N]` nodes that may be taken; at least one.
    """

    roles: Tensor
    context: Tensor
    allowed: Tensor


class Pointer(nn.Module):
    """Prepares decisions: tables of queries, keys, values and targets from node embeddings.

    Args:
        features: of all environments that are decided for.
        width: of embeddings, `E`.
        heads: of the glimpse.
        pair_width: hidden width of the network on pair features.
        clip: logits lie within plus and minus this.
    """

    def __init__(
        self, features: Features, width: int, heads: int, pair_width: int, clip: float
    ) -> None:
        super().__init__()
        self.roles, self.heads, self.width, self.clip = features.roles, heads, width, clip
        self.role = nn.Linear(width, len(features.roles) * width, bias=False)
        self.context = NamedLinear(features.context, width)
        self.memory = nn.Linear(width, 3 * width, bias=False)
        self.score = PairBias(features.pair, pair_width, 1)

    def forward(self, rows: Tensor, columns: Tensor, observation: Observation) -> Encoded:
        """Prepares decisions.

        Args:
            rows: `[V, N, E]` embeddings of nodes as places to leave.
            columns: `[V, N, E]` embeddings of nodes as places to go to.
            observation: of the instances.
        """
        shown = observation.features
        index = [self.roles.index(name) for name in shown.roles]
        weight = self.role.weight.view(len(self.roles), self.width, self.width)[index]
        query = F.linear(rows, weight.flatten(0, 1))
        key, value, target = self.memory(columns).chunk(3, -1)
        sharp = sharpness(observation)
        if sharp.ndim:
            sharp = sharp.repeat_interleave(len(rows) // len(sharp))[:, None, None]
        context, bias = self.context.of(shown.context)
        shape = (len(rows), -1, self.heads, self.width // self.heads)
        key = (key * (sharp / math.sqrt(shape[-1]))).view(shape)
        return Encoded(
            query=query.view(*rows.shape[:2], len(index), -1).transpose(1, 2).contiguous(),
            key=key.transpose(1, 2).contiguous(),
            value=value.reshape(shape).transpose(1, 2).contiguous(),
            target=target.contiguous() / math.sqrt(self.width),
            pair=self.score(observation.pair, shown.pair)[:, 0].contiguous(),
            weight=context.T.contiguous(),
            bias=bias,
            clip=self.clip,
        )


def logits(encoded: Encoded, decisions: Decisions) -> Tensor:
    """`[V, D, N]` unnormalised log-probabilities, minus infinity where a node is not allowed."""
    return encoded.logits(decisions)


def decide(
    encoded: Encoded,
    decisions: Decisions,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Takes decisions, without gradients.

    Args:
        encoded: the instances.
        decisions: what to decide.
        temperature: 0 takes the best action; above 0 samples with logits divided by it.
        generator: of samples, on the device of the instances.

    Returns:
        `[V, D]` nodes.
    """
    draw = torch.zeros(())
    shape = decisions.allowed.shape[:2]
    if temperature:
        draw = torch.rand(shape, generator=generator, device=decisions.allowed.device)
    if not encoded.compiles or decisions.allowed.numel() < LIGHT:
        score = logits(encoded, decisions)
        return sampled(score, temperature, draw) if temperature else score.argmax(-1)
    return _decided(encoded, decisions, temperature, draw)


def _decided(encoded: Encoded, decisions: Decisions, temperature: float, draw: Tensor) -> Tensor:
    """Actions `[V, D]` by the compiled loops."""
    from nco.models import pointer_kernels as kernels

    shape = decisions.allowed.shape[:2]
    action = torch.zeros(shape, dtype=torch.int64)
    drawn = draw.expand(shape).contiguous().numpy()
    given = (*_arrays(encoded, decisions), np.float32(temperature), drawn)
    piece = threads.piece(*shape)
    threads.share_out(
        lambda taken: kernels.decide(*given, piece, taken, action.numpy()),
        shape[0] * -(-shape[1] // piece),
    )
    return action


def sampled(score: Tensor, temperature: float, draw: Tensor) -> Tensor:
    """Actions `[V, D]` from logits `[V, D, N]` and uniform numbers from 0 to 1."""
    cumulative = torch.softmax(score / temperature, -1).cumsum(-1)
    # Rounding must not lead past the last node, nor to one of no probability.
    threshold = (1.0 - draw)[..., None] * cumulative[..., -1:]
    return (cumulative < threshold).sum(-1)


def log_likelihood(encoded: Encoded, decisions: Decisions, action: Tensor) -> Tensor:
    """`[V, D]` log-likelihoods of actions, without gradients on CPUs; see `weighed` for these."""
    if not encoded.compiles:
        return _log_likelihood(encoded, decisions, action)
    return weighed(encoded, decisions, action, torch.zeros(action.shape))[1]


def weighed(
    encoded: Encoded, decisions: Decisions, action: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor]:
    """The sum of log-likelihoods times `gain`, as a loss or gain to differentiate.

    Args:
        encoded: the instances, with the graph of the network that encoded them.
        decisions: what was decided.
        action: `[V, D]` what was taken.
        gain: `[V, D]` weight of each decision, a constant.

    Returns:
        The weighted sum, and the log-likelihoods `[V, D]` without gradients.
    """
    if encoded.compiles:
        total, likelihood = _Weighed.apply(decisions, action, gain, encoded.clip, *encoded.tensors)
        return total, likelihood
    likelihood = _log_likelihood(encoded, decisions, action)
    return (likelihood * gain).sum(), likelihood.detach()


def _log_likelihood(encoded: Encoded, decisions: Decisions, action: Tensor) -> Tensor:
    score = logits(encoded, decisions)
    taken = score.gather(2, action[..., None]).squeeze(-1)
    return taken - score.logsumexp(-1)


class _Weighed(torch.autograd.Function):
    """Gradients come from the pass that computes the likelihoods; nothing else is kept for them."""

    @staticmethod
    def forward(
        ctx: Any, decisions: Decisions, action: Tensor, gain: Tensor, clip: float, *tensors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The weighted sum and the likelihoods; see `weighed`."""
        from nco.models import pointer_kernels as kernels

        encoded = Encoded.of(tensors, clip)
        count, nodes = len(encoded.query), encoded.query.shape[2]
        likelihood = torch.zeros(action.shape)
        grads = [
            torch.zeros_like(encoded.query, memory_format=torch.contiguous_format),
            *(torch.empty_like(x, memory_format=torch.contiguous_format) for x in tensors[1:4]),
            torch.zeros(count, nodes, nodes),
            torch.zeros(count, *encoded.weight.shape),
            torch.zeros(count, *encoded.bias.shape),
        ]
        given = (
            *_arrays(encoded, decisions),
            action.contiguous().numpy(),
            gain.float().contiguous().numpy(),
        )
        threads.share_out(
            lambda taken: kernels.weigh(
                *given, taken, likelihood.numpy(), *(grad.numpy() for grad in grads)
            ),
            count,
        )
        pair, weight, bias = grads[4:]
        grads[4] = pair.view(*encoded.pair.shape[:1], -1, nodes, nodes).sum(1)
        grads[5:] = weight.sum(0), bias.sum(0)
        ctx.save_for_backward(*grads)
        ctx.mark_non_differentiable(likelihood)
        return (likelihood * gain).sum(), likelihood

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """The stored gradients times that of the sum."""
        return (None, None, None, None, *(outer[0] * grad for grad in ctx.saved_tensors))


@cache
def prepare() -> None:
    """Loads the compiled loops; otherwise the first decisions that are worth it do."""
    # Loops are loaded, or compiled, for types of arguments: these take the smallest decision.
    shapes = (1, 1, 2, 1), (1, 1, 2, 1), (1, 1, 2, 1), (1, 2, 1), (1, 2, 2), (1, 1), (1,)
    encoded = Encoded.of([torch.zeros(shape) for shape in shapes], 1.0)
    one = torch.zeros(1, 1, 1)
    decisions = Decisions(one.long(), one, torch.ones(1, 1, 2, dtype=torch.bool))
    action = _decided(encoded, decisions, 0.0, torch.zeros(()))
    weighed(encoded, decisions, action, one[0])


def instance_arrays(encoded: Encoded) -> tuple[Any, ...]:
    """What all compiled loops read first."""
    instances = [x.detach().contiguous().numpy() for x in encoded.tensors]
    return (*instances, np.float32(encoded.clip))


def _arrays(encoded: Encoded, decisions: Decisions) -> tuple[Any, ...]:
    """What both kernels read first."""
    return (
        *instance_arrays(encoded),
        decisions.roles.contiguous().numpy(),
        decisions.context.float().contiguous().numpy(),
        decisions.allowed.contiguous().numpy(),
    )
