"""Priors on the command line: `--prior "omega2 ~ Normal(-3, 4)"`, or a file of them."""

import argparse
from pathlib import Path

from pcmodel.cli.numbers import place

ABOUT = (
    '"omega2 ~ Normal(-3, 4)" of a mean, "omega2[EFFECT] ~ Normal(0, 1)" of an effect, '
    '"omega2_sd ~ HalfNormal(0.5)" of the SD over people; also StudentT, Cauchy, Logistic, '
    "HalfStudentT, HalfCauchy and Exponential; may be repeated"
)


def add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the priors that are set."""
    add = parser.add_argument
    add("--prior", action="append", default=[], metavar="P", help=ABOUT)
    add("--prior-file", type=place, metavar="FILE", help="such priors, one a line")


def priors_of(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The priors of file and command line, as they are recorded; UserError for those that cannot be read."""
    from pcmodel.behaviour.hierarchy.priors.written import parse_priors

    file = arguments.prior_file
    texts = [*(read_priors(file) if file else ()), *arguments.prior]
    return tuple(prior.text for prior in parse_priors(texts))


def read_priors(path: Path) -> list[str]:
    """The lines of a file of priors; comments begin with #, and items of a YAML list with a dash."""
    from pcmodel.inputs.files import read_text

    lines = (line.partition("#")[0].strip() for line in read_text(path).splitlines())
    texts = (line.removeprefix("- ").strip().strip("\"'") for line in lines)
    return [text for text in texts if text]
