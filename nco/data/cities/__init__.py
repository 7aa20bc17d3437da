"""Cities: streets in process and served, extracts, and matrices between places."""
