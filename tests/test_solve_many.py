"""Many problems at once, through executors of any kind, whatever happens to their workers."""

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

import nco
from nco import bench
from nco.errors import InputError, NcoError, ProblemError, UnsupportedError
from nco.executors import executor_at
from nco.solve_many import solve_many
from nco.spread import MOST_TRIES, spread

SMALL = [nco.Problem.from_matrices(k * (1.0 - np.eye(3))) for k in (1, 2, 3)]


class Inline(Executor):
    """Does everything at once, but loses its worker where it is told to.

    Args:
        losing: called with the number of the submission; whether its worker is lost.
        breaks: whether it takes nothing any more after that.
    """

    def __init__(self, losing=lambda _number: False, *, breaks: bool = False) -> None:
        self._losing, self._breaks = losing, breaks
        self.submitted, self.done, self._broken = 0, Counter(), False

    def submit(self, fn, /, *args, **kwargs):
        """See `Executor`."""
        if self._broken:
            raise BrokenProcessPool("as it should")
        future: Future = Future()
        self.submitted += 1
        if self._losing(self.submitted):
            self._broken = self._breaks
            future.set_exception(BrokenProcessPool("as it should"))
            return future
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        self.done[id(args[0])] += 1
        return future


def costs(results):
    return {one.number: one.solution.cost.total for one in results}


def test_any_executor_does():
    """Threads, and one of our own, give the answer of `nco.solve` for each problem, once."""
    with ThreadPoolExecutor(2) as pool:
        for executor in (pool, Inline()):
            found = list(solve_many(SMALL, "nearest", executor=executor))
            assert len(found) == len(SMALL)
            assert costs(found) == {0: 3, 1: 6, 2: 9}


def test_results_stream_and_few_problems_are_read_ahead():
    """The first of endless problems is answered."""
    read = []

    def endless():
        while True:
            read.append(1)
            yield SMALL[0]

    results = solve_many(endless(), "nearest", executor=Inline())
    assert next(results).solution.feasible
    assert len(read) < 100
    results.close()


def test_what_a_lost_worker_did_is_done_by_another_and_nothing_twice():
    """The second and third submissions lose their workers: three problems, three results."""
    executor = Inline(lambda number: number in (2, 3))
    assert costs(solve_many(SMALL, "nearest", executor=executor)) == {0: 3, 1: 6, 2: 9}
    assert executor.submitted == len(SMALL) + 2
    assert set(executor.done.values()) == {1}


def test_what_ends_every_worker_is_given_up():
    """A problem that costs `MOST_TRIES` workers is an error of its own; others have answers."""
    executor = Inline(lambda number: number <= MOST_TRIES)
    results = list(solve_many(SMALL[:1], "nearest", executor=executor))
    assert [type(one.error) for one in results] == [NcoError]
    assert "workers were lost" in str(results[0].error)


@pytest.mark.parametrize("wrong", [[1], ["x"]])
def test_errors_stay_with_their_problem(wrong):
    """A method that refuses one problem answers the others; what is no problem ends it all."""
    windows = nco.Problem.from_matrices(
        1.0 - np.eye(3), window_s=[[0, 9]] * 3, demand=[0, 1, 1], capacity=2
    )
    results = solve_many([windows, SMALL[0]], "hgs", time_limit_s=0.1, executor=Inline())
    found = {one.number: one for one in results}
    assert isinstance(found[0].error, UnsupportedError)
    assert found[1].solution.feasible
    with pytest.raises(ProblemError):
        list(solve_many(wrong, "nearest", executor=Inline()))


def test_arguments_are_checked_before_anything_is_solved():
    """The call itself says what is wrong."""
    for options, message in (
        ({"method": "slove"}, "method 'slove' is unknown"),
        ({"time_limit_s": -1}, "time_limit_s is -1"),
        ({"jobs": 0}, "jobs is 0"),
        ({"executor": "dask"}, "executor"),
    ):
        with pytest.raises(InputError, match=message):
            solve_many(SMALL, **options)


def once_lost(marker: str, number: int) -> tuple[int, int]:
    """Dies at the first call of all, and says by whom it was called."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        time.sleep(0.01)
        return number, os.getpid()
    os._exit(1)


def test_processes_of_our_own_outlive_a_loss(tmp_path):
    """Two processes, one of which dies: every task is answered once, by a process that lives."""
    tasks = ((k, (str(tmp_path / "marker"), k)) for k in range(6))
    found = {key: future.result() for key, future in spread(once_lost, tasks, jobs=2)}
    assert {key: number for key, (number, _) in found.items()} == {k: k for k in range(6)}


def test_a_broken_pool_is_replaced(tmp_path):
    """After a loss `ProcessPoolExecutor` takes nothing: processes of our own take over."""
    executor = Inline(lambda number: number == 2, breaks=True)
    tasks = ((k, (k,)) for k in range(-3, 0))
    found = {key: future.result() for key, future in spread(abs, tasks, executor=executor)}
    assert found == {-3: 3, -2: 2, -1: 1}
    assert executor.submitted == 2


def test_dask_solves_them_as_well():
    """Dask's scheduler with workers in this process, which start in a moment."""
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1}
    with (
        distributed.LocalCluster(**options, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = solve_many(SMALL, "nearest", executor=client.get_executor())
        assert costs(found) == {0: 3, 1: 6, 2: 9}


def test_mpi_solves_them_as_well():
    """mpi4py's executor, where an MPI is installed."""
    futures = pytest.importorskip("mpi4py.futures", reason="mpi4py or an MPI is not installed")
    with futures.MPIPoolExecutor(1) as pool:
        assert costs(solve_many(SMALL, "nearest", executor=pool)) == {0: 3, 1: 6, 2: 9}


def test_executors_are_found_by_their_address():
    """No address is no executor; what is none, or where nobody answers, is said so."""
    with executor_at(None) as nothing:
        assert nothing is None
    for address, message in (
        ("dask", "begins with dask://, mpi://"),
        ("http://x", "begins with dask://, mpi://"),
        ("dask://nowhere", "give dask://HOST:PORT"),
    ):
        with pytest.raises(InputError, match=message), executor_at(address):
            pass


def test_a_benchmark_runs_on_another_executor(tmp_path):
    """A suite on an executor of any kind keeps the results that it has on processes here."""
    suite = bench.Suite(
        instances=bench.in_cities(("helsinki",), ("rcvrp",), (5,), count=2, seed=0),
        methods=("nearest",),
        budgets_s=(0.1,),
    )
    with ThreadPoolExecutor(1) as pool:
        results = bench.run(suite, tmp_path, executor=pool)
    assert [result.instance for result in results] == [i.name for i in suite.instances]
    assert all(result.sound for result in results)
    assert bench.run(suite, tmp_path, executor=Inline(lambda _n: True)) == results


@pytest.mark.slow
def test_a_real_pool_that_loses_a_worker_is_replaced(tmp_path):
    """`ProcessPoolExecutor` breaks with a worker: what it did not answer is answered here."""
    tasks = ((k, (str(tmp_path / "marker"), k)) for k in range(6))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = {key: done.result() for key, done in spread(once_lost, tasks, executor=pool)}
    assert {key: number for key, (number, _) in found.items()} == {k: k for k in range(6)}


@pytest.mark.slow
def test_processes_of_dask_may_be_lost(tmp_path):
    """A local cluster of processes, one of which dies: every task is answered once."""
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    tasks = ((k, (str(tmp_path / "marker"), k)) for k in range(6))
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False)
        found = {key: done.result() for key, done in spread(once_lost, tasks, executor=executor)}
    assert {key: number for key, (number, _) in found.items()} == {k: k for k in range(6)}
