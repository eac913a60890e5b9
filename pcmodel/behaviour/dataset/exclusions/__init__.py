"""Which rows are no trials of the task: practice, second attempts, and what is left out."""
