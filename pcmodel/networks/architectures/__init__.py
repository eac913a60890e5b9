"""Whole networks of the literature: classifiers, ResNet-18, generators of images."""
