"""`make mutants`: exit code 1 when fewer are caught than required."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from mutation.campaign import Store, control, run_all
from mutation.core import ROOT
from mutation.reach import collect
from mutation.report import REQUIRED, share_caught, write_report
from mutation.sites import all_mutations, draw
from mutation.trial import Copy

SEED = 2026
SIZE = 200
RESULTS = ROOT / "benchmarks" / "results"


def options(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument(
        "--sample", type=int, default=SIZE, help="the first of the draw"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path, default=ROOT / ".mutants")
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument(
        "--list", action="store_true", help="show the draw, run nothing"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Draw, run, report."""
    asked = options(arguments)
    by_file = all_mutations()
    drawn = draw(by_file, max(SIZE, asked.sample), asked.seed)[: asked.sample]
    drawn = [mutation for mutation in drawn if asked.only in mutation.file]
    if asked.list:
        for each in drawn:
            say(f"{each.file}:{each.line} {each.kind}: {each.before} -> {each.after}")
        return 0
    asked.state.mkdir(parents=True, exist_ok=True)
    cache = asked.state / "compiled"
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder) / str(n), cache) for n in range(asked.workers)]
        reach = collect(copies, asked.state / "lines.jsonl", say)
        for copy in copies:
            control(copy, reach)
        store = Store(asked.state / "outcomes.jsonl")
        outcomes = run_all(drawn, copies, reach, store, say)
        for copy in copies:
            copy.close()
    places = sum(len({(m.start, m.end) for m in found}) for found in by_file.values())
    whole = len(drawn) == SIZE and asked.seed == SEED
    output = asked.output or (RESULTS if whole else asked.state)
    write_report(outcomes, output, seed=asked.seed, places=places)
    caught = sum(each.caught for each in outcomes)
    say(f"{caught} of {len(outcomes)} caught; report in {output}")
    return 0 if share_caught(outcomes) >= REQUIRED else 1


def say(text: str) -> None:
    """A line at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
