"""What lines are worth by the objectives of the benchmarks, exactly: see `exact`."""

from nco.transit.evaluate.exact import Evaluator as Evaluator
from nco.transit.evaluate.exact import evaluate as evaluate
from nco.transit.evaluate.result import Evaluation as Evaluation
from nco.transit.evaluate.result import Evaluations as Evaluations

__all__ = ["Evaluation", "Evaluations", "Evaluator", "evaluate"]
