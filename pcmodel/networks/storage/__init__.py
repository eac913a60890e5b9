"""Storage of a network as one .npz file without pickle: description, likelihood, shared parameters, arrays."""
