"""What is asked for under which path."""
