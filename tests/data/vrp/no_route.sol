Cost 18
