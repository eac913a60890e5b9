"""All batteries: `python -m tests.doors`; each can be run alone (`python -m tests.doors.calls`)."""

import sys
from collections import Counter

from pcmodel.runtime import compile_quickly

from . import calls, commands, files
from .verdicts import NAMED, RIGHT, printed, tally


def main() -> int:
    """Counts of each battery, then of all."""
    compile_quickly()
    whole: Counter[str] = Counter()
    for battery in (files, commands, calls):
        counts = tally(battery.results(), lambda line: print(line, flush=True))
        name = battery.__name__.rsplit(".", 1)[-1]
        print(f"{name}: {sum(counts.values())} inputs: {printed(counts)}", flush=True)
        whole += counts
    print(f"all: {sum(whole.values())} inputs: {printed(whole)}")
    return int(set(whole) - {NAMED, RIGHT} != set())


if __name__ == "__main__":
    sys.exit(main())
