"""Files of transit instances and of lines."""
