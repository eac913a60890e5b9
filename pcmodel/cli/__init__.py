"""The command line: `pcmodel list` and `pcmodel run EXPERIMENT`.

- `main`       the table of commands, and exit codes
- `commands`   one file a command: its options, its plan, and what it computes and shows
- `pages`      one file a page of results
- `running`    prepare, run, save, analyse, draw, report; signals
- `catalogue`  which experiments there are, read without running any
- `load`       import one and check that it follows the protocol
- `options`    command line and files to the experiment's `Config`
- `terminal`   what is printed

Nothing here imports jax before an experiment is run.

May import: `inputs`, `runtime`, `record`, `report`, `training`, `behaviour`.
"""

from pcmodel.cli.main import main as main
