"""Random instances in cities."""
