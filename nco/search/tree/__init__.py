"""Monte Carlo tree search over what a policy decides."""
