"""The network of profiled vehicles: the attention model with exchange among vehicles.

Every vehicle's view of the nodes goes through the same encoder, biased by the vehicle's own matrix;
after each layer the vehicles that may serve a stop exchange what they hold of it, and before each
decision where they stand. All weights are shared, so that vehicles may come in any number and
order. That vehicles communicate about nodes and before they decide follows Hua et al. 2025 (CAMP),
with attention among vehicles in place of message passing on the bipartite graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from nco.models.attention import AttentionPolicy
from nco.models.fleet import Exchange
from nco.models.policy import check_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.observation import Features, Observation


class ProfiledPolicy(AttentionPolicy):
    """Mixes nodes as each vehicle sees them, and vehicles at each node.

    With one vehicle, or while nothing has been learned of exchange, it decides as the attention
    model of the same weights does.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        heads: of the encoder's attention.
        decoder_heads: of the pointer's glimpse.
        layers: of the encoder.
        hidden: width of the feed-forward networks.
        pair_width: hidden width of the networks on pair features.
        exchange_width: of what vehicles tell one another.
        exchange_heads: of the attention among vehicles.
        communicate: whether vehicles exchange anything; without, each is encoded alone.
        ask: whether they also exchange where they stand before each decision. Where one of them
            moves at a time, all others wait at the depot, and know nothing new.
        clip: logits lie within plus and minus this.

    Raises:
        PolicyError: a size is below 1, or heads do not divide a width.
    """

    def __init__(
        self,
        features: Features,
        width: int = 128,
        heads: int = 8,
        decoder_heads: int = 8,
        layers: int = 4,
        hidden: int = 256,
        pair_width: int = 16,
        exchange_width: int = 64,
        exchange_heads: int = 4,
        communicate: bool = True,
        ask: bool = True,
        clip: float = 10.0,
    ) -> None:
        super().__init__(
            features, width, heads, decoder_heads, layers, hidden, pair_width, True, clip
        )
        del self._init_args["pairs"]
        own = {"exchange_width": exchange_width, "exchange_heads": exchange_heads}
        check_sizes({"width": exchange_width, **own})
        self._init_args |= {**own, "communicate": communicate, "ask": ask}
        count = layers + ask if communicate else 0
        self.exchanges = nn.ModuleList(
            Exchange(width, exchange_width, exchange_heads) for _ in range(count)
        )

    @property
    def exchange(self) -> Exchange | None:
        """Before decisions."""
        if len(self.exchanges) <= self.layers:
            return None
        last = self.exchanges[-1]
        assert isinstance(last, Exchange)  # noqa: S101 (as built)
        return last

    def _between(self, observation: Observation) -> Callable[[int, Tensor], Tensor]:
        """Vehicles exchange what they know of each node."""
        if observation.vehicles == 1 or not len(self.exchanges):
            return super()._between(observation)
        fleet, turns = observation.vehicles, len(observation.node) // len(observation.pair)
        present = observation.present
        there = None
        if present is not None:  # [B, T, N, M]
            # The depot is there for everybody, but not what only fills up a fleet.
            present = present & present[:, 1:].any(1, keepdim=True)
            there = present.view(-1, 1, fleet, present.shape[1]).expand(-1, turns, -1, -1)
            there = there.permute(0, 1, 3, 2)

        def exchanged(block: int, node: Tensor) -> Tensor:
            split = node.view(-1, fleet, turns, *node.shape[1:]).permute(0, 2, 3, 1, 4)
            told: Tensor = self.exchanges[block](split, there)
            return told.permute(0, 3, 1, 2, 4).flatten(0, 2)

        return exchanged
