"""From a hierarchical model to draws: maxima, first guesses, NUTS, variational inference."""
