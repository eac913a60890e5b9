"""What every benchmark is asked with: its question, `--smoke` and `--output`.

Imports no JAX, so that a script may still choose its number type from what was asked.
"""

import argparse
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def question_of(doc: str | None) -> str:
    """First line of a script's docstring, which is its question.

    Raises ValueError if there is none (also under `python -OO`).
    """
    if not doc:
        raise ValueError("a benchmark states its question in its docstring")
    return doc.splitlines()[0]


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A command line with the question as its heading, `--smoke` and `--output`."""
    parser = argparse.ArgumentParser(description=question_of(doc))
    parser.add_argument("--smoke", action="store_true", help="toy size")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder")
    return parser
