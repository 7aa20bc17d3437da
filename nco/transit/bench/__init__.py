"""Methods of designing lines side by side."""
