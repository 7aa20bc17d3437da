"""Named tuples that compiled functions take by reference."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from nco.kernels.by_reference import by_reference
from nco.kernels.compiled import compiled, packed

_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_inner: Any = compiled(cache=False, **_options)


@by_reference
class Account(NamedTuple):
    """Something to add up."""

    owner: np.ndarray
    sums: np.ndarray
    rate: float
    frozen: bool


@_inner
def pay(account, owner):
    """Adds to the sums of an owner; not callable from Python."""
    if not account.frozen:
        for c in range(account.sums.shape[1]):
            account.sums[owner, c] += account.rate * (c + 1)


def everyone(account, turns):
    """Writes many times through another function to what it looks at itself."""
    for _ in range(turns):
        for owner in account.owner:
            pay(account, owner)
    total = 0.0
    for row in account.sums:
        for value in row:
            total += value
    return total


WAYS = {
    "ahead": compiled(everyone, ahead=True, **_options),
    "by numba": compiled(everyone, cache=False, **_options),
}


@pytest.fixture(params=list(WAYS))
def pay_all(request):
    """The loop, called in either way."""
    return WAYS[request.param]


def account(*, frozen=False, writeable=True):
    """Sums of four owners, two of which are paid."""
    owner = np.array([3, 1], np.int32)
    owner.flags.writeable = writeable
    return Account(owner, np.zeros((4, 3)), 0.5, frozen)


def test_what_compiled_functions_write_is_in_the_arrays(pay_all):
    """Arrays are read and written in place, also by functions that are called in turn."""
    given = account()
    assert pay_all(given, 10) == 60.0
    np.testing.assert_array_equal(given.sums[[3, 1]], [[5.0, 10.0, 15.0]] * 2)
    assert not given.sums[[0, 2]].any()


def test_numbers_are_those_of_the_call(pay_all):
    """A replaced number counts from the next call on."""
    given = account()
    assert pay_all(given._replace(frozen=True), 1) == 0.0
    assert pay_all(given._replace(rate=1.0), 1) == 12.0


def test_one_compiled_function_serves_all():
    """Arrays that must not be written to need no function of their own."""
    by_numba = WAYS["by numba"]
    by_numba(account(), 1)
    known = len(by_numba.dispatcher.signatures)
    by_numba(account(writeable=False), 1)
    assert len(by_numba.dispatcher.signatures) == known
    assert packed([account()])[0] == packed([account(writeable=False)])[0]


def test_other_orders_of_entries_are_refused(pay_all):
    """A view across an array is refused instead of misread."""
    with pytest.raises(TypeError, match="ascontiguousarray"):
        pay_all(account()._replace(sums=np.zeros((3, 4)).T), 1)
