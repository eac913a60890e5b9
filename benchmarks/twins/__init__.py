"""What the comparison of learning rules with their backprop twin measures; imports pcmodel and nothing of the scripts."""
