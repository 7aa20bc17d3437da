"""Established solvers and classical heuristics behind one protocol (`nco.solver.Solver`)."""
