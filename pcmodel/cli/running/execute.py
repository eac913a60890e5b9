"""Run one experiment and record each part as soon as it exists.

Arrays are saved before they are analysed, and the analysis before it is drawn, so
that a late failure loses nothing that was computed.
"""

import sys
from typing import Any

from pcmodel.cli.load import Experiment
from pcmodel.errors import UserError
from pcmodel.record import RunFolder, flatten_arrays
from pcmodel.record.environment import environment
from pcmodel.record.folder import COMPLETE
from pcmodel.runtime.progress import Progress


def execute(
    experiment: Experiment,
    config: Any,
    *,
    seed: int,
    folder: RunFolder,
    progress: Progress,
    command: str,
    is_smoke: bool = False,
) -> Any:
    """Run, save, analyse, draw, report; return the report.

    The folder says `complete` only after its last file has been written. The page of a
    smoke run is stamped as one.
    """
    folder.write_json("environment.json", environment() | {"command": command})
    results = experiment.run(config, seed=seed, progress=progress)
    folder.write_arrays("arrays.npz", flatten_arrays(results))
    with progress.stage("analysis, figures and report"):
        report = show(
            experiment,
            config,
            results,
            folder=folder,
            command=command,
            is_smoke=is_smoke,
        )
    _finish(folder, command)
    return report


def show(
    experiment: Experiment,
    config: Any,
    results: Any,
    *,
    folder: RunFolder,
    command: str,
    is_smoke: bool = False,
) -> Any:
    """Analyse, draw and write the page of existing results; return the report."""
    summary = experiment.analyse(config, results)
    _write_result(folder, summary, is_smoke)
    figures = _draw(experiment, config, results, summary, folder)
    report = _report(experiment, config, results, summary, figures)
    report = _with_provenance(report, folder, command, is_smoke)
    _write_page(folder, report, figures)
    return report


def _write_result(folder: RunFolder, summary: Any, is_smoke: bool) -> None:
    from pcmodel.report import SMOKE_STAMP

    identity = folder.identity
    folder.write_json(
        "result.json",
        {
            "experiment": identity.experiment,
            "seed": identity.seed,
            "config_hash": identity.config_hash,
            "stamp": SMOKE_STAMP if is_smoke else "",
            "summary": summary,
        },
    )


def _draw(
    experiment: Experiment, config: Any, results: Any, summary: Any, folder: RunFolder
) -> dict[str, bytes]:
    if experiment.plot is None:
        return {}
    from pcmodel.report.style import figure_style, to_png

    pages = {}
    with figure_style():
        for name, figure in experiment.plot(config, results, summary).items():
            pages[name] = to_png(figure)
            folder.write_figure(name, pages[name])
    return pages


def _report(
    experiment: Experiment,
    config: Any,
    results: Any,
    summary: Any,
    figures: dict[str, bytes],
) -> Any:
    """The experiment's own report, or a plain one if it has none."""
    if experiment.report is not None:
        return experiment.report(config, results, summary)
    from pcmodel.report import Panel, Report, Section

    shown = "verdicts" if _verdicts(summary) else "figures" if figures else "numbers"
    panels = [Panel(name, name.replace("_", " "), name) for name in figures]
    return Report(
        title=experiment.name.replace("_", " "),
        question=experiment.question,
        answer=f"See the {shown}.",
        verdicts=_verdicts(summary),
        sections=[Section("Figures", panels=panels)] if panels else [],
    )


def _verdicts(summary: Any) -> Any:
    return tuple(getattr(summary, "verdicts", ()))


def _with_provenance(
    report: Any, folder: RunFolder, command: str, is_smoke: bool
) -> Any:
    from dataclasses import replace

    from pcmodel.report import SMOKE_STAMP

    facts = environment()
    packages = facts["packages"]
    provenance = {
        "Seed": str(folder.identity.seed),
        "Configuration": f"config.json (hash {folder.identity.config_hash})",
        "Wall time": f"{folder.wall_seconds:.0f} s",
        "Device": facts["device"] or "none",
        "Precision": "float64" if facts["float64"] else "float32",
        "Software": f"pcmodel {packages['pcmodel'] or 'checkout'}, "
        f"Python {facts['python']}, jax {packages['jax']}, numpy {packages['numpy']}",
        "Revision": facts["git_revision"] or "not a git checkout",
    }
    return replace(
        report,
        reproduce=report.reproduce or command,
        provenance=provenance | dict(report.provenance),
        stamp=SMOKE_STAMP if is_smoke else report.stamp,
    )


def _write_page(folder: RunFolder, report: Any, figures: dict[str, bytes]) -> None:
    from pcmodel.report import Report, render_html

    if not isinstance(report, Report):
        raise UserError(
            f"report returned a {type(report).__name__}",
            where=folder.identity.experiment,
            expected="a pcmodel.report.Report",
        )
    folder.write_text("report.html", render_html(report, figures))


def _finish(folder: RunFolder, command: str) -> None:
    facts = environment() | {
        "command": command,
        "wall_seconds": round(folder.wall_seconds, 3),
        "peak_memory_mib": _peak_memory_mib(),
    }
    folder.write_json("environment.json", facts)
    folder.finish(COMPLETE)


def _peak_memory_mib() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))
