"""All batteries, and the counts of each: `python -m tests.doors [--share 0.05] [--skip-slow]`.

Each can be run alone: `python -m tests.doors.calls`, `.commands`, `.files`, `.arrays`.
"""

import argparse
import sys
from collections import Counter

from pcmodel.runtime.flags import compile_quickly

from . import calls, commands, files
from .verdicts import NAMED, RIGHT, printed, tally


def main() -> int:
    """Counts of each battery, then of all; 1 where anything is neither refused nor right."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0, help="of all inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--skip-slow", action="store_true", help="what is compiled long"
    )
    options = parser.parse_args()
    compile_quickly()
    drawn = {"share": options.share, "seed": options.seed}
    every = {
        "damaged files": files.results(
            rounds=max(1, round(40 * options.share)), seed=options.seed
        ),
        "command lines": commands.results(**drawn),
        "calls": calls.results(**drawn, skip_slow=options.skip_slow),
    }
    whole: Counter[str] = Counter()
    for name, results in every.items():
        counts = tally(results, lambda line: print(line, flush=True))
        print(f"{sum(counts.values())} {name}: {printed(counts)}", flush=True)
        whole += counts
    print(f"{sum(whole.values())} inputs in all: {printed(whole)}")
    return int(bool(set(whole) - {NAMED, RIGHT}))


if __name__ == "__main__":
    sys.exit(main())
