"""What surrounds attention in a block: normalised nodes, a feed-forward network, and sums of both.

Torch goes through a node's embedding a dozen times for a norm and its gradient, and keeps what it
finds on the way. On CPUs compiled loops (`nco.models.rms_kernels`) go through it once each way,
gradients of what stands beside the norm included, and masks are applied where gradients are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812

from nco.models import threads

if TYPE_CHECKING:
    from torch import Tensor

# Numbers in embeddings below which a norm is not worth the second that it takes to load the
# compiled loops. Sizes alone decide: the same seed, the same answer.
LIGHT = 200_000


def normalised(node: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes `[..., E]` divided by the root of the mean of their squares, and the nodes.

    What is to be added to a function of normalised nodes must be taken from here: its gradient then
    joins that of the norm in one pass.
    """
    if not _compiles(node):
        return F.rms_norm(node, node.shape[-1:]), node
    direction, beside = _Normalised.apply(node)
    return direction, beside


def feed_forward(
    beside: Tensor, node: Tensor, up: tuple[Tensor, Tensor], down: tuple[Tensor, Tensor]
) -> Tensor:
    """`beside + W2 relu(W1 node + b1) + b2`.

    Args:
        beside: `[..., E]`.
        node: `[..., E]`.
        up: weight `[M, E]` and bias of the first map.
        down: weight `[E, M]` and bias of the second map.
    """
    if not _compiles(node):
        return beside + F.linear(F.relu(F.linear(node, *up)), *down)
    flat = beside.flatten(0, -2), node.flatten(0, -2)
    changed: Tensor = _FeedForward.apply(*flat, *up, *down)
    return changed.view_as(node)


def _compiles(node: Tensor) -> bool:
    """Whether the compiled loops are for these nodes, and worth it."""
    return (
        node.device.type == "cpu"
        and node.dtype == torch.float32
        and node.numel() >= LIGHT
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


class _Normalised(torch.autograd.Function):
    """The compiled loops with their gradients."""

    @staticmethod
    def forward(ctx: Any, node: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised nodes, and the nodes."""
        from nco.models import rms_kernels as kernels

        rows = node.detach().flatten(0, -2).contiguous()
        direction, inverse = torch.empty_like(rows), rows.new_empty(len(rows))
        given = rows.numpy(), torch.finfo(rows.dtype).eps
        threads.share_out(
            lambda taken: kernels.normalise(*given, taken, direction.numpy(), inverse.numpy()),
            -(-len(rows) // kernels.PIECE),
        )
        direction = direction.view_as(node)
        ctx.save_for_backward(direction, inverse)
        return direction, node.view_as(node)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Tensor:
        """The gradient through the norm plus that of the nodes beside it."""
        from nco.models import rms_kernels as kernels

        direction, inverse = ctx.saved_tensors
        out = torch.empty_like(direction, memory_format=torch.contiguous_format)
        rows = [x.detach().flatten(0, -2).contiguous() for x in (direction, *outer)]
        given = rows[0].numpy(), inverse.numpy(), rows[1].numpy(), rows[2].numpy()
        threads.share_out(
            lambda taken: kernels.normalise_back(*given, taken, out.flatten(0, -2).numpy()),
            -(-len(rows[0]) // kernels.PIECE),
        )
        return out


class _FeedForward(torch.autograd.Function):
    """Keeps the nodes and the hidden layer after its mask, which tells the mask."""

    @staticmethod
    def forward(
        ctx: Any,
        beside: Tensor,
        node: Tensor,
        up: Tensor,
        up_bias: Tensor,
        down: Tensor,
        down_bias: Tensor,
    ) -> Tensor:
        """See `feed_forward`; `beside` and `node` are `[R, E]`."""
        hidden = torch.addmm(up_bias, node, up.T).relu_()
        ctx.save_for_backward(node, hidden, up, down)
        return (beside + down_bias).addmm_(hidden, down.T)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, ...]:
        """Gradients of all arguments."""
        node, hidden, up, down = ctx.saved_tensors
        (gain,) = outer
        to_hidden = gain @ down
        torch.ops.aten.threshold_backward.grad_input(to_hidden, hidden, 0, grad_input=to_hidden)
        return (
            gain, to_hidden @ up, to_hidden.T @ node, to_hidden.sum(0), gain.T @ hidden,
            gain.sum(0),
        )  # fmt: skip
