"""Bus network design: instances, lines, exact evaluation, simulation, search."""
