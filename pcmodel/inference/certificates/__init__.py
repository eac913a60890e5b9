"""How far an answer may be from a mode: distance, saddles, kinks, and modes that lie on corners."""
