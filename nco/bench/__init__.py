"""Benchmarks: suites of instances, methods and time budgets, run once and kept line by line.

Every run is one JSON line with all that is needed to repeat and to judge it; a suite that was
interrupted goes on where it stopped. Each run has one thread to itself.
"""

from nco.bench.run import run as run
from nco.bench.suite import Suite as Suite
from nco.bench.suite import Task as Task
from nco.bench.summary import Summary as Summary
from nco.bench.summary import gaps as gaps
from nco.bench.summary import sound as sound
from nco.bench.summary import summarise as summarise
from nco.bench.summary import table as table

__all__ = ["Suite", "Summary", "Task", "gaps", "run", "sound", "summarise", "table"]
