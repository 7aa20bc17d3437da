"""How functions of the search are compiled."""

from __future__ import annotations

from typing import Any

from nco.kernels.compiled import compiled as kernel

# These functions allocate nothing: without numba's counting of references to their many arrays,
# which is most of what they would do, they are several times as fast. Numba compiles a function
# once for each combination of types, of which `int32` and `int64` are two, and each literal `True`
# or `1` is one more: stops and vehicles are handed on as `int64`, and no literals are.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
compiled: Any = kernel(ahead=True, **OPTIONS)
pasted: Any = kernel(cache=False, inline="always", **OPTIONS)  # into the compiled function around
inner: Any = kernel(cache=False, **OPTIONS)  # called by compiled functions only
