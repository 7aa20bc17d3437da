Route 1 : 1 3 2 4
Vehicles 1
Cost 43
