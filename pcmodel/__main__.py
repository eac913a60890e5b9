"""`python -m pcmodel`: the command line without an installation."""

import sys

from pcmodel.cli import main

if __name__ == "__main__":
    sys.exit(main())
