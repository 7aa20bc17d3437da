"""Tables and feeds that instances are made from."""
