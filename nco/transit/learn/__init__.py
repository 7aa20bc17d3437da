"""Bus lines as a decision process, the network that learns them, and its training."""
