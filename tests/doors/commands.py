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

from pcmodel.runtime import compile_quickly

from .verdicts import NAMED, RAW, WRONG, printed, quietly, tally

TABLE = "participant,session,trial,outcome,response\n" + "\n".join(
    f"p{person},1,{trial + 1},{(trial * 7 + person) % 2},{(trial + person) % 2}"
    for person in range(2)
    for trial in range(8)
)
EXPERIMENT = '''"""Does it run? It should."""
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    flips: int = 20
    scale: float = 1.0
    quick: bool = False
    widths: tuple[int, ...] = (3, 4)

def run(config, *, seed, progress):
    return ()

def analyse(config, results):
    return ()
'''
GOOD = {
    "fit": ["table.csv", "--task", "binary", "--model", "hgf3", "--smoke"],
    "check": ["table.csv", "--task", "binary"],
    "run": ["coin.py"],
    "train": ["plan.yaml", "--smoke"],
    "calibrate": ["binary", "hgf3", "--smoke"],
    "recover": ["binary", "hgf3", "rescorla_wagner", "--smoke"],
    "design": ["binary", "hgf3", "--effect", "omega2=-1", "--smoke"],
}
NO_NUMBERS = (
    *(
        "",
        " ",
        "x",
        "1_0",
        "1:30",
        "0x10",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "٣",
        "one",
        "--",
    ),
    *("1,5", "1 0", "[1]", "None", "true", "9" * 400, "+-1", "1.2.3", "\0", "½", "1j"),
)
NO_WHOLE = (*NO_NUMBERS, "1e3", "3.0", ".5", "-1", "-99999999999999999999")
BAD_WORDS: dict[str, tuple[str, ...]] = {
    "--task": ("", "x", "Binary ", "binary,bandit", "\0", "b" * 5000),
    "--model": ("", "x", "hgf33", "HGF", "hgf3,hgf2", "m" * 5000),
    "--formula": (
        "",
        "~",
        "omega2",
        "omega2 ~",
        "nothing ~ x",
        "omega2 ~ x",
        "omega2 ~ (",
        "~ 1",
        "omega2 ~ 1 ~ 1",
        "omega2 ~ import os",
        "(" * 3000,
        "omega2 ~ `",
        "\x00",
        "omega2 ~ 1/0",
    ),
    "--columns": (
        "x",
        "=",
        "a=",
        "=b",
        "response=nothing",
        "nonsense=response",
        "a=b=c",
    ),
    "--series": ("nothing", "\0", "n" * 5000),
    "--scale": (
        "1",
        "1,2,3,4",
        "x,1",
        "1,0",
        "1,1",
        "0,inf",
        "nan,1",
        "0,1,0",
        "0,10,-1",
        "1_0,20",
    ),
    "--judgements": ("x", "confidence", "reaction_time,x", "\0"),
    "--where": (
        "(",
        "x ==",
        "nothing == 1",
        "1 +",
        "trial ==",
        "import os",
        "(" * 3000,
        "trial = 1",
        "trial == 99",
        "__import__('os')",
        "\x00",
    ),
    "--units": (
        "x",
        "=",
        "reaction_time=",
        "reaction_time=parsecs",
        "nothing=ms",
        "a=b=c",
    ),
    "--codes": (
        "x",
        "=",
        "response=",
        "response=a",
        "response=a,b,c",
        "nothing=a,b",
        "response=a,a",
    ),
    "--compare": ("x", "hgf33", "hgf3,x"),
    "--config": (
        "nowhere.yaml",
        ".",
        "twice.yaml",
        "deep.yaml",
        "list.yaml",
        "pipe",
        "\x00",
        "c" * 5000,
        "twice.json",
        "deep.json",
        "bytes.yaml",
        "bomb.yaml",
        "folder.yaml",
        "link.yaml",
    ),
    "--output": ("full", "table.csv", "table.csv/below", "\0", "o" * 5000, "pipe"),
    "--effect": (
        "",
        "x",
        "omega2",
        "omega2=",
        "omega2=x",
        "x=1",
        "omega2=nan",
        "omega2=1_0",
    ),
    "--rival": ("x", "", "hgf33"),
    "--confidence": ("x", "2", "-1", "nan"),
    "--coordinator": ("x", ":", "host:", "host:port", "host:99999999", ""),
}
PLACES = {
    "DATA": (
        "nowhere.csv",
        "pipe",
        "empty.csv",
        "header.csv",
        "bytes.csv",
        "table.doc",
        "\x00",
        "folder.csv",
        "link.csv",
        "n" * 5000,
        "zero.csv",
        "wide.csv",
        "quote.csv",
        "full",
        "",
    ),
    "CONFIG": BAD_WORDS["--config"]
    + ("nothing", "1_0.yaml", "octal.yaml", "nan.yaml", ""),
    "EXPERIMENT": (
        "nothing",
        "nowhere.py",
        "pipe.py",
        "e" * 5000 + ".py",
        "broken.py",
        "\x00.py",
        "deep.py",
        "plain.py",
        "folder.py",
        "link.py",
        "bytes.py",
        "",
    ),
    "TASK": BAD_WORDS["--task"],
    "MODEL": BAD_WORDS["--model"],
}
NO_VALUES = {
    "int": (*NO_WHOLE[:-2], "1.5", "[]", "{}", "010", "-", "yes"),
    "float": (*NO_NUMBERS, "[]", "{}", "010", "-", "yes"),
    "bool": ("x", "2", "", "maybe", "[]", "1_0", "nan", "None_"),
    "tuple": ("x", "[x]", "{}", "[1_0]", "[1,[2]]", "1_0", "nan", "[null]"),
}


class Reached(BaseException):
    """The long part would have begun."""


def prepare(place: Path) -> None:
    """Files of every kind of wrong, and those that are right."""
    write = {
        "table.csv": TABLE,
        "table.doc": TABLE,
        "empty.csv": "",
        "header.csv": TABLE.splitlines()[0],
        "zero.csv": TABLE.replace("p1", "p\0"),
        "wide.csv": TABLE + ",1,2,3",
        "quote.csv": TABLE.replace("p1", '"p1', 1),
        "coin.py": EXPERIMENT,
        "broken.py": "def run(:",
        "deep.py": "x = " + "(" * 5000,
        "plain.py": "x = 1",
        "plan.yaml": "question: Does it?\nepochs: 1\ndata:\n  name: digits\n",
        "twice.yaml": "epochs: 1\nepochs: 2\nflips: 1\nflips: 2\n",
        "twice.json": '{"epochs": 1, "epochs": 2, "flips": 1, "flips": 2}',
        "deep.yaml": "[" * 5000,
        "deep.json": "[" * 200000,
        "list.yaml": "[1, 2]",
        "bomb.yaml": "a: &a [1]\n"
        + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(30)),
        "1_0.yaml": "epochs: 1_0\nflips: 1_0\n",
        "octal.yaml": "epochs: 010\n",
        "nan.yaml": "learning:\n  rate: .nan\n",
    }
    for name, text in write.items():
        (place / name).write_text(text)
    for ending in ("csv", "yaml", "py"):
        (place / f"bytes.{ending}").write_bytes(bytes(range(128, 256)))
        (place / f"folder.{ending}").mkdir()
        (place / f"link.{ending}").symlink_to("nowhere")
    (place / "full").mkdir()
    (place / "full" / "holiday.jpg").write_bytes(b"x")
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.py")


def wrong_words() -> Iterator[tuple[str, list[str]]]:
    """Command lines that must be refused, each with what is wrong about it in words."""
    from pcmodel.cli.main import _parsers

    parser, run_parser = _parsers()
    subparsers = next(
        a for a in parser._actions if isinstance(a, argparse._SubParsersAction)
    )
    for command, good in GOOD.items():
        actions = (
            run_parser if command == "run" else subparsers.choices[command]
        )._actions
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
    if kind == "whole":
        least = () if option in ("--seed", "--process", "--pool") else ("0",)
        if option == "--process" or option == "--processes":
            return (*NO_WHOLE, "3")  # without a coordinator
        return NO_WHOLE + least
    if kind == "finite":
        return (*NO_NUMBERS, "-1", "2")
    if not option:
        return PLACES.get(str(action.metavar), ())
    known = BAD_WORDS.get(option, ())
    return known


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
    from pcmodel.trainer.plan import TrainingPlan

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
    from pcmodel.behaviour import workflow

    def reached(*_: Any, **__: Any) -> None:
        raise Reached

    real = command_line().execute

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
        stack.enter_context(mock.patch.object(command_line(), "execute", fit_only))
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
