"""How a policy's decisions become routes: rollouts, beams, views, active search."""
