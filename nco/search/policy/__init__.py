"""Policies that solve problems."""
