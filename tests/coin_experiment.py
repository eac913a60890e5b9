"""A tiny experiment for the tests of the command line, and what its run leaves."""

COIN = '''"""Does a coin fall heads half the time? It should.

Time: a second.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from pcmodel.errors import UserError
from pcmodel.report import Verdict


@dataclass(frozen=True)
class Coin:
    bias: float = 0.5

    def __post_init__(self):
        if not 0 < self.bias < 1:
            what = f"cannot be {self.bias}"
            raise UserError(what, where="coin.bias", expected="0 to 1")


@dataclass(frozen=True)
class Config:
    flips: int = 20
    kind: Literal["fair", "odd"] = "fair"
    widths: tuple[int, ...] = (3, 4)
    scale: float | None = None
    coin: Coin = field(default_factory=Coin)

    @classmethod
    def smoke(cls):
        return cls(flips=2)


class Results(NamedTuple):
    heads: object


class Summary(NamedTuple):
    share: float
    verdicts: tuple


def run(config, *, seed, progress):
    ...
    return Results(np.random.default_rng(seed).random(config.flips) < config.coin.bias)


def analyse(config, results):
    share = float(results.heads.mean())
    return Summary(share, (Verdict("fair", "near [1/2]", "0.5", "holds", "predicted"),))
'''

PLOT = """

def plot(config, results, summary):
    from pcmodel.report.style import new_figure

    figure, axes = new_figure(height=1)
    axes.plot(results.heads)
    return {"heads": figure}
"""

RECORD = ["arrays.npz", "config.json", "environment.json", "report.html"]
RECORD += ["result.json", "status.json"]


def sentence(capsys):
    """The one line that starts with the program's name."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    lines = [line for line in error.splitlines() if line.startswith("pcmodel: ")]
    assert len(lines) == 1, error
    return lines[0]
