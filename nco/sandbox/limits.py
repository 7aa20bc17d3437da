"""How much a caged process may use."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from nco.errors import InputError, quoted


@dataclass(frozen=True)
class Limits:
    """How much one caged process may use; whoever wants more is ended.

    Attributes:
        time_s: from when it is given its data until it has answered, by the wall clock.
        cpu_s: of processor time, the start of its interpreter included; rounded up to seconds.
        memory_bytes: of address space, its interpreter included (about 40 MiB).
        data_bytes: of JSON that it is given.
        answer_bytes: of JSON that it answers.

    Raises:
        InputError: a limit is no positive, finite number.
    """

    time_s: float = 5.0
    cpu_s: float = 5.0
    memory_bytes: int = 256 << 20
    data_bytes: int = 4 << 20
    answer_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            known = isinstance(value, int | float) and not isinstance(value, bool)
            if not known or not 0 < value < math.inf:
                raise InputError(
                    f"the limit {field.name} is {quoted(value)}; give a positive, finite number"
                )
