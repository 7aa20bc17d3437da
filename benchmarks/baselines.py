"""Is a baseline as strong as its library is when used plainly?

Solves capacitated instances in Helsinki by `nco.solve(..., "pyvrp")` and by PyVRP's own
`solve` with default parameters on whole metres, under the same limit and seeds, in turns.
A positive difference means that our adapter is worse than plain PyVRP.

    python benchmarks/baselines.py [--stops 50 100 200] [--limit 1] [--instances 6]
"""

import argparse

import numpy as np
import pyvrp
from pyvrp.stop import MaxRuntime

import nco


def plain_pyvrp(problem: nco.Problem, limit_s: float, seed: int) -> float:
    """Metres that PyVRP needs with its defaults."""
    metres = np.rint(problem.profiles[0].distance_m).astype(np.int64)
    clients = [
        pyvrp.Client(location=j, delivery=[int(problem.demand[j, 0])]) for j in problem.stops
    ]
    vehicle = problem.vehicles[0]
    data = pyvrp.ProblemData(
        [pyvrp.Location(0, 0)] * problem.size,
        clients,
        [pyvrp.Depot(location=0)],
        [
            pyvrp.VehicleType(
                num_available=len(problem.vehicles), capacity=[int(vehicle.capacity[0])]
            )
        ],
        [metres],
        [np.zeros_like(metres)],
    )
    best = pyvrp.solve(data, stop=MaxRuntime(limit_s), seed=seed, display=False).best
    routes = [
        [problem.depots + activity.idx for activity in route if activity.is_client()]
        for route in best.routes()
    ]
    solution = nco.Solution.from_routes(problem, routes)
    assert nco.check(problem, solution), "plain PyVRP must be feasible for the comparison to hold"
    return solution.cost.total


def main() -> None:
    """Print the mean difference for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--instances", type=int, default=6)
    arguments = parser.parse_args()
    city = nco.city("helsinki")
    for stops in arguments.stops:
        differences = []
        for seed in range(arguments.instances):
            problem = nco.sample.rcvrp(city, stops, seed=900 + seed)
            plain = plain_pyvrp(problem, arguments.limit, seed)
            ours = nco.solve(problem, "pyvrp", time_limit_s=arguments.limit, seed=seed).cost.total
            differences.append(100 * (ours / plain - 1))
        error = np.std(differences, ddof=1) / np.sqrt(len(differences))
        print(
            f"{stops} stops, {arguments.limit:g} s: our pyvrp costs {np.mean(differences):+.2f} % "
            f"(standard error {error:.2f}) against plain PyVRP over {len(differences)} instances"
        )


if __name__ == "__main__":
    main()
