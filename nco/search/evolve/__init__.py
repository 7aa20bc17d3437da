"""Operators of the neighbourhood search that are written, and found, in a language of their own."""
