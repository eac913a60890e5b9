"""`pcmodel compare TABLE --models A B`: which of several models predicts best, in the group and in each person."""

import argparse
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.commands.fit import add_fit_options, make_plan
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import finite, place
from pcmodel.cli.running.cluster import (
    add_cluster_arguments,
    check_cluster,
    run_jobs,
)
from pcmodel.cli.running.finished import FinishedFit, label_fits, read_fit
from pcmodel.cli.running.preparation import prepare
from pcmodel.cli.running.recorded import Destination, destination, run_in_folder
from pcmodel.errors import UserError
from pcmodel.runtime.progress import Progress

SHARE = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel compare`."""
    add = parser.add_argument
    add("data", metavar="DATA", nargs="?", help="as of `pcmodel fit`; not with --runs")
    add("--task", help="binary, bandit, rating, helicopter or conditioning")
    add("--models", nargs="+", default=[], metavar="M", help="two or more of the task")
    add(
        "--runs",
        nargs="+",
        type=place,
        default=[],
        metavar="DIR",
        help="finished fits instead, of the same trials",
    )
    add(
        "--out-of-time",
        type=finite,
        metavar="SHARE",
        help="share of each series' trials from which the later ones are predicted, "
        f"default {SHARE}; 0: none",
    )
    add_fit_options(parser)
    add_folder_arguments(parser, name="compare")
    add_cluster_arguments(parser)


def compare(given: Given) -> int:
    """Fit what is not fitted yet, compare, and record."""
    arguments = given.arguments
    prepare(arguments)
    check_cluster(arguments)
    if arguments.svi and (arguments.cluster or arguments.share):
        raise UserError(
            "keeps no chains that jobs could share",
            where="--svi",
            expected="it without --cluster and --share",
        )
    finished = [read_fit(path) for path in arguments.runs]
    plan = _plan(arguments, finished)
    to = destination("compare", plan, arguments)
    stores = _stores(plan, to, finished, anew=arguments.overwrite)
    if arguments.share:
        return _fit_share(plan, arguments, stores)
    submit = partial(run_jobs, arguments, list(given.line), to.path)
    experiment = _experiment(
        plan, to, stores, submit if arguments.cluster else lambda: None
    )
    return run_in_folder(experiment, to, arguments, command=given.again())


def _fit_share(
    plan: Any, arguments: argparse.Namespace, stores: Callable[[int, str], Any]
) -> int:
    """Fit the models of a share, and nothing else."""
    from pcmodel.behaviour.comparison.study import fit_models

    number, total = arguments.share
    progress = Progress(lines=True, silent=arguments.quiet)
    own = range(number, len(plan.fits), total)
    with _no_warning_of_chains():
        fit_models(plan, own, progress=progress, open_store=stores)
    return 0


@contextmanager
def _no_warning_of_chains() -> Iterator[None]:
    """The page tells what the warning says about the chains."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "do not trust this fit")
        yield


def _plan(arguments: argparse.Namespace, finished: list[FinishedFit]) -> Any:
    """The plan of the arguments; UserError for what does not fit together."""
    from pcmodel.behaviour.comparison.study import ComparePlan

    share = SHARE if arguments.out_of_time is None else arguments.out_of_time
    if not 0.0 <= share < 1.0:
        raise UserError(
            f"cannot be {share:g}", where="--out-of-time", expected="0 to below 1"
        )
    if finished:
        if arguments.data or arguments.models or arguments.task:
            raise UserError(
                "says what was fitted",
                where="--runs",
                expected="it without DATA, --task and --models",
            )
        return ComparePlan(
            label_fits(finished),
            tuple(fit.plan for fit in finished),
            tuple(fit.seed for fit in finished),
            share,
        )
    for name, value in (("DATA", arguments.data), ("--task", arguments.task)):
        if not value:
            raise UserError("is missing", where=name, expected="it, or --runs")
    if not arguments.models:
        raise UserError(
            "are missing", where="--models", expected="two or more, or --runs"
        )
    plans = tuple(_plan_of(arguments, name) for name in arguments.models)
    seeds = (arguments.seed,) * len(plans)
    return ComparePlan(tuple(arguments.models), plans, seeds, share)


def _plan_of(arguments: argparse.Namespace, model: str) -> Any:
    """The plan of one model's fit, with the formulas of parameters that it has."""
    kept = [text for text in arguments.formula if _takes(arguments, model, text)]
    nobody = [
        text
        for text in arguments.formula
        if not any(_takes(arguments, name, text) for name in arguments.models)
    ]
    own = vars(arguments) | {
        "model": model,
        "compare": "",
        "formula": [*kept, *nobody],  # the latter are refused with a list of names
    }
    return make_plan(argparse.Namespace(**own))


def _takes(arguments: argparse.Namespace, model: str, text: str) -> bool:
    """Whether the model has the formula's parameter; also for what cannot be read, which the fit refuses."""
    from pcmodel.behaviour.hierarchy.formula import parse_formula
    from pcmodel.behaviour.models.catalogue import find_parameters

    judgements = tuple(w for j in arguments.judgements for w in j.split(",") if w)
    try:
        found = find_parameters(arguments.task, model, judgements)
        return parse_formula(text).parameter in {
            name for p in found for name in (p.name, *p.names)
        }
    except UserError:
        return True


def _stores(
    plan: Any, to: Destination, finished: list[FinishedFit], *, anew: bool
) -> Callable[[int, str], Any]:
    """The stores of chains: the comparison's own, and those of the fits that are compared."""
    from pcmodel.behaviour.sampling.chains import DrawBatch
    from pcmodel.record.replications import BesideOthers, StoredReplications
    from pcmodel.record.strict_json import hash_json

    def store(number: int, name: str) -> Any:
        chains = hash_json([plan.fits[number], plan.seeds[number], plan.share])[:8]
        own = StoredReplications(to.path / f"chunks-{chains}" / name, DrawBatch)
        if anew:
            own.clear()
        if not finished:
            return own
        paths = sorted(finished[number].path.glob(f"chunks-*/{name}"))
        return BesideOthers(own, [StoredReplications(p, DrawBatch) for p in paths])

    return store


def _experiment(
    plan: Any,
    to: Destination,
    stores: Callable[[int, str], Any],
    submit: Callable[[], None],
) -> Experiment:
    """The comparison as an experiment, so that it is recorded like one.

    submit: runs the fits as jobs beforehand, if that was asked for.
    """
    from pcmodel.behaviour.comparison.study import run_comparison
    from pcmodel.cli.comparison import page, tables

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        submit()
        with _no_warning_of_chains():
            found = run_comparison(config, progress=progress, open_store=stores)
        tables.write_tables(found, to.path)
        return found

    return Experiment(
        name="compare",
        question=f"Which of {', '.join(plan.labels)} predicts these people best?",
        config=type(plan),
        run=run,
        analyse=page.analyse,
        plot=page.plot,
        report=page.report,
    )


COMPARE = Command(
    name="compare",
    help="fit several models and say which predicts best, in the group and in each person",
    description="Random-effects model selection, stacking, left-out people and later trials.",
    add_arguments=add_arguments,
    carry_out=compare,
    page="docs/comparing-models.md",
)
