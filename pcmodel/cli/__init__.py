"""The command line: `pcmodel list` and `pcmodel run EXPERIMENT`.

- `catalogue`  which experiments there are, read without running any
- `load`       import one and check that it follows the protocol
- `options`    command line and files to the experiment's `Config`
- `commands`   one file a command
- `pages`      one file a page of results
- `execute`    run, save, analyse, draw, report
- `terminal`   what is printed
- `main`       arguments, exit codes, signals

Nothing here imports jax before an experiment is run.

May import: `inputs`, `runtime`, `record`, `report`, `training`, `behaviour`.
"""

from pcmodel.cli.main import main as main
