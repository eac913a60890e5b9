"""`pcmodel fit DATA`: arguments in, a plan and the parts of an experiment out."""

import argparse
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import MOST, chosen, finite, place, whole
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.inputs.files import shown
from pcmodel.inputs.numerals import to_finite

SMOKE: dict[str, Any] = {
    "num_warmup": 5,
    "num_samples": 50,
    "num_chains": 2,
    "max_tree_depth": 2,
    "num_steps": 50,
}
SIZES = {
    "warmup": (1, MOST),
    "samples": (50, MOST),
    "chains": (1, 1000),
    "max_tree_depth": (1, 20),
    "steps": (10, 10 * MOST),
}


def add_fit_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel fit`."""
    add = parser.add_argument
    add("data", metavar="DATA", help="a .csv, .tsv or .parquet file, or a BIDS folder")
    add("--task", required=True, help="binary, bandit, rating or helicopter")
    add("--model", required=True, help="for example hgf3; a wrong name lists them")
    add(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help='"omega2 ~ drug + (drug | participant)"; may be repeated',
    )
    add_table_arguments(parser)
    add("--pooled", action="store_true", help="nobody differs unless a formula says so")
    add("--svi", action="store_true", help="variational fit, for thousands of people")
    add("--compare", default="", metavar="M,..", help="other models, by leave-one-out")
    add("--warmup", type=whole, metavar="N", help="default 400")
    add("--samples", type=whole, metavar="N", help="per chain, default 500")
    add("--chains", type=whole, metavar="N", help="default 4")
    add("--target-accept", type=finite, metavar="P", help="default 0.9")
    add("--max-tree-depth", type=whole, metavar="N", help="default 8")
    add("--steps", type=whole, metavar="N", help="of --svi, default 3000")
    add(
        "--accept-unconverged",
        action="store_true",
        help="show what was computed although it cannot be trusted",
    )
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help="default runs/fit-HASH-SEED")
    add("--overwrite", action="store_true", help="replace a complete run")
    add("--quiet", action="store_true", help="no progress on stderr")


def add_table_arguments(parser: argparse.ArgumentParser) -> None:
    """How a table is to be read; what is a list may be repeated, and is then put together."""
    add = parser.add_argument
    more = {"action": "append", "default": []}
    add(
        "--columns",
        **more,
        metavar="A=B,..",
        help="the task's names = the file's; participant=A+B where two people share an A; "
        "trial=row: in the order of the rows",
    )
    add("--series", **more, metavar="C,..", help="columns that restart the belief")
    add("--scale", default="", metavar="LOW,HIGH[,STEP]", help="of ratings")
    add("--after-outcome", action="store_true", help="ratings follow the outcome")
    add(
        "--judgements",
        **more,
        metavar="J,..",
        help="columns beside the response: confidence, reaction_time",
    )
    add("--bids-task", metavar="LABEL", help="which task of a BIDS folder")
    add("--bids-suffix", metavar="KIND", help="beh or events, where it has both")
    add(
        "--where",
        **more,
        metavar="EXPR",
        help='rows to use: "phase == test and session in (1, 2)"; of several all hold',
    )
    add(
        "--missing",
        **more,
        metavar="C,..",
        help="codes of missing values, in all columns or in one (rt=0); with a minus "
        "sign: --missing=-9,rt=-99",
    )
    add("--units", **more, metavar="A=U,..", help="reaction_time=ms (or s)")
    add(
        "--codes",
        action="append",
        default=[],
        metavar="A=X,Y",
        help="what counts as 0 and as 1: response=left,right; all options of a bandit: "
        "choice=A,B,C; may be repeated",
    )


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan that the arguments mean; UserError for numbers out of range."""
    from pcmodel.behaviour.studies.fit import Plan

    _check_sizes(arguments)
    names = {"target_accept": "target_accept", "max_tree_depth": "max_tree_depth"}
    names |= {f"num_{name}": name for name in ("warmup", "samples", "chains", "steps")}
    return Plan(
        task=arguments.task,
        model=arguments.model,
        formulas=tuple(arguments.formula),
        pooled=arguments.pooled,
        method="svi" if arguments.svi else "nuts",
        compare_with=_words(arguments.compare),
        **table_options(arguments),
        **chosen(arguments, SMOKE, names),
    )


def _check_sizes(arguments: argparse.Namespace) -> None:
    """UserError for a number out of range, and for one of the other way to fit."""
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
    for name, (least, most) in SIZES.items():
        size = getattr(arguments, name)
        if size is not None and not least <= size <= most:
            raise UserError(
                f"cannot be {short(size)}",
                where=f"--{name.replace('_', '-')}",
                expected=f"{least} or more" if size < least else f"at most {most}",
            )
    accept = arguments.target_accept
    if accept is not None and not 0.5 <= accept < 1.0:
        raise UserError(
            f"cannot be {accept}", where="--target-accept", expected="0.5 to 1"
        )


def table_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a plan that say which data, and how they are read."""
    from pcmodel.behaviour.dataset.tables.pasted import unmarked
    from pcmodel.behaviour.studies.fit import digest

    path, where = Path(arguments.data), _together(arguments.where)
    try:
        data_sha256 = digest(
            path,
            bids_task=arguments.bids_task,
            bids_suffix=arguments.bids_suffix,
            where=where,
        )
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", where=shown(path)
        ) from None
    return {
        "data": str(path),
        "data_sha256": data_sha256,
        "columns": _entries(arguments.columns),
        "series_by": tuple(map(unmarked, _entries(arguments.series))),
        "scale": scale_numbers(arguments.scale),
        "after_outcome": arguments.after_outcome,
        "judgements": _entries(arguments.judgements),
        "bids_task": arguments.bids_task,
        "bids_suffix": arguments.bids_suffix,
        "where": where,
        "missing": _entries(arguments.missing),
        "units": _entries(arguments.units),
        "codes": tuple(arguments.codes),
    }


def fit_experiment(
    plan: Any,
    *,
    accept_unconverged: bool,
    is_smoke: bool = False,
    keep: Any,
    open_stored: Any = lambda: lambda model: {},
) -> Experiment:
    """The fit in the shape of an experiment, so that it is recorded like one.

    `keep` is called with the posterior of the first model; `open_stored()` gives what
    `run_workflow` opens its stores with.
    """
    from pcmodel.behaviour.studies.fit import run_workflow
    from pcmodel.cli.pages import fit_page

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        # What a warning says of the chains is said by the page and in the terminal.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "do not trust this fit")
            return run_workflow(
                config,
                seed=seed,
                progress=progress,
                keep=keep,
                open_store=open_stored(),
            )

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


def open_fit_chunks(folder: Path, identity: Any, *, anew: bool) -> Any:
    """Where a fit's chains are kept: under all that decides them, the number of draws left out.

    They stay when the run is complete, so that the same fit of more draws goes on from
    them. anew: forget them, unless the folder holds another run, which is replaced by one
    that may go on from it.
    """
    from dataclasses import replace

    from pcmodel.cli.commands.replications import open_chunks
    from pcmodel.record.folder import read_status

    chains = replace(identity.config, num_samples=0, num_steps=0, compare_with=())
    status = read_status(folder) or {}
    is_other = status.get("config_hash") not in (None, identity.config_hash)
    return open_chunks(
        folder,
        replace(identity, config=chains),
        anew=anew and not is_other,
        shared=True,
    )


def show_finished(
    experiment: Experiment,
    identity: Any,
    path: Path,
    argv: list[str],
    arguments: argparse.Namespace,
) -> bool:
    """Whether what a finished fit saved was asked for, and shown, though not to be trusted."""
    from pcmodel.behaviour.studies.fit import WorkflowResults
    from pcmodel.cli import terminal
    from pcmodel.cli.execute import show
    from pcmodel.record import RunFolder
    from pcmodel.record.arrays import read_arrays, rebuild
    from pcmodel.record.folder import is_complete

    asked = arguments.accept_unconverged and not arguments.overwrite
    if not asked or not is_complete(path, identity):
        return False
    file = path / "arrays.npz"
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
        identity.config,
        results,
        folder=RunFolder.reopen(path, identity),
        command=fit_command(argv),
        is_smoke=arguments.smoke,
    )
    terminal.print_summary(report, path)
    return True


def write_labelled(posterior: Any, folder: Path) -> None:
    """The posterior with the names of its dimensions, where xarray is installed."""
    from pcmodel.behaviour.posterior.datatree import can_write_netcdf, write_netcdf

    if can_write_netcdf():
        write_netcdf(posterior, folder / "posterior.nc")


def fit_command(argv: list[str]) -> str:
    """The command that repeats the fit."""
    words = [word for word in argv if word != "--overwrite"]
    return shlex.join(["pcmodel", *words])


def _entries(texts: Sequence[str]) -> tuple[str, ...]:
    """Of all lists that were given, in their order."""
    from pcmodel.behaviour.dataset.tables.pasted import entries

    return tuple(entry for text in texts for entry in entries(text))


def _together(expressions: Sequence[str]) -> str:
    """One expression that holds where all of them do."""
    if len(expressions) < 2:
        return "".join(expressions).strip()
    return " and ".join(f"({expression.strip()})" for expression in expressions)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def scale_numbers(text: str) -> tuple[float, ...]:
    """The numbers of a scale; UserError for what is none."""
    return tuple(_number(word) for word in _words(text))


def _number(word: str) -> float:
    number = to_finite(word)
    if number is None:
        raise UserError(
            f"is not a number: {word!r}", where="--scale", expected="LOW,HIGH[,STEP]"
        )
    return number
