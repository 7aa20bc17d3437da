"""How many threads a training step is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

# Elements of a tensor that ATen computes on one thread (its GRAIN_SIZE). Where tensors are smaller,
# further threads do next to nothing, and waiting for them costs more than that.
_GRAIN = 32768


def threads_for(network: nn.Module, rows: int) -> int:
    """Threads that pay for the tensors of a step: one for each grain, and one at least.

    The same options give the same number, whatever else runs, so that training which is resumed
    goes on as if it had not been interrupted.

    Args:
        network: to be trained.
        rows: embeddings of a batch.

    Returns:
        Not more than torch would take, which is the cores that this process may use.
    """
    widest = max((len(p) for p in network.parameters() if p.ndim > 1), default=1)
    return max(1, min(torch.get_num_threads(), rows * widest // _GRAIN))
