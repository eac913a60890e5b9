"""Maps from one level to the one below: dense, convolutional, pooling, residual, and their scales."""
