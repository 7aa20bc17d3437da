"""Tables of stops and of vehicles as people have them: titles, cells, times, faults."""
