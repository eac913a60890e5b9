"""The command line: `pcmodel list`, `pcmodel run EXPERIMENT` and the other commands.

- `main`       the table of commands, and exit codes
- `commands`   one file a command: its options, its plan, and the parts of the experiment that it runs
- `comparison` `pcmodel compare`: its options, its page, its tables and pictures
- `pages`      one file a page of results
- `explore`    `pcmodel explore`
- `running`    prepare, run, save, analyse, draw, report; signals
- `catalogue`  lists experiments by reading their source, without running any
- `load`       imports one and checks that it follows the protocol
- `options`    from the command line and files to the experiment's `Config`
- `terminal`   what is printed

Nothing here imports jax before an experiment is run.

May import: `inputs`, `runtime`, `record`, `report`, `training`, `behaviour`, `sessions`, `brain`,
`explorer`.
"""

from pcmodel.cli.main import main as main
