"""`pcmodel brain SERIES...`: measures of regions' activity, and their paired statistics."""

import argparse
from pathlib import Path
from typing import Any

from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import chosen, count, finite, place, words
from pcmodel.cli.running.preparation import prepare
from pcmodel.cli.running.recorded import destination, run_in_folder
from pcmodel.errors import UserError

SMOKE: dict[str, Any] = {"num_surrogates": 1, "num_starts": 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel brain`."""
    add = parser.add_argument
    more = {"action": "append", "default": []}
    add(
        "series",
        metavar="SERIES",
        nargs="+",
        type=place,
        help=".csv or .tsv (a row a time, a column a region), .npy, .npz, or a folder of "
        "BIDS derivatives",
    )
    add(
        "--networks",
        type=place,
        metavar="FILE",
        help="a table of each region's network: region,network",
    )
    add(
        "--networks-by",
        choices=("name", "order"),
        help="default name where both have names",
    )
    add(
        "--condition-from",
        metavar="WHAT",
        help="an entity of the files' names (ses, task, acq), folder, or a table with the "
        "columns file, condition and maybe person",
    )
    add(
        "--contrast",
        metavar="A,B",
        help="B compared with A; new names as placebo=2,drug=3; default the only two",
    )
    add(
        "--axes",
        default="time,region",
        metavar="A,B,..",
        help="what the axes of an array are: time, region, person, condition",
    )
    add("--array", metavar="NAME", help="in an .npz file")
    add("--only", **more, metavar="E=V,..", help="of a folder: seg=Yeo7,desc=clean")
    add("--without", **more, metavar="R,..", help="regions to leave out")
    add("--tr", type=finite, metavar="S", help="seconds from sample to sample")
    add("--lags", type=count, metavar="N", help="of transfer entropy, default 1")
    add(
        "--surrogates",
        type=count,
        metavar="N",
        help="of each kind and region for Lempel-Ziv complexity, default 5",
    )
    add("--binarise", choices=("median", "mean"), help="series at, default median")
    add("--starts", type=count, metavar="N", help="Louvain partitions, default 5")
    add("--bootstraps", type=count, metavar="N", help="default 10000")
    add_folder_arguments(parser, name="brain")


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for files that cannot be read and for options that do not fit."""
    from pcmodel.brain.comparison import BrainPlan, digest, parse_contrast
    from pcmodel.brain.measures.person import MeasureOptions
    from pcmodel.brain.reading.arrays import check_axes

    _check_options(arguments)
    only = tuple(entry for text in arguments.only for entry in words(text))
    pair = words(arguments.contrast or "")
    if arguments.contrast is not None:
        parse_contrast(pair)
    networks = "" if arguments.networks is None else str(arguments.networks)
    sizes = chosen(
        arguments,
        SMOKE,
        "lags",
        num_surrogates="surrogates",
        threshold="binarise",
        num_starts="starts",
    )
    return BrainPlan(
        series=tuple(map(str, arguments.series)),
        series_sha256=digest(arguments.series, only),
        networks=networks,
        networks_sha256=digest([networks]) if networks else "",
        networks_by=arguments.networks_by or "",
        condition_from=arguments.condition_from or "",
        contrast=pair,
        axes=check_axes(words(arguments.axes)),
        array=arguments.array or "",
        only=only,
        without=tuple(name for text in arguments.without for name in words(text)),
        tr=arguments.tr,
        measures=MeasureOptions(**sizes),
        **chosen(arguments, {"num_bootstraps": 200}, num_bootstraps="bootstraps"),
    )


def _check_options(arguments: argparse.Namespace) -> None:
    """UserError for a time that is none, and for options that need the networks."""
    if arguments.tr is not None and not 0 < arguments.tr < 1e6:
        raise UserError(f"cannot be {arguments.tr}", where="--tr", expected="above 0")
    for name in ("lags", "networks_by"):
        if getattr(arguments, name) is not None and arguments.networks is None:
            raise UserError(
                "is said of networks",
                where=f"--{name.replace('_', '-')}",
                expected="--networks, or it to be left out",
            )


def brain(given: Given) -> int:
    """Measure, record and show; the measures are also written as `measures.csv`."""
    from pcmodel.brain.comparison import measures_csv, read_plan, run_brain
    from pcmodel.cli.pages import brain_page
    from pcmodel.record.files import write_bytes

    arguments, kept = given.arguments, []
    prepare(arguments)
    plan = make_plan(arguments)
    to = destination("brain", plan, arguments)
    read_plan(plan)  # what is wrong is said before a folder is made

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        kept.append(run_brain(config, seed=seed, progress=progress))
        return kept[0]

    experiment = Experiment(
        name="brain",
        question="How do the regions' activities go together?",
        config=type(plan),
        run=run,
        analyse=brain_page.analyse,
        plot=brain_page.plot,
        report=brain_page.report,
    )
    code = run_in_folder(experiment, to, arguments, command=given.again())
    if kept and code == 0:
        text = measures_csv(kept[0].group)
        write_bytes(Path(to.path) / "measures.csv", text.encode())
    return code


BRAIN = Command(
    name="brain",
    help="measure connectivity and diversity of regions' series, and compare conditions",
    description="Read series of brain regions, compute connectivity, graph, diversity and "
    "directed information with and without the global signal, compare two conditions "
    "within people, and write a folder, a report and measures.csv.",
    add_arguments=add_arguments,
    carry_out=brain,
    page="docs/brain-measures.md",
)
