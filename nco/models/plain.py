"""The attention policy on plain arrays: what its tensors say, computed without torch.

Torch takes seconds to import, which a command that only wants some good first routes must not
wait for. Formulas are those of `nco.models.attention`, `layers` and `pointer`; tests compare.

Shapes: `N` nodes of one instance in one view, `R` roles, `C` context numbers, `H` heads of width
`W`, `E = H W`.
"""

# mypy: allow-untyped-decorators
# Numba types these functions by what they are called with.

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import product
from nco.models.shipped import header_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nco.arrays import Singles

CLASS = "nco.models.attention.AttentionPolicy"
REFERENCE_SIZE = 50  # nodes, at which attention is scaled as usual; as in `nco.models.layers`
_EPSILON = float(np.finfo(np.float32).eps)  # of root mean squares, torch's choice


@dataclass(frozen=True)
class Tables:
    """What decisions need of an encoded instance, see `nco.models.pointer.Encoded`.

    Attributes:
        query: `[R, N, E]`.
        known: `[2, E, N]` keys, scaled, and values of the glimpse.
        target: `[E, N]` scaled.
        pair: `[N, N]`.
        weight: `[C, E]` of the context.
        bias: `[E]`.
        heads: of the glimpse.
    """

    query: Singles
    known: Singles
    target: Singles
    pair: Singles
    weight: Singles
    bias: Singles
    heads: int


class PlainPolicy:
    """Encodes instances as an `AttentionPolicy` of the same weights does.

    Args:
        arguments: by which the policy was built.
        tensors: by name.
    """

    def __init__(self, arguments: Mapping[str, Any], tensors: Mapping[str, Singles]) -> None:
        self._features: dict[str, Sequence[str]] = arguments["features"]
        self._heads, self._layers = int(arguments["heads"]), int(arguments["layers"])
        self._width, self._decoder_heads = int(arguments["width"]), int(arguments["decoder_heads"])
        self._of = tensors

    @classmethod
    def read(cls, path: Path) -> PlainPolicy | None:
        """The policy in a file; None where it is of another class, or encodes without pairs."""
        from safetensors.numpy import load

        raw = path.read_bytes()
        spec = json.loads(header_of(raw)["policy"])
        if spec["class_path"] != CLASS or not spec["init_args"]["pairs"]:
            return None
        return cls(spec["init_args"], load(raw))

    def encoded(self, node: Singles, pair: Singles, shown: Mapping[str, Sequence[str]]) -> Tables:
        """Encodes an instance.

        Args:
            node: `[N, F]`.
            pair: `[P, N, N]`.
            shown: names of the columns of nodes, of the planes of pairs, of the context's numbers
                and of the roles, which the policy knows.
        """
        planes = pair.reshape(len(pair), -1)
        embedded = _product(node, self._named("embedding.weight", "node", shown).T)
        embedded += self._of["embedding.bias"]
        hidden = self._hidden("bias", planes, shown)
        sharp = math.log(max(len(node), 2)) / math.log(REFERENCE_SIZE)
        for layer in range(self._layers):
            own = slice(layer * self._heads, (layer + 1) * self._heads)
            bias = _product(self._of["bias.output.weight"][own], hidden)
            bias += self._of["bias.output.bias"][own, None]
            bias = bias.reshape(-1, len(node), len(node))
            embedded = self._block(f"blocks.{layer}", embedded, bias, sharp)
        del hidden, bias
        return self._tables(_normalised(embedded) * self._of["norm.weight"], planes, shown, sharp)

    def _named(self, name: str, kind: str, shown: Mapping[str, Sequence[str]]) -> Singles:
        """The columns of a map of named features that are shown."""
        known = self._features[kind]
        part: Singles = self._of[name][:, [known.index(feature) for feature in shown[kind]]]
        return part

    def _hidden(self, name: str, planes: Singles, shown: Mapping[str, Sequence[str]]) -> Singles:
        """`[M, N N]` the hidden layer of a network on pairs."""
        hidden = _product(self._named(f"{name}.hidden.weight", "pair", shown), planes)
        hidden += self._of[f"{name}.hidden.bias"][:, None]
        np.maximum(hidden, 0.0, out=hidden)
        return hidden

    def _block(self, name: str, node: Singles, bias: Singles, sharp: float) -> Singles:
        """Attention under a bias `[H, N, N]`, which is overwritten, and the feed-forward part."""
        of = {key: self._of[f"{name}.{key}"] for key in _BLOCK}
        weight = of["project.weight"] * of["attention_norm.weight"]
        projected = _product(_normalised(node), weight.T).reshape(len(node), 3, self._heads, -1)
        query, key, value = projected.transpose(1, 2, 0, 3)  # [H, N, W] each
        query = query * np.float32(sharp / math.sqrt(self._width // self._heads))
        found = np.empty((len(node), self._width), np.float32)
        for score, q, k, v, out in zip(
            bias, query, key, value, np.split(found, self._heads, axis=1), strict=True
        ):
            score += _product(q, k.T)
            score -= score.max(1, keepdims=True)
            np.exp(score, out=score)
            out[:] = _product(score, v) / score.sum(1, keepdims=True)
        node = node + _product(found, of["combine.weight"].T)
        up = of["up.weight"] * of["forward_norm.weight"]
        hidden = np.maximum(_product(_normalised(node), up.T) + of["up.bias"], 0.0)
        return node + (_product(hidden, of["down.weight"].T) + of["down.bias"])

    def _tables(
        self, node: Singles, planes: Singles, shown: Mapping[str, Sequence[str]], sharp: float
    ) -> Tables:
        """What the pointer makes of embeddings, see `nco.models.pointer.Pointer`."""
        width, count = self._width, len(node)
        roles = [self._features["roles"].index(name) for name in shown["roles"]]
        role = self._of["pointer.role.weight"].reshape(-1, width, width)[roles]
        memory = _product(node, self._of["pointer.memory.weight"].T)
        key, value, target = (part.T for part in np.split(memory, 3, axis=1))
        key = key * np.float32(sharp / math.sqrt(width // self._decoder_heads))
        hidden = self._hidden("pointer.score", planes, shown)
        pair = _product(self._of["pointer.score.output.weight"], hidden)
        pair += self._of["pointer.score.output.bias"]
        context = self._named("pointer.context.weight", "context", shown)
        return Tables(
            query=np.stack([_product(node, weight.T) for weight in role]),
            known=np.stack([key, value]),
            target=_single(target / np.float32(math.sqrt(width))),
            pair=pair.reshape(count, count),
            weight=np.ascontiguousarray(context.T),
            bias=self._of["pointer.context.bias"],
            heads=self._decoder_heads,
        )


_BLOCK = ("attention_norm.weight", "project.weight", "combine.weight", "forward_norm.weight",
          "up.weight", "up.bias", "down.weight", "down.bias")  # fmt: skip


@compiled(ahead=True, nogil=True, fastmath=True, error_model="numpy", _nrt=False)
def _multiply(a: Any, b: Any, out: Any) -> None:
    """Fills `out` with `a @ b`."""
    product(a, b, out)


def _product(a: Singles, b: Singles) -> Singles:
    """`a @ b` on one thread; those that numpy starts wait for one another on a busy machine."""
    out = np.empty((len(a), b.shape[1]), np.float32)
    _multiply(_single(a), _single(b), out)
    return out


def _normalised(node: Singles) -> Singles:
    """Nodes `[N, E]` divided by the root of the mean of their squares."""
    return _single(node / np.sqrt(np.square(node).mean(1, keepdims=True) + np.float32(_EPSILON)))


def _single(array: Any) -> Singles:
    """An array in C order, of single precision as it is all along."""
    return np.ascontiguousarray(array, np.float32)
