"""From a dose to a response: concentration, binding, competition, depletion, second stage."""
