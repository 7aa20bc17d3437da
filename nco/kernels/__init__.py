"""Compiled building blocks that know no domain."""
