"""How networks learn bus lines: lessons, methods, and the Lightning module."""
