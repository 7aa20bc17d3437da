"""Damaged files for every reader, and what the readers make of them."""
