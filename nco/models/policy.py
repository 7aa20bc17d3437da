"""What a policy is: a network that embeds instances once, and the pointer that decides for all."""

from __future__ import annotations

import abc
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from torch import nn

from nco.errors import PolicyError, quoted
from nco.models.fleet import Exchange, FleetEncoded
from nco.models.pointer import Encoded, Pointer

if TYPE_CHECKING:
    from torch import Tensor

    from nco.observation import Features, Observation

MOST_SIZE = 1 << 16
MOST_LAYERS = 100

type Spec = dict[str, Any]
"""How to build a policy, as plain data: `{"class_path": ..., "init_args": {...}}`."""


class Policy(nn.Module, abc.ABC):
    """A network of any environment; it knows names of features, not problems or sizes.

    A subclass passes on its own arguments, by which it is built again, and embeds nodes.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        decoder_heads: of the pointer's glimpse, the costliest part of a step.
        pair_width: hidden width of the networks on pair features.
        clip: logits lie within plus and minus this.
        **own: arguments of the subclass.

    Raises:
        PolicyError: a size is below 1, or heads do not divide `width`.
    """

    def __init__(
        self,
        features: Features,
        width: int,
        decoder_heads: int,
        pair_width: int,
        clip: float,
        **own: Any,
    ) -> None:
        super().__init__()
        shared = {
            "width": width, "decoder_heads": decoder_heads, "pair_width": pair_width, "clip": clip,
        }  # fmt: skip
        check_sizes({**shared, **own})
        self.features = features
        self._init_args = {"features": asdict(features), **shared, **own}
        self.pointer = Pointer(features, width, decoder_heads, pair_width, clip)

    @property
    def exchange(self) -> Exchange | None:
        """By which vehicles that are decided for together tell one another where they stand."""
        return None

    def spec(self) -> Spec:
        """How to build this policy again, as plain data."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return {"class_path": path, "init_args": dict(self._init_args)}

    @abc.abstractmethod
    def embed(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Embeds nodes.

        Where node features come in several views of the same instances, the work on pairs is
        shared by the views.

        Args:
            observation: of `B` instances, in `V / B` views each.

        Returns:
            `[V, N, E]` embeddings of nodes as places to leave, and as places to go to.
        """

    def encode(self, observation: Observation) -> Encoded:
        """Encodes instances, once for all rollouts and steps.

        Raises:
            PolicyError: the environment shows features that the network was not built for.
        """
        rows, columns = self.embed(observation)
        encoded: Encoded = self.pointer(rows, columns, observation)
        if observation.vehicles == 1:
            return encoded
        return FleetEncoded.from_each(encoded, observation, self.exchange)


def check_sizes(init_args: dict[str, Any]) -> None:
    """Refuses sizes that no network can have.

    Args:
        init_args: by name; whatever ends in `heads` must divide `width`.

    Raises:
        PolicyError: the message names the size.
    """
    for name, value in init_args.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if not 0 < value <= MOST_SIZE or (name != "clip" and value != int(value)):
            raise PolicyError(
                f"{name} is {quoted(value)}; it must be a number above 0, at most {MOST_SIZE}"
            )
    if init_args.get("layers", 0) > MOST_LAYERS:
        raise PolicyError(
            f"layers is {quoted(init_args['layers'])}; it must be {MOST_LAYERS} or fewer"
        )
    for name, value in init_args.items():
        if name.endswith("heads") and init_args["width"] % value:
            raise PolicyError(
                f"width is {init_args['width']} and {name} {value}; {name} must divide width"
            )
