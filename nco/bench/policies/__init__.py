"""How good and how fast are policies? Fixed test sets, stored references, checked answers."""
