"""A training run from a plan: images, network, learning, checkpoints, metrics, evaluation.

- `plan`       what a configuration file says, checked
- `shipped`    the configurations that come with the package
- `build`      the network and the way of learning that a plan asks for
- `examples`   images and labels as the levels that training clamps
- `evaluate`   accuracy, surprise and calibration on held-out images
- `foreign`    whether the free energy tells foreign images
- `run`        all of it together: `run_training`
"""
