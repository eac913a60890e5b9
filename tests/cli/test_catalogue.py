"""Finding experiments: names, paths, help, and files that are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coin_experiment import COIN, sentence

from pcmodel.cli import main
from pcmodel.cli.catalogue import catalogue, config_options, first_sentence

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "no experiment was named"),
        (["run", "coinn.py"], "coinn.py: there is no such experiment file"),
        (["run", "belief"], "no experiment is called 'belief'"),
        (["lst"], "invalid choice: 'lst'"),
        (["list", "--all"], "does not know the option '--all'"),
    ],
)
def test_bad_commands_are_one_sentence(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in sentence(capsys)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def run(:", "cannot be imported (SyntaxError, line 1"),
        ("x = 1\n1 / 0", "(line 2: ZeroDivisionError: division by zero)"),
        ("import nowhere", "ModuleNotFoundError"),
        ("class Config: pass", "defines no 'run'"),
        (
            COIN.replace("@dataclass(frozen=True)\nclass Config", "class Config"),
            "not a d",
        ),
        (COIN.replace("flips: int", "seed: int"), "a field called 'seed'"),
        (COIN.replace("flips: int = 20", "flips: int"), "Config cannot be made"),
    ],
)
def test_a_file_that_is_no_experiment_is_one_sentence(coin, capsys, source, words):
    coin()
    Path("coin.py").write_text(source)
    assert main(["run", "coin.py"]) == 2
    assert words in sentence(capsys) and not Path("runs").exists()


def test_an_experiment_may_be_a_folder_that_imports_its_own_files(coin):
    coin()
    Path("pair").mkdir()
    Path("pair/__init__.py").write_text(COIN + "from .part import SHARE as SHARE\n")
    Path("pair/part.py").write_text("SHARE = 0.5\n")
    assert main(["run", "./pair", "--output", "out"]) == 0


def test_help_and_list_start_without_jax(tmp_path):
    script = (
        "import sys\nfrom pcmodel.cli import main\nmain(['list'])\nmain([])\n"
        "main(['run', '--help'])\n"
        "heavy = {'jax', 'numpy.linalg', 'flax', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy - {'numpy.linalg'}, heavy"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)


def test_help_of_an_experiment_lists_its_options(coin, capsys):
    assert main(["run", coin(), "--help"]) == 0
    printed = capsys.readouterr().out
    assert "--coin.bias" in printed and "(default: 20)" in printed
    assert [option.name for option in config_options(Path("coin.py"))][
        -1
    ] == "coin.bias"


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_every_experiment_says_its_question_and_its_time(entry):
    assert entry.question and entry.time


@pytest.mark.parametrize(
    ("doc", "question"),
    [
        ("Does it move? It does.", "Does it move?"),
        ("Which level\nmatters most.\n\nMore.", "Which level matters most."),
        (
            "How far, e.g. by 0.5 nats, does it go?",
            "How far, e.g. by 0.5 nats, does it go?",
        ),
        ("", ""),
    ],
)
def test_the_question_is_the_first_sentence(doc, question):
    assert first_sentence(doc) == question
