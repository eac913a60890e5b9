"""A training run from a plan: images, network, learning, checkpoints, metrics, evaluation.

- `plan`        the fields of a configuration file, validated
- `shipped`     the configurations that come with the package, in `configurations/`
- `build`       the network and the learning options of a plan
- `setup`       a run before its first step; all errors of a plan are raised here
- `examples`    images and labels as the levels that training clamps
- `monitor`     measures, writes and saves between two chunks
- `evaluation`  accuracy, calibration, out-of-distribution images, generated images
- `run`         all of it together: `run_training`

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `record`, `networks`, `api`,
`data`, `report`.
"""
