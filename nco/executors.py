"""Executors by address: workers that are somewhere else.

| address | workers |
|---|---|
| `dask://HOST:PORT` | of a Dask scheduler (`dask scheduler`, `dask worker --nthreads 1`) |
| `mpi://` | the other processes of an MPI world (`mpiexec -n 8 python -m mpi4py.futures -m nco`) |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from nco.errors import InputError, ServiceError, quoted, shortened

_PATIENCE_S = 10.0  # for a scheduler to answer


@contextmanager
def executor_at(address: str | None) -> Iterator[Executor | None]:
    """The executor at an address, until the end of a block; None for no address.

    Raises:
        InputError: the address names none, or a package is not installed.
        ServiceError: nobody answers there.
    """
    if address is None:
        yield None
        return
    found = re.fullmatch(r"(\w+)://(.*)", address)
    if found is None or found[1] not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise InputError(f"executor is {quoted(address)}; give an address that begins with {known}")
    with _SCHEMES[found[1]](found[2]) as executor:
        yield executor


@contextmanager
def _dask(place: str) -> Iterator[Executor]:
    distributed = _package("distributed", "dask")
    if not re.fullmatch(r"[\w.\-\[\]:]+:\d+", place):
        raise InputError(f"executor is {quoted(place)}; give dask://HOST:PORT of a scheduler")
    try:
        client = distributed.Client(f"tcp://{place}", timeout=_PATIENCE_S)
    except (OSError, TimeoutError) as error:
        raise ServiceError(
            f"no Dask scheduler answers at {shortened(place)}: {shortened(error)}; start one by "
            "`dask scheduler`, and workers by `dask worker HOST:PORT --nthreads 1`"
        ) from error
    try:
        executor: Executor = client.get_executor(pure=False)
        yield executor
    finally:
        client.close()


@contextmanager
def _mpi(_place: str) -> Iterator[Executor]:
    with _package("mpi4py.futures", "mpi4py").MPIPoolExecutor() as executor:
        yield executor


def _package(name: str, what: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"this executor needs the package {what} ({shortened(error)}); install it by "
            f"`pip install {'nco-routing[dask]' if what == 'dask' else what}`"
        ) from None


_SCHEMES: dict[str, Callable[[str], Any]] = {"dask": _dask, "mpi": _mpi}
"""How executors are opened, by the scheme of their address."""
