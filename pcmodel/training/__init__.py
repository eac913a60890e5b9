"""A training run from a plan: images, network, learning, checkpoints, metrics, evaluation.

- `plan`        what a configuration file says, checked
- `shipped`     the configurations that come with the package, in `configurations/`
- `build`       the network and the way of learning that a plan asks for
- `setup`       everything that can be refused, before the first step
- `examples`    images and labels as the levels that training clamps
- `monitor`     what is measured and saved between two chunks
- `evaluation`  accuracy, calibration, foreign images, generated images
- `run`         all of it together: `run_training`

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `record`, `networks`, `api`,
`data`, `report`.
"""
