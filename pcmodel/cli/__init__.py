"""The command line: `pcmodel list` and `pcmodel run EXPERIMENT`.

- `catalogue`  which experiments there are, read without running any
- `load`       import one and check that it follows the protocol
- `options`    command line and files to the experiment's `Config`
- `train`      what `pcmodel train` does with a configuration, and its page
- `execute`    run, save, analyse, draw, report
- `terminal`   what is printed
- `main`       arguments, exit codes, signals

Nothing here imports jax before an experiment is run.
"""

from pcmodel.cli.main import main as main
