"""Attention whose scores have a learned bias on every pair of nodes.

Formula: `softmax(scale q k^T + bias) v`. On CPUs it runs in compiled loops
(`nco.models.attention_kernels`), elsewhere and in half precision in torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812

from nco.models import threads

if TYPE_CHECKING:
    from torch import Tensor

# Scores below which attention is not worth the second that it takes to load the compiled loops.
LIGHT = 200_000


def attend(projected: Tensor, heads: int, bias: Tensor | None, scale: Tensor) -> Tensor:
    """Attention among the nodes of each instance.

    Args:
        projected: `[V, N, 3 E]` queries, keys and values side by side.
        heads: `H`, each of width `E / H`.
        bias: `[B, H, N, N]` of each row for each column, shared by `V / B` views, or something
            that is broadcast to it; None for none.
        scale: of scores, one number or `[V]`.

    Returns:
        `[V, N, E]`.
    """
    count, nodes, _ = projected.shape
    parts = projected.view(count, nodes, 3, heads, -1)
    if _compiles(projected, bias):
        out: Tensor = _Attention.apply(parts, bias, scale.expand(count).contiguous())
        return out.flatten(2)
    q, k, v = parts.permute(2, 0, 3, 1, 4)
    if bias is not None and 1 < len(bias) < count:
        bias = bias.repeat_interleave(count // len(bias), 0)
    q = q * scale.view(-1, 1, 1, 1)
    return F.scaled_dot_product_attention(q, k, v, bias, scale=1.0).transpose(1, 2).flatten(2)


def _compiles(projected: Tensor, bias: Tensor | None) -> bool:
    """Whether the compiled loops are for these tensors, and worth it."""
    return (
        bias is not None
        and bias.shape[2] == bias.shape[3]
        and projected.device.type == "cpu"
        and projected.dtype == bias.dtype == torch.float32
        and bias.numel() * (len(projected) // len(bias)) >= LIGHT
    )


class _Attention(torch.autograd.Function):
    """The compiled loops with their gradients."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, bias: Tensor, scale: Tensor) -> Tensor:
        """Fills `[V, N, H, W]` from `[V, N, 3, H, W]`, `[B, H, N, N]` and `[V]`."""
        from nco.models import attention_kernels as kernels

        projected, bias = projected.contiguous(), bias.contiguous()
        out = torch.empty(*projected.shape[:2], *projected.shape[3:])
        arrays = [x.detach().numpy() for x in (projected, bias, scale, out)]
        threads.share_out(
            lambda taken: kernels.attend(*arrays[:3], taken, arrays[3]),
            bias.shape[0] * bias.shape[1],
        )
        ctx.save_for_backward(projected, bias, scale, out)
        return out

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of queries, keys, values and biases."""
        from nco.models import attention_kernels as kernels

        projected, bias, scale, out = ctx.saved_tensors
        to_projected, to_bias = torch.empty_like(projected), torch.empty_like(bias)
        given = [x.detach().numpy() for x in (projected, bias, scale, out, outer[0].contiguous())]
        threads.share_out(
            lambda taken: kernels.attend_back(*given, taken, to_projected.numpy(), to_bias.numpy()),
            bias.shape[0] * bias.shape[1],
        )
        return to_projected, to_bias, None
