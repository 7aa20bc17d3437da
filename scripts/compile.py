"""Compiles the loops that take longest to compile, as `nco warm-up` does.

Nothing needs this: loops are compiled when they are first used. `make test` runs it beside the
linters, which leave a core idle.
"""

from nco.warm_up import warm_up

if __name__ == "__main__":
    warm_up()
