"""Benchmarks: suites of instances, methods and time budgets, run once and kept line by line.

Every run is one JSON line with all that is needed to repeat and to judge it; a suite that was
interrupted goes on where it stopped, and shares of it may run on several machines. Each run has
one thread to itself.
"""

from nco.bench.cities import Drawn as Drawn
from nco.bench.cities import in_cities as in_cities
from nco.bench.merge import check_comparable as check_comparable
from nco.bench.merge import gather as gather
from nco.bench.merge import missing as missing
from nco.bench.report import Report as Report
from nco.bench.result import Result as Result
from nco.bench.run import run as run
from nco.bench.shards import Shard as Shard
from nco.bench.stored import Stored as Stored
from nco.bench.stored import in_files as in_files
from nco.bench.suite import Suite as Suite
from nco.bench.suite import Task as Task

__all__ = [
    "Drawn",
    "Report",
    "Result",
    "Shard",
    "Stored",
    "Suite",
    "Task",
    "check_comparable",
    "gather",
    "in_cities",
    "in_files",
    "missing",
    "run",
]
