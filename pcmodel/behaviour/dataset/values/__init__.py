"""What cells mean: codes, units, missing values, and what is nearly a number."""
