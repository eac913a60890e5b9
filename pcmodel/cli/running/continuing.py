"""`pcmodel fit ... --continue RUN --draws N`: more draws from the chains of a finished fit.

The chains go on from their stored states with the same step sizes, so that the draws are those of one long fit.
"""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from pcmodel.cli.numbers import place, whole
from pcmodel.cli.running.finished import FinishedFit, read_fit
from pcmodel.errors import UserError

FREE = ("num_samples", "compare_with", "data")  # the data are compared by their hash
SIZES = {
    "warmup": "num_warmup",
    "chains": "num_chains",
    "target_accept": "target_accept",
    "max_tree_depth": "max_tree_depth",
}


def add_continue_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --continue and --draws."""
    add = parser.add_argument
    add(
        "--continue",
        dest="continued",
        type=place,
        metavar="RUN",
        help="a finished fit of the same data and model: its chains go on",
    )
    add("--draws", type=whole, metavar="N", help="with --continue: more, per chain")


def begin_continuing(arguments: argparse.Namespace) -> FinishedFit | None:
    """The fit that is continued, whose seed and sizes the arguments then have; None where none is asked for."""
    if arguments.continued is None:
        if arguments.draws is not None:
            raise UserError(
                "is given alone", where="--draws", expected="--continue RUN"
            )
        return None
    _check_words(arguments)
    fit = read_fit(arguments.continued)
    if fit.plan.method != "nuts":
        raise UserError(
            "is a variational fit, which has no chains", where=str(fit.path)
        )
    if arguments.seed not in (0, fit.seed):
        raise UserError(
            f"is {arguments.seed}",
            where="--seed",
            expected=f"{fit.seed}, as of {fit.path}",
        )
    arguments.seed = fit.seed
    arguments.samples = fit.plan.num_samples + arguments.draws
    for name, field in SIZES.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, getattr(fit.plan, field))
    return fit


def _check_words(arguments: argparse.Namespace) -> None:
    if arguments.draws is None or arguments.draws < 1:
        given = "missing" if arguments.draws is None else str(arguments.draws)
        raise UserError(
            f"is {given}",
            where="--draws",
            expected="how many more draws a chain, 1 or more",
        )
    for name in ("samples", "svi"):
        if getattr(arguments, name):
            raise UserError(
                "contradicts --continue", where=f"--{name}", expected="--draws alone"
            )


def check_same(plan: Any, fit: FinishedFit) -> None:
    """UserError unless the plan is that of the fit but for the number of draws."""
    if plan.data_sha256 != fit.plan.data_sha256:
        raise UserError(
            "are not those of the fit", where=plan.data, expected=str(fit.plan.data)
        )
    for field in fields(plan):
        name = field.name
        own, other = getattr(plan, name), getattr(fit.plan, name)
        if name not in FREE and own != other:
            raise UserError(
                f"{name} is {_shown(own)}",
                where="--continue",
                expected=f"{_shown(other)}, as of {fit.path}",
            )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    return str(value)


def with_chains_of(
    fit: FinishedFit | None, open_store: Callable[[str], Any]
) -> Callable[[str], Any]:
    """The stores of a fit that also read the chains of the one that it continues, wherever that is."""
    if fit is None:
        return open_store
    from pcmodel.behaviour.sampling.chains import DrawBatch
    from pcmodel.record.replications import BesideOthers, StoredReplications

    def store(name: str) -> Any:
        paths = sorted(fit.path.glob(f"chunks-*/{name}"))
        others = [StoredReplications(path, DrawBatch) for path in paths]
        return BesideOthers(open_store(name), others)

    return store
