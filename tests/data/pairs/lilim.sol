Route 1 : 4 1 3 2
Vehicles 1
Cost 25.47603026
