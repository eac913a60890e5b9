"""What was caught and what was not, for machines and for readers."""

import json
from collections.abc import Sequence
from pathlib import Path

from mutation.campaign import Outcome
from mutation.core import ROOT
from mutation.equal_by_design import EQUAL_BY_DESIGN

REQUIRED = 0.95
"""Share of sabotages that must be caught."""


def share_caught(outcomes: Sequence[Outcome]) -> float:
    """Of all."""
    return sum(each.caught for each in outcomes) / max(1, len(outcomes))


def write_report(
    outcomes: Sequence[Outcome], folder: Path, *, seed: int, places: int
) -> None:
    """`mutants.json` and `mutants.md`."""
    rows = [row_of(number, each) for number, each in enumerate(outcomes, 1)]
    share = share_caught(outcomes)
    content = {
        "question": "How many one-line sabotages of the core do the default tests notice?",
        "seed": seed,
        "places": places,
        "drawn": len(rows),
        "caught": sum(row["caught"] for row in rows),
        "share_caught": round(share, 4),
        "required": REQUIRED,
        "spared_lines": [equal._asdict() for equal in EQUAL_BY_DESIGN],
        "cases": rows,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mutants.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (folder / "mutants.md").write_text(table(content), "utf-8")


def row_of(number: int, outcome: Outcome) -> dict:
    """One sabotage."""
    mutation = outcome.mutation
    return {
        "number": number,
        "file": f"pcmodel/{mutation.file}",
        "line": mutation.line,
        "kind": mutation.kind,
        "before": mutation.before,
        "after": mutation.after,
        "caught": outcome.caught,
        "caught_by": outcome.caught_by,
        "why": without_paths(outcome.why),
        "seconds": round(outcome.seconds, 1),
    }


def without_paths(text: str) -> str:
    """A message without the machine's folders."""
    return text.replace(str(ROOT), "").replace(str(Path.home()), "")


def table(content: dict) -> str:
    """Survivors first, then every sabotage, one a line."""
    rows = content["cases"]
    head = (
        f"# Sabotages\n\n{content['caught']} of {content['drawn']} caught "
        f"({100 * content['share_caught']:.1f} %, required {100 * content['required']:.0f} %), "
        f"drawn with seed {content['seed']} from {content['places']} places of the core. `make mutants` writes this.\n"
    )
    survivors = [row for row in rows if not row["caught"]]
    parts = [head, "\n## Not caught\n\n", *map(_line, survivors)]
    if not survivors:
        parts.append("None.\n")
    titles = (
        "\n## All\n\n| | place | before | after | caught by |\n|---|---|---|---|---|\n"
    )
    return "".join([*parts, titles, *map(_cells, rows)])


def _line(row: dict) -> str:
    return (
        f"- {row['file']}:{row['line']} ({row['kind']}): `{_short(row['before'])}` became "
        f"`{_short(row['after'])}`\n"
    )


def _cells(row: dict) -> str:
    by = row["caught_by"].removeprefix("tests/") or "**survived**"
    place = f"{row['file'].removeprefix('pcmodel/')}:{row['line']}"
    before, after = (
        _short(row[part]).replace("|", "\\|") for part in ("before", "after")
    )
    return f"| {row['number']} | {place} | `{before}` | `{after}` | {by} |\n"


def _short(text: str) -> str:
    return text if len(text) <= 70 else text[:67] + "..."
