"""The compiled building blocks of decisions: products, maxima, and how threads share the work."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from nco.kernels.products import exponential, larger, product, product_onto, take, turn
from nco.kernels.softmax import sample, squash, weights
from nco.models import threads


@njit
def multiplied(a, b, out):
    """`product` from compiled code, where alone it can be called."""
    product(a, b, out)


@njit
def multiplied_onto(a, b, begin, out):
    """`product_onto` from compiled code."""
    product_onto(a, b, begin, out)


@njit(fastmath=True)
def weighed(score, scale, top, total):
    """`weights` from compiled code whose own arithmetic may be rearranged."""
    weights(score, scale, top, total)


@njit(fastmath=True)
def squashed(score, tanh, shut, clip):
    """`squash` from compiled code whose own arithmetic may be rearranged."""
    squash(score, tanh, shut, clip)


@njit(fastmath=True)
def drawn(weight, threshold, found):
    """`sample` from compiled code whose own arithmetic may be rearranged."""
    sample(weight, threshold, found)


@njit
def transposed(a, out):
    """`turn` from compiled code."""
    turn(a, out)


@njit
def exponentials(x):
    """`exponential` of every number."""
    return np.array([exponential(number) for number in x])


@njit
def maximum(x, y):
    """`larger` from compiled code."""
    return larger(x, y)


@settings(deadline=None)
@given(
    rows=st.integers(1, 30),
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
    begin = dice.standard_normal((rows, lanes)).astype(np.float32)
    multiplied_onto(a, b, begin, out[:rows, :lanes])
    np.testing.assert_allclose(out[:rows, :lanes], begin + a @ b, atol=1e-5)
    assert (out[rows] == 7.0).all()
    assert (out[:, lanes] == 7.0).all()


@settings(deadline=None)
@given(rows=st.integers(1, 30), lanes=st.integers(1, 30), seed=st.integers(0, 99))
def test_turned_arrays_are_transposed(rows, lanes, seed):
    """Whatever the sizes, and for parts of larger arrays."""
    a = np.random.default_rng(seed).random((rows, lanes + 3), np.float32)[:, 1 : lanes + 1]
    out = np.full((lanes + 1, rows + 1), 7.0, np.float32)
    transposed(a, out[:lanes, :rows])
    np.testing.assert_array_equal(out[:lanes, :rows], a.T)
    assert (out[lanes] == 7.0).all()
    assert (out[:, rows] == 7.0).all()


COLUMNS = st.integers(1, 8).map(lambda count: 8 * count)


@settings(deadline=None)
@given(rows=st.integers(1, 60), columns=COLUMNS, scale=st.floats(0.1, 9.0), seed=st.integers(0, 99))
def test_weights_are_a_softmax(rows, columns, scale, seed):
    """Weights, their sums and the largest scores, of part of an array, with some rows closed."""
    dice = np.random.default_rng(seed)
    whole = 5 * dice.standard_normal((rows, columns + 3)).astype(np.float32)
    whole[1:][dice.random((rows - 1, columns + 3)) < 0.4] = -1e30
    score = whole[:, :columns].astype(float)
    expected = np.exp(scale * (score - score.max(0)))
    top, total = np.zeros((2, columns + 8), np.float32)
    weighed(whole[:, :columns], np.float32(scale), top, total)
    np.testing.assert_allclose(whole[:, :columns], expected, rtol=1e-4, atol=1e-20)
    assert (whole[:, :columns][score < -1e29] == 0.0).all()
    np.testing.assert_array_equal(top[:columns], score.max(0))
    np.testing.assert_allclose(total[:columns], expected.sum(0), rtol=1e-5)
    assert not top[columns:].any()


@settings(deadline=None)
@given(rows=st.integers(1, 60), columns=COLUMNS, seed=st.integers(0, 99))
def test_logits_are_those_of_numpy(rows, columns, seed):
    """Of small scores and large ones, of either sign, for open nodes and closed ones."""
    dice = np.random.default_rng(seed)
    pair, score = dice.standard_normal((2, rows, columns)).astype(np.float32)
    score *= 10.0 ** dice.integers(-3, 3, score.shape)
    shut = np.where(dice.random(score.shape) < 0.5, 0.0, -1e30).astype(np.float32)
    tanh = np.tanh(score.astype(float) + pair)
    squashed(score, pair, shut, np.float32(10))
    np.testing.assert_allclose(pair, tanh, atol=4e-6)
    np.testing.assert_allclose(score, np.where(shut == 0, 10 * tanh, -1e30), atol=4e-5)


@settings(deadline=None)
@given(rows=st.integers(1, 60), columns=COLUMNS, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_samples_are_rows_with_a_weight(rows, columns, share, seed):
    """The first row that passes the threshold, also at both ends, and never one without weight."""
    dice = np.random.default_rng(seed)
    weight = dice.random((rows, columns), np.float32)
    weight[dice.random((rows, columns)) < 0.5] = 0.0
    weight[dice.integers(rows), :] = 1.0
    total = weight.cumsum(0)[-1]
    threshold = np.float32(min(share, 1 - 2**-22)) * total
    found = np.full(columns, -1, np.int32)
    drawn(weight, threshold, found)
    np.testing.assert_array_equal(found, (weight.cumsum(0) > threshold).argmax(0))
    assert (weight[found, range(columns)] > 0).all()


def test_exponentials_are_those_of_numpy():
    """As exact as rounding of `x` allows, and next to nothing far below 0."""
    x = np.linspace(-60, 0, 10_000, dtype=np.float32)
    np.testing.assert_allclose(exponentials(x), np.exp(x.astype(float)), rtol=1e-5)
    assert exponentials(np.array([-1e30, -1e4], np.float32)).max() < 1e-27


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


@pytest.fixture(params=["torch's threads", "our own"])
def teams(request, monkeypatch):
    """Both kinds of threads."""
    if request.param == "our own":
        monkeypatch.setattr(threads, "_team", lambda: threads._pooled)


@njit(nogil=True)
def counted(taken, times):
    """Takes all pieces and counts for each how often it was taken."""
    piece = take(taken)
    while piece < len(times):
        times[piece] += 1
        piece = take(taken)


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("pieces", [1, 2, 7, 100_000])
def test_every_piece_is_taken_once(torch_threads, count, pieces):
    """All of them, none twice."""
    torch_threads(count)
    times = np.zeros(pieces, np.int64)
    threads.share_out(lambda taken: counted(taken, times), pieces)
    assert (times == 1).all()


@pytest.mark.usefixtures("teams")
def test_threads_work_at_the_same_time(torch_threads):
    """Two threads, each of which waits for the other, both go on."""
    torch_threads(2)
    both = threading.Barrier(2, timeout=10)
    threads.share_out(lambda _taken: both.wait(), 2)


@pytest.mark.usefixtures("teams")
def test_what_goes_wrong_in_a_thread_is_raised(torch_threads):
    """An error in another thread is not lost."""
    torch_threads(2)
    caller = threading.get_ident()
    done = threading.Event()

    def run(_taken):
        if threading.get_ident() != caller:
            done.set()
            raise ValueError("a piece failed")
        assert done.wait(10)

    with pytest.raises(ValueError, match="a piece failed"):
        threads.share_out(run, 100)
