"""Decoding with policies; the home of every search that is guided by one."""
