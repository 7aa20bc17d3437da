"""Attention whose scores have a learned bias on every pair of nodes.

Formula: `softmax(scale q k^T + bias) v`. On CPUs it runs in compiled loops
(`nco.models.attention_kernels`), elsewhere and in half precision in torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812

from nco.models import threads

if TYPE_CHECKING:
    from torch import Tensor

# Scores below which attention is not worth the second that it takes to load the compiled loops.
LIGHT = 200_000

# Nodes up to which the scores of a head fit into the cache. Beyond, attention without a bias is for
# torch, which never has them all.
FEW_NODES = 200


class Shared:
    """The biases of all layers in one tensor, and room for their gradient.

    Attributes:
        whole: `[B, L H, N, N]`, without its graph.
        gradient: of the same shape, as far as layers have filled it; None before.
    """

    def __init__(self, whole: Tensor) -> None:
        self.whole = whole.detach().contiguous()
        self.gradient: Tensor | None = None

    def room(self) -> Tensor:
        """Where the gradient goes."""
        if self.gradient is None:
            self.gradient = torch.empty_like(self.whole)
        return self.gradient


@dataclass(frozen=True)
class Bias:
    """What a layer adds to its scores.

    Attributes:
        tensor: `[B, H, N, N]` of each row for each column, finite, shared by all views.
        layer: number of the layer.
        shared: with the other layers.
    """

    tensor: Tensor
    layer: int
    shared: Shared


def biases(whole: Tensor, layers: int) -> tuple[Bias, ...]:
    """Those of each layer.

    Compiled loops write gradients where they belong, so that nothing as large is copied. That is
    why a layer must attend under its bias once.

    Args:
        whole: `[B, L H, N, N]`, side by side.
        layers: `L`.
    """
    shared = Shared(whole)
    parts: tuple[Tensor, ...] = _Parts.apply(shared, layers, whole)
    return tuple(Bias(part, layer, shared) for layer, part in enumerate(parts))


class _Parts(torch.autograd.Function):
    """The biases of each layer."""

    @staticmethod
    def forward(ctx: Any, shared: Shared, layers: int, whole: Tensor) -> tuple[Tensor, ...]:
        """Views of `[B, L H, N, N]`."""
        ctx.set_materialize_grads(False)
        ctx.shared = shared
        return whole.chunk(layers, 1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor | None) -> tuple[None, None, Tensor]:
        """What layers have written, or else what torch gives for each."""
        gradient, ctx.shared.gradient = ctx.shared.gradient, None
        if gradient is None:
            gradient = torch.cat([part for part in outer if part is not None], 1)
        return None, None, gradient


def attend(projected: Tensor, heads: int, bias: Bias | Tensor | None, scale: Tensor) -> Tensor:
    """Attention among the nodes of each instance.

    Args:
        projected: `[V, N, 3 E]` queries, keys and values side by side.
        heads: `H`, each of width `E / H`.
        bias: of the layer, or what is broadcast to scores `[V, H, N, N]`; None for none.
        scale: of scores, one number or `[V]`.

    Returns:
        `[V, N, E]`.
    """
    count, nodes, _ = projected.shape
    parts = projected.view(count, nodes, 3, heads, -1)
    if bias is None and nodes <= FEW_NODES:
        # To the compiled loops no bias is one of zeros, which all instances share.
        zeros = projected.new_zeros(1, heads, nodes, nodes)
        bias = Bias(zeros, 0, Shared(zeros)) if _compiles(projected, zeros) else None
    if isinstance(bias, Bias) and _compiles(projected, bias.tensor):
        each = scale.expand(count).contiguous()
        out: Tensor = _Attention.apply(bias.shared, bias.layer, parts, bias.tensor, each)
        return out.flatten(2)
    shown = bias.tensor if isinstance(bias, Bias) else bias
    if shown is not None and 1 < len(shown) < count:
        shown = shown.repeat_interleave(count // len(shown), 0)
    q, k, v = parts.permute(2, 0, 3, 1, 4)
    q = q * scale.view(-1, 1, 1, 1)
    return F.scaled_dot_product_attention(q, k, v, shown, scale=1.0).transpose(1, 2).flatten(2)


@cache
def prepare() -> None:
    """Loads the compiled loop; otherwise the first attention that is worth it does."""
    shared = Shared(torch.zeros(1, 1, 2, 2))
    with torch.no_grad():
        _Attention.apply(shared, 0, torch.zeros(1, 2, 3, 1, 1), shared.whole, torch.ones(1))


def _compiles(projected: Tensor, bias: Tensor) -> bool:
    """Whether the compiled loops are for these tensors, and worth it."""
    return (
        projected.device.type == "cpu"
        and projected.dtype == bias.dtype == torch.float32
        and bias.numel() * (len(projected) // len(bias)) >= LIGHT
    )


class _Attention(torch.autograd.Function):
    """The compiled loops with their gradients."""

    @staticmethod
    def forward(
        ctx: Any, shared: Shared, layer: int, projected: Tensor, _part: Tensor, scale: Tensor
    ) -> Tensor:
        """Fills `[V, N, H, W]` from `[V, N, 3, H, W]` and `[V]`.

        The layer's part of the biases is not read here: it leads gradients to `_Parts`.
        """
        from nco.models import attention_kernels as kernels

        projected = projected.contiguous()
        out = torch.empty(*projected.shape[:2], *projected.shape[3:])
        begin, pieces = layer * projected.shape[3], len(shared.whole) * projected.shape[3]
        given = (projected.detach().numpy(), shared.whole.numpy(), begin, scale.numpy())
        threads.share_out(lambda taken: kernels.attend(*given, taken, out.numpy()), pieces)
        ctx.save_for_backward(projected, scale, out)
        ctx.shared, ctx.begin, ctx.pieces = shared, begin, pieces
        return out

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of queries, keys and values; that of biases goes where there is room."""
        from nco.models import attention_kernels as kernels

        projected, scale, out = (x.detach() for x in ctx.saved_tensors)
        to_projected, to_whole = torch.empty_like(projected), ctx.shared.room()
        given = (projected, ctx.shared.whole, ctx.begin, scale, out, outer[0].contiguous())
        arrays = [x if isinstance(x, int) else x.numpy() for x in given]
        threads.share_out(
            lambda taken: kernels.attend_back(
                *arrays, taken, to_projected.numpy(), to_whole.numpy()
            ),
            ctx.pieces,
        )
        return None, None, to_projected, None, None
