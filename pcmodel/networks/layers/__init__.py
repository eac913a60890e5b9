"""Layers that predict a level from the one above: dense, convolutional, pooling, residual, and their scaling."""
