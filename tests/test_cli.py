"""The command line as a user meets it: exit codes, one sentence, whole folders."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from pcmodel.cli import main
from pcmodel.cli.catalogue import catalogue, config_options, first_sentence
from pcmodel.cli.options import describe_type
from pcmodel.record import read_arrays
from pcmodel.record.folder import read_status

ROOT = Path(__file__).resolve().parents[1]

COIN = '''"""Does a coin fall heads half the time? It should.

Time: a second.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from pcmodel.errors import UserError
from pcmodel.report import Verdict


@dataclass(frozen=True)
class Coin:
    bias: float = 0.5

    def __post_init__(self):
        if not 0 < self.bias < 1:
            what = f"cannot be {self.bias}"
            raise UserError(what, where="coin.bias", expected="0 to 1")


@dataclass(frozen=True)
class Config:
    flips: int = 20
    kind: Literal["fair", "odd"] = "fair"
    widths: tuple[int, ...] = (3, 4)
    scale: float | None = None
    coin: Coin = field(default_factory=Coin)

    @classmethod
    def smoke(cls):
        return cls(flips=2)


class Results(NamedTuple):
    heads: object


class Summary(NamedTuple):
    share: float
    verdicts: tuple


def run(config, *, seed, progress):
    ...
    return Results(np.random.default_rng(seed).random(config.flips) < config.coin.bias)


def analyse(config, results):
    share = float(results.heads.mean())
    return Summary(share, (Verdict("fair", "near [1/2]", "0.5", "holds", "predicted"),))
'''

PLOT = """

def plot(config, results, summary):
    from pcmodel.report.style import new_figure

    figure, axes = new_figure(height=1)
    axes.plot(results.heads)
    return {"heads": figure}
"""

RECORD = ["arrays.npz", "config.json", "environment.json", "report.html"]
RECORD += ["result.json", "status.json"]


@pytest.fixture
def coin(tmp_path, monkeypatch):
    """Writes an experiment with some lines in its `run`; the cwd is its folder."""
    monkeypatch.chdir(tmp_path)

    def write(body="", extra=""):
        (tmp_path / "coin.py").write_text(COIN.replace("    ...\n", body) + extra)
        return "coin.py"

    return write


def sentence(capsys):
    """The one line that starts with the program's name."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    lines = [line for line in error.splitlines() if line.startswith("pcmodel: ")]
    assert len(lines) == 1, error
    return lines[0]


def test_a_run_leaves_a_complete_folder_and_prints_its_verdicts(coin, capsys):
    assert main(["run", coin(), "--output", "out"]) == 0
    assert sorted(os.listdir("out")) == RECORD
    status = read_status(Path("out"))
    assert (status["status"], status["experiment"]) == ("complete", "coin")
    printed = capsys.readouterr().out
    assert "fair" in printed and "holds" in printed and "out/report.html" in printed
    page = Path("out/report.html").read_text()
    assert "Does a coin fall heads half the time?" in page
    assert "pcmodel run coin.py --seed 0" in page


def test_figures_are_saved_and_shown_in_the_report(coin):
    assert main(["run", coin(extra=PLOT), "--output", "out"]) == 0
    assert Path("out/figures/heads.png").read_bytes()[1:4] == b"PNG"
    assert "data:image/png" in Path("out/report.html").read_text()


def test_same_seed_is_bit_for_bit_the_same_and_another_seed_is_not(coin):
    body = (
        "    import jax\n    return Results(jax.random.normal(jax.random.key(seed)))\n"
    )
    name = coin(body)
    for out, seed in [("a", "5"), ("b", "5"), ("c", "6")]:
        assert main(["run", name, "--seed", seed, "--output", out]) == 0
    for file in ("arrays.npz", "result.json", "config.json"):
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()
    assert Path("a/arrays.npz").read_bytes() != Path("c/arrays.npz").read_bytes()


def test_the_default_folder_tells_configurations_apart(coin):
    name = coin()
    assert main(["run", name]) == main(["run", name, "--flips", "3"]) == 0
    assert main(["run", name, "--seed", "1"]) == 0
    assert len(os.listdir("runs")) == 3


def test_a_complete_run_is_pointed_to_and_repeated_only_on_request(coin, capsys):
    name = coin()
    main(["run", name, "--output", "out"])
    before = Path("out/status.json").stat().st_mtime_ns
    capsys.readouterr()
    assert main(["run", name, "--output", "out"]) == 0
    assert "already complete" in (said := sentence(capsys)) and "--overwrite" in said
    assert Path("out/status.json").stat().st_mtime_ns == before
    assert main(["run", name, "--output", "out", "--overwrite"]) == 0
    assert Path("out/status.json").stat().st_mtime_ns > before


def test_another_complete_run_is_not_replaced(coin, capsys):
    name = coin()
    main(["run", name, "--output", "out"])
    capsys.readouterr()
    assert main(["run", name, "--output", "out", "--seed", "9"]) == 2
    assert "holds a complete run of coin" in sentence(capsys)


BAD = [
    ("--flipz 3", "'flipz', did you mean 'flips'?; expected one of: flips, kind"),
    ("--flips 3.5", "option 'flips' cannot be '3.5'; expected a whole number"),
    ("--flips", "option 'flips' was given no value; expected a whole number"),
    ("--flips --kind odd", "option 'flips' was given no value"),
    ("--kind even", "option 'kind' cannot be 'even'; expected 'fair' or 'odd'"),
    ("--widths 3", "a list of whole numbers such as [1, 2]"),
    ("--scale big", "option 'scale' cannot be 'big'; expected a number or null"),
    ("--coin.bias heavy", "option 'coin.bias' cannot be 'heavy'; expected a number"),
    ("--coin.bias 2", "coin.bias: cannot be 2.0; expected 0 to 1"),
    ("--coin 2", "no option is called 'coin'"),
    ("heads", "does not know what to do with 'heads'"),
    ("--seed -1", "--seed: cannot be -1; expected 0 to"),
    ("--seed x", "argument --seed: invalid int value: 'x'"),
    ("--config none.json", "none.json: cannot be read (No such file"),
    ("--config broken.json", "broken.json: is not valid"),
    ("--config list.json", "list.json: the file holds [1]; expected names and values"),
    ("--config typo.json", "typo.json: no option is called 'coin.bas'"),
    ("--config wrong.yaml", "wrong.yaml: option 'flips' cannot be 'many'"),
    ("--output coin.py", "coin.py: holds files that are not a run"),
    ("--output coin.py/sub", "coin.py/sub: cannot write there (Not a directory)"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[bad[0] for bad in BAD])
def test_bad_input_is_one_sentence_and_writes_nothing(coin, capsys, options, words):
    name = coin()
    Path("broken.json").write_text("{")
    Path("list.json").write_text("[1]")
    Path("typo.json").write_text('{"coin": {"bas": 0.5}}')
    Path("wrong.yaml").write_text("flips: many")
    before = sorted(os.listdir())
    assert main(["run", name, *options.split()]) == 2
    assert words in sentence(capsys)
    assert sorted(set(os.listdir()) - {"__pycache__"}) == before


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
    ],
)
def test_a_file_that_is_no_experiment_is_one_sentence(coin, capsys, source, words):
    coin()
    Path("coin.py").write_text(source)
    assert main(["run", "coin.py"]) == 2
    assert words in sentence(capsys) and not Path("runs").exists()


def test_a_failure_keeps_the_traceback_in_the_folder(coin, capsys):
    name = coin("    raise RuntimeError('no\\nluck')\n")
    assert main(["run", name, "--output", "out"]) == 1
    said = sentence(capsys)
    assert "coin failed with RuntimeError (no)" in said and "out/error.txt" in said
    assert "Traceback" in Path("out/error.txt").read_text()
    assert read_status(Path("out"))["status"] == "failed"


def test_a_late_failure_loses_nothing_that_was_computed(coin):
    name = coin(extra="\ndef plot(config, results, summary):\n    raise ValueError\n")
    assert main(["run", name, "--output", "out"]) == 1
    assert read_arrays(Path("out/arrays.npz"))["heads"].shape == (20,)
    assert json.loads(Path("out/result.json").read_text())["summary"]["verdicts"]


def test_bad_input_found_while_running_is_bad_input(coin, capsys):
    name = coin("    raise UserError('has no rows', where='data.csv')\n")
    assert main(["run", name, "--output", "out"]) == 2
    assert sentence(capsys) == "pcmodel: data.csv: has no rows"
    assert read_status(Path("out"))["reason"] == "data.csv: has no rows"


def test_ctrl_c_is_recorded(coin, capsys):
    name = coin("    raise KeyboardInterrupt\n")
    assert main(["run", name, "--output", "out"]) == 130
    assert "interrupted" in sentence(capsys)
    assert read_status(Path("out"))["status"] == "interrupted"
    assert sorted(os.listdir("out")) == [*RECORD[1:3], "status.json"]


def start_and_signal(name, number):
    """Start a run that waits, send it a signal, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pcmodel", "run", name, "--output", "out"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not Path("started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    return process.wait(60), process.communicate()[1]


WAIT = "    open('started', 'w').close()\n    import time; time.sleep(60)\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_process_says_so_and_exits_130(coin, number):
    code, error = start_and_signal(coin(WAIT), number)
    assert code == 130 and "Traceback" not in error
    assert error.count("pcmodel: interrupted") == 1
    assert read_status(Path("out"))["status"] == "interrupted"


def test_a_killed_run_has_no_half_files_and_can_be_run_again(coin):
    code, _ = start_and_signal(coin(WAIT), signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert read_status(Path("out"))["status"] == "running"
    assert sorted(os.listdir("out")) == [*RECORD[1:3], "status.json"]
    assert main(["run", coin(), "--output", "out"]) == 0
    assert read_status(Path("out"))["status"] == "complete"


def test_the_saved_configuration_repeats_the_run(coin):
    name = coin()
    options = ["--flips", "7", "--coin.bias", "0.25", "--widths", "[1]", "--kind=odd"]
    assert main(["run", name, *options, "--output", "a"]) == 0
    assert main(["run", name, "--config", "a/config.json", "--output", "b"]) == 0
    for file in ("arrays.npz", "config.json"):
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()


def test_defaults_then_smoke_then_file_then_options(coin, capsys):
    name = coin()
    Path("c.yaml").write_text("coin: {bias: 0.1}\nscale: 3\nflips: 4")

    def printed(*options):
        assert main(["run", name, "--print-config", *options]) == 0
        return json.loads(capsys.readouterr().out)

    assert printed()["flips"] == 20
    assert printed("--smoke")["flips"] == 2
    assert printed("--smoke", "--config", "c.yaml")["flips"] == 4
    last = printed("--smoke", "--config", "c.yaml", "--flips", "5", "--scale", "null")
    assert last == {
        "flips": 5,
        "kind": "fair",
        "widths": [3, 4],
        "scale": None,
        "coin": {"bias": 0.1},
    }
    assert not Path("runs").exists()


def test_float64_is_a_switch_and_a_different_run(coin):
    name = coin("    import jax.numpy as jnp\n    return Results(jnp.ones(3) / 3)\n")
    jax.config.update("jax_enable_x64", False)
    try:
        assert main(["run", name]) == main(["run", name, "--float64"]) == 0
        assert not jax.config.jax_enable_x64
    finally:
        jax.config.update("jax_enable_x64", True)
    kinds = {str(read_arrays(f)["heads"].dtype) for f in Path().glob("runs/*/*.npz")}
    assert kinds == {"float32", "float64"}


def test_quiet_shows_no_progress(coin, capsys):
    assert main(["run", coin(), "--quiet", "--output", "out"]) == 0
    assert capsys.readouterr().err == ""


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


def test_types_are_described_in_words():
    assert describe_type(bool) == "true or false"
    assert describe_type(list[str]) == "a list of values such as [a, b]"
    assert describe_type(int | str) == "a whole number or text"
