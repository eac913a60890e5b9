"""Import one experiment and check that it follows the protocol.

The protocol is described for authors in `experiments/README.md`.
"""

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pcmodel.cli.catalogue import experiments_folder, first_sentence, source_file
from pcmodel.errors import UserError

# The package name that experiments are imported under: `experiments` may be another
# package in a user's project.
NAMESPACE = "pcmodel_experiments"

RESERVED = ("smoke", "seed", "output", "overwrite", "config", "float64", "quiet")


@dataclass(frozen=True)
class Experiment:
    """The parts of an experiment, written as functions or derived from its declaration.

    name: on the command line.
    question: what it asks.
    config: the dataclass of its options.
    run: (config, *, seed, progress) to the results, a named tuple of arrays.
    analyse: (config, results) to the summary that result.json holds.
    plot: (config, results, summary) to figures by name, or None.
    report: (config, results, summary) to the page, or None.
    """

    name: str
    question: str
    config: type
    run: Callable[..., Any]
    analyse: Callable[..., Any]
    plot: Callable[..., Any] | None
    report: Callable[..., Any] | None


def load(path: Path) -> Experiment:
    """Import the experiment at `path` (a file or a package folder).

    Raises UserError for one that cannot be imported or does not follow the protocol.
    """
    module = _import(path)
    where, question = str(path), first_sentence(module.__doc__ or path.stem)
    if hasattr(module, "EXPERIMENT"):
        parts = _derived(module, path, question)
    else:
        parts = _written(module, where)
    _check_config(parts["config"], where)
    return Experiment(name=path.stem, question=question, **parts)


def _written(module: ModuleType, where: str) -> dict[str, Any]:
    """The functions that an experiment defines itself."""
    for part in ("Config", "run", "analyse"):
        if not callable(getattr(module, part, None)):
            raise UserError(f"defines no {part!r}", where=where, expected=_PROTOCOL)
    found = {name: getattr(module, name, None) for name in _FUNCTIONS}
    return {"config": module.Config, **found}


def _derived(module: ModuleType, path: Path, question: str) -> dict[str, Any]:
    """The functions derived from a declaration."""
    from pcmodel.report import Experiment as Declaration

    where, declared = str(path), module.EXPERIMENT
    if not isinstance(declared, Declaration):
        what = f"its EXPERIMENT is a {type(declared).__name__}"
        raise UserError(what, where=where, expected="a pcmodel.report.Experiment")
    twice = [name for name in _FUNCTIONS if hasattr(module, name)]
    if twice:
        what = f"defines both EXPERIMENT and {twice[0]!r}, which follows from it"
        raise UserError(what, where=where, expected="one of them")
    try:
        return declared.parts(question=question, folder=source_file(path).parent)
    except UserError as error:
        raise UserError(str(error), where=where) from error


def with_chunks(experiment: Experiment, open_store: Callable[[], Any]) -> Experiment:
    """The experiment with a store for the chunks of its chains, if its `run` takes one."""
    if "open_store" not in inspect.signature(experiment.run).parameters:
        return experiment

    def run(*arguments: Any, **named: Any) -> Any:
        return experiment.run(*arguments, open_store=open_store(), **named)

    return replace(experiment, run=run)


_FUNCTIONS = ("run", "analyse", "plot", "report")
_PROTOCOL = "EXPERIMENT, or a dataclass Config and functions run and analyse"


def _import(path: Path) -> ModuleType:
    folder = experiments_folder()
    is_ours = folder is not None and path.parent == folder.resolve()
    try:
        return _import_ours(path) if is_ours else _import_file(path)
    except (KeyboardInterrupt, UserError):
        raise
    except BaseException as error:  # the file's top level may raise anything
        raise UserError(
            f"cannot be imported ({_describe(error, path)})", where=str(path)
        ) from error


def _import_ours(path: Path) -> ModuleType:
    package = ModuleType(NAMESPACE)
    package.__path__ = [str(path.parent)]
    sys.modules.setdefault(NAMESPACE, package)
    return importlib.import_module(f"{NAMESPACE}.{path.stem}")


def _import_file(path: Path) -> ModuleType:
    """Import a user's file as Python runs a script: other files in its folder can be imported."""
    name = f"{NAMESPACE}_by_path_{path.stem}"
    for stale in [key for key in sys.modules if key.split(".")[0] == name]:
        del sys.modules[stale]
    spec = importlib.util.spec_from_file_location(
        name,
        source_file(path),
        submodule_search_locations=[str(path)] if path.is_dir() else None,
    )
    if spec is None or spec.loader is None:
        raise UserError("is not a Python file", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # `dataclasses` looks modules up there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    return module


def _describe(error: BaseException, path: Path) -> str:
    """The error and the line of the user's own file that led to it."""
    kind = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}, line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.startswith(str(path))]
    return f"line {lines[-1]}: {kind}" if lines else kind


def _check_config(config: type, where: str) -> None:
    if not is_dataclass(config):
        raise UserError("Config is not a dataclass", where=where)
    taken = [field.name for field in fields(config) if field.name in RESERVED]
    if taken:
        raise UserError(
            f"Config has a field called {taken[0]!r}",
            where=where,
            expected="another name, since that one is an option of every run",
        )
