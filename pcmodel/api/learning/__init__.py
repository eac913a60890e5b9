"""Learning at the door: training by EM and other rules, exact EM, recognition networks, resuming."""
