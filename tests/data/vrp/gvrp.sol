Route #1: 1
Route #2: 2
Route #3: 4
Cost: 36
