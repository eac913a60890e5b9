"""Complete networks from the literature: classifiers, ResNet-18 and image generators."""
