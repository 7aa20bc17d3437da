"""Compiles the loops that take longest to compile, as `nco warm-up` does, two kinds at a time.

Nothing needs this: loops are compiled when they are first used. `make test` runs it beside the
linters, which leave a core idle, and are done long before it.
"""

from concurrent.futures import ProcessPoolExecutor

from nco.warm_up import LOOPS


def compile_loops(name: str) -> None:
    """Compiles, or loads, the loops of a name."""
    LOOPS[name]()


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        for _ in pool.map(compile_loops, LOOPS):
            pass
