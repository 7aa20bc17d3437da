"""How lines are run: what they cost, how often, by which timetable, and by which vehicles."""
