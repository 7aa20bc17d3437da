Route #1:
Route #2: 1
Route #3: 2 3
Route #4:
Cost: 5.78
