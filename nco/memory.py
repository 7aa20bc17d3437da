"""How much memory there is, and a refusal before it is exceeded.

Linux grants more than there is and ends whoever uses it; so large arrays are asked for here first.
"""

from __future__ import annotations

from pathlib import Path

from nco.errors import InputError

_SMALL = 1 << 28  # not worth a look at what is free
_NO_ROOM = ("failed to map segment from shared object", "annot allocate memory")
_MEMINFO = Path("/proc/meminfo")


def free_bytes() -> int | None:
    """What can be had without swapping; None where the system does not tell."""
    try:
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    return None


def ran_out(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is that there was no memory.

    The loader of libraries has no type of its own for that, but words.
    """
    while error is not None:
        if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_ROOM):
            return True
        error = error.__cause__ or error.__context__
    return False


def require_memory(size_bytes: int, what: str) -> None:
    """Refuse what does not fit into the memory.

    Args:
        size_bytes: how much it takes at its largest.
        what: what would take it, for the message.

    Raises:
        InputError: the message says how much is needed and how much there is.
    """
    if size_bytes < _SMALL:
        return
    free = free_bytes()
    if free is not None and size_bytes > free:
        raise InputError(
            f"{what} need {amount(size_bytes)} of memory, {amount(free)} are free; take fewer, "
            "split the problem, or use a larger machine"
        )


def require_matrices(rows: int, columns: int, matrices: int = 2) -> None:
    """Refuse matrices of fractions between points that do not fit into the memory.

    Args:
        rows: points to leave from.
        columns: points to go to.
        matrices: how many there are at their largest, with what they are made from.

    Raises:
        InputError: the message says how much is needed and how much there is.
    """
    what = f"{rows}" if rows == columns else f"{rows} and {columns}"
    require_memory(8 * matrices * rows * columns, f"matrices between {what} points")


def amount(size_bytes: float) -> str:
    """Bytes in a unit that reads well."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.3g} TiB"
