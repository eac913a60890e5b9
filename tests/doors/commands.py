"""Every command with one word spoiled: exit code 2 and a sentence each time, and no run begun.

Nothing is computed: a run that passes the door counts as accepted where its long part would begin.

    python -m tests.doors.commands [--share 0.1] [--seed 0]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from pcmodel.runtime.flags import compile_quickly

from .command_words import (
    BAD_WORDS,
    GOOD,
    NO_NUMBERS,
    NO_VALUES,
    NO_WHOLE,
    PLACES,
    prepare,
)
from .verdicts import NAMED, PATIENCE, RAW, WRONG, at_most, printed, quietly, tally


class Reached(BaseException):
    """The long part would have begun."""


def wrong_words() -> Iterator[tuple[str, list[str]]]:
    """Command lines that must be refused, each with what is wrong about it in words."""
    from pcmodel.cli.main import make_parsers

    _, parsers = make_parsers()
    for command, good in GOOD.items():
        actions = parsers[command]._actions
        yield f"{command}, an unknown option", [command, *good, "--nonsense", "1"]
        yield (
            f"{command} alone",
            [command, *([] if command != "train" else ["--seed", "1"])],
        )
        for action in actions:
            option = action.option_strings[-1] if action.option_strings else ""
            if option in ("--help", "-h") or action.dest == "help":
                continue
            for word in words_for(action, option, command):
                shown = word[:20].encode("unicode_escape").decode()
                line = spoil(good, action, option, word)
                yield f"{command} {option or action.dest}={shown}", [command, *line]
    yield from wrong_values()


def words_for(action: argparse.Action, option: str, command: str) -> tuple[str, ...]:
    """What an option cannot be."""
    kind = getattr(action.type, "__name__", "")
    if action.nargs == 0:
        return ("yes", "", "1_0")
    if kind in ("whole", "count", "int"):
        least = () if option in ("--seed", "--process", "--pool") else ("0",)
        if option == "--process" or option == "--processes":
            return (*NO_WHOLE, "3")  # without a coordinator
        return NO_WHOLE + least
    if kind in ("finite", "float"):
        return (*NO_NUMBERS, "-1", "0" if option == "--tr" else "2")
    if not option:
        return PLACES.get(str(action.metavar), ())
    known = BAD_WORDS.get(option, ())
    # `check` writes one file, into whatever folder.
    return tuple(w for w in known if (command, w) != ("check", "full"))


def spoil(
    good: list[str], action: argparse.Action, option: str, word: str
) -> list[str]:
    """The good line with one word changed."""
    if action.nargs == 0:
        return [*good, f"{option}={word}"]
    if option:
        line = list(good)
        if option in line:
            line[line.index(option) + 1] = word
            return line
        return [*line, f"{option}={word}"]
    place = 1 if str(action.metavar) == "MODEL" else 0
    return [*good[:place], word, *good[place + 1 :]]


def wrong_values() -> Iterator[tuple[str, list[str]]]:
    """Values of an experiment's and a training's own options."""
    from pcmodel.cli.options import field_types
    from pcmodel.training.plan import TrainingPlan

    own = {"flips": int, "scale": float, "quick": bool, "widths": tuple[int, ...]}
    for command, kinds in (("run", own), ("train", field_types(TrainingPlan))):
        for name, kind in kinds.items():
            text = str(kind)
            if "str" in text and "Literal" not in text:
                continue
            short = next(
                (k for k in ("tuple", "bool", "float", "int") if k in text), ""
            )
            values = (
                ("", "x", "1_0", "None_")
                if "Literal" in text
                else NO_VALUES.get(short, ())
            )
            for value in values:
                if value in ("None", "true", "[]") and (
                    "None" in text or short != "int"
                ):
                    continue
                shown = value[:20].encode("unicode_escape").decode()
                yield (
                    f"{command} --{name}={shown}",
                    [command, *GOOD[command], f"--{name}={value}"],
                )


def command_line() -> Any:
    """The module; its package exports the function of the same name."""
    return import_module("pcmodel.cli.main")


def outcome(argv: list[str]) -> tuple[str, str]:
    """How a command line ended, and what it said."""
    try:
        with at_most(PATIENCE):
            code, _, said = quietly(lambda: command_line().main(argv))
    except Reached:
        return WRONG, "a run would have begun"
    except BaseException as error:
        return RAW, f"{type(error).__name__}: {str(error)[:120]}"
    lines = said.strip().splitlines()
    if code == 2 and lines and "Traceback" not in said and max(map(len, lines)) < 1200:
        return NAMED, said.strip()[:200]
    return (WRONG if code == 0 else RAW), f"exit {code}: {said.strip()[-150:]}"


@contextmanager
def at_a_place() -> Iterator[None]:
    """In a folder of its own, with nothing computed."""
    from pcmodel.behaviour.studies import fit as workflow
    from pcmodel.cli.running import recorded

    def reached(*_: Any, **__: Any) -> None:
        raise Reached

    real = recorded.execute

    def fit_only(experiment: Any, *rest: Any, **named: Any) -> Any:
        return (
            real(experiment, *rest, **named) if experiment.name == "fit" else reached()
        )

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        prepare(Path(place))
        os.chdir(place)
        stack.callback(os.chdir, before)
        stack.enter_context(mock.patch.object(workflow, "_fit", reached))
        stack.enter_context(mock.patch.object(recorded, "execute", fit_only))
        yield


def results(
    *, share: float = 1.0, seed: int = 0
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every case with its verdict."""
    rng = np.random.default_rng(seed)
    with at_a_place():
        for command, good in GOOD.items():
            found = outcome([command, *good])
            if found[0] == NAMED:
                raise AssertionError(f"{command} {good} should be right: {found[1]}")
        for what, argv in wrong_words():
            if share >= 1 or rng.random() < share:
                yield what, outcome(argv)


def main() -> int:
    """Print what is neither refused nor right, then the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    compile_quickly()
    counts = tally(results(**vars(options)), lambda line: print(line, flush=True))
    print(f"{sum(counts.values())} command lines: {printed(counts)}")
    return int(set(counts) > {NAMED})


if __name__ == "__main__":
    sys.exit(main())
