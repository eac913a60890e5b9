"""Read a user's class from FILE.py:CLASS; what is wrong with it is said in one sentence, with its line."""

import importlib.util
import inspect
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any

from pcmodel.behaviour.models.own.checking import check_model
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import read_text, shown
from pcmodel.inputs.hashes import hash_text

EXPECTED = "FILE.py:CLASS, such as my_model.py:PearceHall"


def is_own_model(name: str) -> bool:
    """Whether a model's name is that of a class in a file.

    >>> is_own_model("hgf3"), is_own_model("my_model.py:PearceHall")
    (False, True)
    """
    return ":" in name or name.endswith(".py")


def own_hashes(*names: str) -> tuple[str, ...]:
    """Hashes of the files among the names of a task and its models, `FILE sha256`, to be recorded with a run."""
    files = dict.fromkeys(
        name.rpartition(":")[0] if is_own_model(name) and ":" in name else name
        for name in names
        if name.endswith((".py", ".yaml", ".yml")) or is_own_model(name)
    )
    return tuple(f"{Path(file).name} {hash_text(read_text(file))}" for file in files)


def load_own(name: str) -> Any:
    """The user's object, checked; UserError for a file, a class or a model that cannot be."""
    file, _, called = name.rpartition(":")
    if not file.endswith(".py") or not called.isidentifier():
        raise UserError(f"is {name!r}", where="model", expected=EXPECTED)
    return _loaded(str(Path(file).resolve()), called, hash_text(read_text(file)))


@lru_cache(maxsize=16)
def _loaded(file: str, called: str, sha256: str) -> Any:
    """The object of a file as it stands; the same one as long as the file is not changed."""
    module = _executed(Path(file), sha256)
    found = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    if called not in found:
        raise unknown_name("class", called, found, where=shown(file))
    where = f"{shown(file)}:{called}"
    try:
        own = found[called]()
    except Exception as error:  # the user's code may raise anything
        raise UserError(
            f"cannot be made without arguments ({described(error, file)})", where=where
        ) from error
    check_model(own, where=where, file=file)
    return own


def _executed(path: Path, sha256: str) -> Any:
    """The module of a file, run anew; other files in its folder can be imported."""
    name = f"pcmodel_own_{path.stem}_{sha256[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError("is not a Python file", where=shown(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # `dataclasses` looks modules up there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        # Not by the loader, which keeps compiled files by second and size: an edit within a second would be missed.
        exec(compile(read_text(path), str(path), "exec"), vars(module))
    except Exception as error:  # the file's top level may raise anything
        del sys.modules[name]
        raise UserError(
            f"cannot be imported ({described(error, str(path))})", where=shown(path)
        ) from error
    return module


def described(error: BaseException, file: str) -> str:
    """An error, and the line of the user's own file that led to it."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    text = next(iter(str(error).splitlines()), "")
    kind = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f"line {lines[-1]}: {kind}" if lines else kind
