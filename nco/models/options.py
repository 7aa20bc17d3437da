"""Choices of design that networks offer by name, and their check."""

from __future__ import annotations

from typing import Any, Literal, get_args

from nco.errors import PolicyError, quoted

Neighbours = Literal["nearest", "sampled"]
"""Which distances describe a node: the smallest ones in each direction, or those to and from
nodes that are drawn with probability in proportion to one over the distance."""

Gate = Literal["scalar", "vector"]
"""Whether what a node is and where it is are weighed by one number or one in each channel."""

Angle = Literal["none", "raw", "sincos"]
"""How directions are shown: not at all, as an angle that jumps from pi to -pi, or as sine and
cosine."""

Bias = Literal["gated", "joint", "distance"]
"""How pair features bias the mixing of nodes: one network for each of distance, angle and
duration, weighed by gates; one network on all pair features; the distance itself, scaled."""

Form = Literal["paper", "code", "attention"]
"""How nodes are mixed: attention-free as the paper of RRNCO has it, as its code has it, or by
dot-product attention."""

Norm = Literal["rms", "instance"]
"""What is normalised: each node before each change of it, or each channel over the nodes of an
instance before and after."""

Convolution = Literal["transformer", "gatv2"]
"""Attention along edges: dot products, or a small network on both ends and the edge."""

_CHOICES: dict[str, Any] = {
    "nearest": Neighbours,
    "gate": Gate,
    "angle": Angle,
    "bias": Bias,
    "form": Form,
    "norm": Norm,
    "convolution": Convolution,
}


def check_choices(**chosen: object) -> None:
    """Refuses what no option offers.

    Args:
        **chosen: option to choice.

    Raises:
        PolicyError: the message names the option and what it may be.
    """
    for name, value in chosen.items():
        allowed = get_args(_CHOICES[name])
        if value not in allowed:
            raise PolicyError(f"{name} is {quoted(value)}; it must be one of {', '.join(allowed)}")
