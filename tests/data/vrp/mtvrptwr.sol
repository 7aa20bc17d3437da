Route #1: 1 2 0 3
Route #2:
Cost: 300
