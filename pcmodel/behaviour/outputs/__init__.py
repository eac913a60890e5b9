"""Tables that come out of a fit: people, trials, effects in natural units, and what each column is."""
