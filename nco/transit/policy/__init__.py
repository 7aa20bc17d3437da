"""Bus lines as a decision process, and the network that decides."""
