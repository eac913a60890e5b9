"""`python -m pcmodel`: the command line without an installation."""

import sys

from pcmodel.cli import main

sys.exit(main())
