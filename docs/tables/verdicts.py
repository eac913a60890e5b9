"""Write docs/verdicts.md: every verdict of the experiments that were run, as their folders hold it.

    python docs/tables/verdicts.py runs/belief_revision-... runs/mismatch-... [...]

Smoke runs and unfinished ones are refused. Experiments without a folder are named as not run.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from pcmodel.cli.catalogue import catalogue

PAGE = Path(__file__).parents[1] / "verdicts.md"
MARKS = {"holds": "holds", "fails": "**fails**", "inconclusive": "open"}
HEAD = """# Verdicts of the experiments

Every verdict of the experiments as they were last run for this page, in their default settings, seed 0: nothing is
left out. Written by `python docs/tables/verdicts.py` from the runs' folders. Another seed or version gives other
numbers: run the command.

*Theorem*: must hold by mathematics. *Calibrated*: a parameter was set so that it holds; no evidence. *Predicted*:
could have failed; the only kind that counts for a mechanism, and only as far as the simulation's assumptions do.
Nothing here is clinical advice.

```python
from pcmodel.report.content import KIND_MEANING

for kind, meaning in KIND_MEANING.items():
    print(kind, "-", meaning)
```
"""


def cell(text: str) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(text.split()).replace("|", "\\|").replace("$", "\\$")


def read(folder: Path) -> tuple[dict, dict]:
    """Results and environment of a complete run in full size; SystemExit for any other folder."""
    status = json.loads((folder / "status.json").read_text("utf-8"))
    result = json.loads((folder / "result.json").read_text("utf-8"))
    if status["status"] != "complete" or result["stamp"]:
        raise SystemExit(f"{folder}: not a complete run in full size")
    return result, json.loads((folder / "environment.json").read_text("utf-8"))


def section(result: dict, environment: dict) -> str:
    """One experiment."""
    packages = environment["packages"]
    lines = [
        f"## {result['experiment']}",
        "",
        f"`pcmodel run {result['experiment']}` (pcmodel {packages['pcmodel']}, jax {packages['jax']}, "
        f"{environment['device']})",
        "",
        "| claim | kind | predicted | observed | |",
        "|---|---|---|---|---|",
    ]
    for verdict in result["summary"]["verdicts"]:
        words = (cell(verdict[key]) for key in ("name", "kind", "prediction"))
        seen, mark = cell(verdict["observed"]), MARKS[verdict["outcome"]]
        lines.append(f"| {' | '.join(words)} | {seen} | {mark} |")
    return "\n".join(lines)


def tally(runs: list[tuple[dict, dict]]) -> str:
    """How many verdicts of each kind came out how."""
    found = Counter(
        (verdict["kind"], verdict["outcome"])
        for result, _ in runs
        for verdict in result["summary"]["verdicts"]
    )
    lines = ["| kind | holds | fails | open |", "|---|---|---|---|"]
    for kind in ("theorem", "calibrated", "predicted"):
        lines.append(f"| {kind} | {' | '.join(str(found[kind, o]) for o in MARKS)} |")
    return "\n".join(lines)


def main(folders: list[Path]) -> None:
    """Write the page."""
    runs = sorted(map(read, folders), key=lambda run: run[0]["experiment"])
    done = {result["experiment"] for result, _ in runs}
    left = sorted({row.name for row in catalogue()} - done)
    rest = "Not run for this page: " + ", ".join(f"`{name}`" for name in left) + "."
    parts = [HEAD, tally(runs), "", rest, "", *(section(*run) + "\n" for run in runs)]
    PAGE.write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
