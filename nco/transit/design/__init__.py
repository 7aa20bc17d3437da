"""Methods that design lines, all against the same objectives and counted in evaluations."""
