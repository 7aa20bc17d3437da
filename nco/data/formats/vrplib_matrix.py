"""Distances of VRPLIB and TSPLIB files: from coordinates, or a matrix in any of their formats."""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats
from nco.data.formats.rounding import Rounding, euclidean, rounded
from nco.data.formats.vrplib_text import Section, Text
from nco.errors import FormatError, shortened
from nco.memory import require_matrices

RULE_OF: dict[str, Rounding] = {"EUC_2D": "round", "FLOOR_2D": "trunc", "CEIL_2D": "ceil"}
# Under which rule the best-known costs of PyVRP's families are stated; all others round.
_RULE_OF_TYPE: dict[str, Rounding] = {
    "VRPTW": "dimacs",
    "PCVRPTW": "dimacs",
    "MTVRPTWR": "dimacs",
    "MDVRPTW": "exact",
    "SDVRPTW": "exact",
    "HFVRP": "none",
}
# Whether the triangle is the upper one, read row by row, and whether the diagonal is in it. A
# symmetric matrix has the same numbers in its lower triangle, read column by column.
_TRIANGLES = {
    "UPPER_ROW": (True, False),
    "LOWER_COL": (True, False),
    "LOWER_ROW": (False, False),
    "UPPER_COL": (False, False),
    "UPPER_DIAG_ROW": (True, True),
    "LOWER_DIAG_COL": (True, True),
    "LOWER_DIAG_ROW": (False, True),
    "UPPER_DIAG_COL": (False, True),
}


def rule_of(weights: str, kind: str) -> Rounding:
    """How distances of an EDGE_WEIGHT_TYPE are rounded in files of a TYPE."""
    by_kind = _RULE_OF_TYPE.get(kind, "round")
    return by_kind if weights == "EUC_2D" else RULE_OF[weights]


def distances(text: Text, n: int, xy: Floats | None, rounding: Rounding | None) -> Floats:
    """`[n, n]` distances of a file.

    Args:
        text: of it.
        n: how many nodes there are.
        xy: where they are, if it is said.
        rounding: of distances; None takes the rule of the file.

    Raises:
        FormatError: there are none, or in a form that is not known.
        ProblemError: coordinates are too far apart.
        InputError: there are more nodes than fit into the memory.
    """
    if "EDGE_WEIGHT" in text.sections:
        explicit = _matrix(text, text.sections["EDGE_WEIGHT"], n)
        distance = rounded(explicit, rounding or "none").copy()
        np.fill_diagonal(distance, 0.0)  # TSPLIB writes 9999 and the like there
        return distance
    kind = text.word("EDGE_WEIGHT_TYPE", "missing").upper()
    if kind not in RULE_OF:
        raise FormatError(
            f"{text.path}: EDGE_WEIGHT_TYPE is {shortened(kind)}; read are EXPLICIT with an "
            f"EDGE_WEIGHT_SECTION, and {', '.join(RULE_OF)}"
        )
    if xy is None:
        raise FormatError(
            f"{text.path}: {kind} needs a NODE_COORD_SECTION with x and y of each node"
        )
    return euclidean(xy, rounding or rule_of(kind, text.word("TYPE").upper()))


def _matrix(text: Text, section: Section, n: int) -> Floats:
    """`[n, n]` weights, in whichever of TSPLIB's formats."""
    kind = text.word("EDGE_WEIGHT_FORMAT", "FULL_MATRIX").upper()
    if kind != "FULL_MATRIX" and kind not in _TRIANGLES:
        known = ", ".join(("FULL_MATRIX", *_TRIANGLES))
        raise FormatError(f"{text.path}: EDGE_WEIGHT_FORMAT is {shortened(kind)}; read are {known}")
    weights = section.numbers()
    upper, diagonal = _TRIANGLES.get(kind, (False, False))
    wanted = n * n if kind == "FULL_MATRIX" else n * (n + (1 if diagonal else -1)) // 2
    if len(weights) != wanted:
        raise FormatError(
            f"{text.path}: EDGE_WEIGHT_SECTION holds {len(weights)} numbers; as {kind}, {n} nodes "
            f"have {wanted}"
        )
    if kind == "FULL_MATRIX":
        return weights.reshape(n, n)
    require_matrices(n, n, 3)
    matrix = np.zeros((n, n))
    offset = 0 if diagonal else 1
    matrix[np.triu_indices(n, offset) if upper else np.tril_indices(n, -offset)] = weights
    with np.errstate(over="ignore"):  # what is too large is refused with the whole matrix
        return matrix + matrix.T
