"""The compiled building blocks of decisions: products, maxima, and how threads share the work."""

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from nco.models import threads
from nco.models.products import larger, product


@njit
def multiplied(a, b, out):
    """`product` from compiled code, where alone it can be called."""
    product(a, b, out)


@njit
def maximum(x, y):
    """`larger` from compiled code."""
    return larger(x, y)


@settings(deadline=None)
@given(
    rows=st.integers(1, 20),
    depth=st.integers(1, 9),
    lanes=st.integers(1, 50),
    turned=st.booleans(),
    seed=st.integers(0, 99),
)
def test_products_are_those_of_numpy(rows, depth, lanes, turned, seed):
    """Whatever the sizes, and for parts of larger arrays whose first factor may be transposed."""
    dice = np.random.default_rng(seed)
    shape = (depth, rows + 3) if turned else (rows + 3, depth)
    whole = dice.standard_normal(shape).astype(np.float32)
    a = whole.T[:rows] if turned else whole[:rows]
    b = dice.standard_normal((depth, lanes + 5)).astype(np.float32)[:, 2 : lanes + 2]
    out = np.full((rows + 1, lanes + 1), 7.0, np.float32)
    multiplied(a, b, out[:rows, :lanes])
    np.testing.assert_allclose(out[:rows, :lanes], a @ b, atol=1e-5)
    assert (out[rows] == 7.0).all()
    assert (out[:, lanes] == 7.0).all()


@pytest.mark.parametrize(("x", "y"), [(1.0, 2.0), (2.0, 1.0), (-1e30, -3.0), (0.0, 0.0)])
def test_the_larger_of_two(x, y):
    """The same as `max`."""
    assert maximum(np.float32(x), np.float32(y)) == np.float32(max(x, y))


@pytest.fixture
def torch_threads():
    """Puts back the number of torch's threads."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 2, 7, 100])
def test_every_part_is_run_once(torch_threads, count, length):
    """All of the range, none of it twice."""
    torch_threads(count)
    runs = []
    threads.share_out(lambda begin, end: runs.extend(range(begin, end)), length)
    assert sorted(runs) == list(range(length))


def test_threads_work_at_the_same_time(torch_threads):
    """Two threads, each of which waits for the other, both go on."""
    torch_threads(2)
    both = threading.Barrier(2, timeout=10)
    threads.share_out(lambda _begin, _end: both.wait(), 2)


def test_what_goes_wrong_in_a_thread_is_raised(torch_threads):
    """An error in another thread is not lost."""
    torch_threads(2)
    caller = threading.get_ident()
    done = threading.Event()

    def run(_begin, _end):
        if threading.get_ident() != caller:
            done.set()
            raise ValueError("a part failed")
        while not done.is_set():
            time.sleep(1e-3)

    with pytest.raises(ValueError, match="a part failed"):
        threads.share_out(run, 100)


def test_threads_are_lent_and_given_back(torch_threads):
    """Torch keeps one, the loops have them all, and it ends that way even after an error."""
    torch_threads(3)
    with pytest.raises(KeyError), threads.lent_by_torch():
        assert (torch.get_num_threads(), threads.count()) == (1, 3)
        with threads.lent_by_torch():
            assert (torch.get_num_threads(), threads.count()) == (1, 3)
        raise KeyError
    assert (torch.get_num_threads(), threads.count()) == (3, 3)
