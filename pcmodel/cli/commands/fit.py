"""`pcmodel fit DATA`: from arguments to a plan and the parts of an experiment."""

import argparse
import warnings
from pathlib import Path
from typing import Any

from pcmodel.cli.commands.command import (
    Command,
    Given,
    add_folder_arguments,
    add_formulas,
)
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import MOST, chosen, finite, whole, words
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of
from pcmodel.cli.running.chunks import open_chunks
from pcmodel.cli.running.continuing import (
    add_continue_arguments,
    begin_continuing,
    check_same,
    with_chains_of,
)
from pcmodel.cli.running.preparation import prepare
from pcmodel.cli.running.recorded import Destination, destination, run_in_folder
from pcmodel.cli.table_arguments import (
    add_table_arguments,
    check_names_of,
    table_options,
)
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import check_range
from pcmodel.inputs.ranges import Range

SMOKE: dict[str, Any] = {
    "num_warmup": 5,
    "num_samples": 50,
    "num_chains": 2,
    "max_tree_depth": 2,
    "num_steps": 50,
}
SIZES = {
    "warmup": Range(1, MOST),
    "samples": Range(50, MOST),
    "chains": Range(1, 1000),
    "max_tree_depth": Range(1, 20),
    "steps": Range(10, 10 * MOST),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel fit`."""
    add = parser.add_argument
    add("data", metavar="DATA", help="a .csv, .tsv or .parquet file, or a BIDS folder")
    add(
        "--task",
        required=True,
        help="for example binary (`pcmodel models` lists them), or a .yaml file of yours",
    )
    add(
        "--model",
        required=True,
        help="for example hgf3 (`pcmodel models` lists them), or FILE.py:CLASS",
    )
    add("--compare", default="", metavar="M,..", help="other models, by leave-one-out")
    add_fit_options(parser)
    add_continue_arguments(parser)
    add(
        "--accept-unconverged",
        action="store_true",
        help="show what was computed although it cannot be trusted",
    )
    add_folder_arguments(parser, name="fit")


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Add formulas, the options for reading a table, and those of the sampler; also of `pcmodel compare`."""
    add = parser.add_argument
    add_formulas(parser)
    add_table_arguments(parser)
    add_prior_arguments(parser)
    add(
        "--sensitivity",
        choices=("reweight", "refit"),
        default="reweight",
        help="to the priors: refit where the draws do not tell",
    )
    add("--pooled", action="store_true", help="nobody differs unless a formula says so")
    add("--svi", action="store_true", help="variational fit, for thousands of people")
    add("--warmup", type=whole, metavar="N", help="default 400")
    add("--samples", type=whole, metavar="N", help="per chain, default 500")
    add("--chains", type=whole, metavar="N", help="default 4")
    add("--target-accept", type=finite, metavar="P", help="default 0.9")
    add("--max-tree-depth", type=whole, metavar="N", help="default 8")
    add("--steps", type=whole, metavar="N", help="of --svi, default 3000")


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for numbers out of range, and for names, before data are read."""
    from pcmodel.behaviour.models.own.loading import own_hashes
    from pcmodel.behaviour.studies.fit import Plan

    _check_sizes(arguments)
    check_names_of(arguments, arguments.model, *words(arguments.compare))
    counts = {f"num_{name}": name for name in ("warmup", "samples", "chains", "steps")}
    return Plan(
        task=arguments.task,
        model=arguments.model,
        own_sha256=own_hashes(
            arguments.task, arguments.model, *words(arguments.compare)
        ),
        formulas=tuple(arguments.formula),
        pooled=arguments.pooled,
        method="svi" if arguments.svi else "nuts",
        compare_with=words(arguments.compare),
        priors=priors_of(arguments),
        sensitivity=arguments.sensitivity,
        **table_options(arguments),
        **chosen(arguments, SMOKE, "target_accept", "max_tree_depth", **counts),
    )


def fit(given: Given) -> int:
    """Fit, record and show; or show a finished fit again from its saved results."""
    arguments = given.arguments
    continued = begin_continuing(arguments)
    prepare(arguments)
    plan = make_plan(arguments)
    if continued:
        check_same(plan, continued)
    to = destination("fit", plan, arguments)
    experiment = fit_experiment(
        plan,
        accept_unconverged=arguments.accept_unconverged,
        is_smoke=arguments.smoke,
        folder=to.path,
        open_store=with_chains_of(
            continued, open_fit_chunks(to, anew=arguments.overwrite)
        ),
    )
    if show_finished(experiment, to, given):
        return 0
    return run_in_folder(experiment, to, arguments, command=given.again())


def _check_sizes(arguments: argparse.Namespace) -> None:
    """UserError for a number out of range, and for an option of the other method."""
    unused = ("warmup", "samples", "chains", "max_tree_depth", "target_accept")
    for name in unused if arguments.svi else ("steps",):
        if getattr(arguments, name) is not None:
            raise UserError(
                "is said of NUTS, and --svi fits without it"
                if arguments.svi
                else "is said of a variational fit",
                where=f"--{name.replace('_', '-')}",
                expected="it to be left out" + ("" if arguments.svi else ", or --svi"),
            )
    for name, limits in SIZES.items():
        size = getattr(arguments, name)
        if size is not None:
            check_range(size, limits, where=f"--{name.replace('_', '-')}")
    accept = arguments.target_accept
    if accept is not None and not 0.5 <= accept < 1.0:
        raise UserError(
            f"cannot be {accept}", where="--target-accept", expected="0.5 to 1"
        )


def fit_experiment(
    plan: Any,
    *,
    accept_unconverged: bool,
    is_smoke: bool = False,
    folder: Path | None = None,
    open_store: Any = lambda model: {},
) -> Experiment:
    """The fit as an experiment, so that it is recorded like one.

    folder: of the tables and draws that a fit writes; None for none.
    open_store: opens the stores of `run_workflow`.
    """
    from pcmodel.behaviour.studies.fit import run_workflow
    from pcmodel.cli import terminal
    from pcmodel.cli.pages import fit_outputs, fit_page
    from pcmodel.cli.running.outputs import write_outputs

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        # The page and the terminal report what the warning says about the chains.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "do not trust this fit")
            kept: list[Any] = []
            found = run_workflow(
                config,
                seed=seed,
                progress=progress,
                keep=kept.append,
                open_store=open_store,
            )
        if found.told is not None:
            terminal.print_entries(fit_outputs.prior_entries(found.told.priors))
        if folder is not None:
            with progress.stage("tables of people, trials and effects"):
                write_outputs(kept[0], found.told, folder, seed=seed)
        return found

    return Experiment(
        name="fit",
        question=f"What do these data say about {plan.model} in the {plan.task} task?",
        config=type(plan),
        run=run,
        analyse=lambda config, results: fit_page.analyse(
            config,
            results,
            accept_unconverged=accept_unconverged,
            is_smoke=is_smoke,
        ),
        plot=fit_page.plot,
        report=fit_page.report,
    )


def open_fit_chunks(to: Destination, *, anew: bool) -> Any:
    """The stores of a fit's chains, identified by all options that affect them except the number of draws.

    They remain when the run is complete, so that the same fit with more draws continues from them.

    anew: delete them first, unless the folder holds another run; that run is replaced, and this one may
        continue from its chains.
    """
    from dataclasses import replace

    from pcmodel.record import to_jsonable
    from pcmodel.record.folder import read_status

    identity, folder = to
    chains = to_jsonable(identity.config)
    chains |= {"num_samples": 0, "num_steps": 0, "compare_with": []}
    chains |= {"sensitivity": "reweight"}
    status = read_status(folder) or {}
    is_other = status.get("config_hash") not in (None, identity.config_hash)
    return open_chunks(
        folder,
        replace(identity, config=chains),
        anew=anew and not is_other,
        shared=True,
    )


def show_finished(experiment: Experiment, to: Destination, given: Given) -> bool:
    """Show a finished fit although it is not to be trusted, if that was asked for; returns whether it was.

    Raises UserError for results that another version saved.
    """
    from pcmodel.behaviour.studies.fit import WorkflowResults
    from pcmodel.cli import terminal
    from pcmodel.cli.running.execute import show
    from pcmodel.record import RunFolder
    from pcmodel.record.arrays import read_arrays, rebuild
    from pcmodel.record.folder import is_complete

    arguments = given.arguments
    asked = arguments.accept_unconverged and not arguments.overwrite
    if not asked or not is_complete(to.path, to.identity):
        return False
    file = to.path / "arrays.npz"
    try:
        results = rebuild(WorkflowResults, read_arrays(file))
    except (KeyError, ValueError) as error:
        raise UserError(
            f"does not hold what this version saves ({error})",
            where=str(file),
            expected="the run to be made again, with --overwrite",
        ) from None
    report = show(
        experiment,
        to.identity.config,
        results,
        folder=RunFolder.reopen(to.path, to.identity),
        command=given.again(),
        is_smoke=arguments.smoke,
    )
    terminal.print_summary(report, to.path)
    return True


FIT = Command(
    name="fit",
    help="fit a model to behavioural data and write its folder and report",
    description="Fit a participant model to a table of trials, or to a BIDS folder.",
    add_arguments=add_arguments,
    carry_out=fit,
    page="docs/fit-your-data.md",
)
