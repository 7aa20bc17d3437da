"""Which of several paths a driver takes: models of choice, what decides, and when to stop."""
