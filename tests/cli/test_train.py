"""`pcmodel train`: configurations, one sentence for what is wrong, and what a run leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from coin_experiment import sentence

from pcmodel.cli import main
from pcmodel.cli.options import configure
from pcmodel.data.images import ImageData
from pcmodel.networks.pure import as_model
from pcmodel.networks.storage.network_file import load
from pcmodel.training.build import build_learning, build_network
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.run import run_training
from pcmodel.training.shipped import locate_plan, shipped

SHAPES = {
    "digits": (8, 8, 1),
    "mnist": (28, 28, 1),
    "cifar10": (32, 32, 3),
    "cifar100": (32, 32, 3),
}
NAMES = [entry.name for entry in shipped()]


def plan_of(name):
    path = locate_plan(name)
    return configure(TrainingPlan, TrainingPlan(), file=path, where=name)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_shipped_configuration_says_what_it_asks_and_how_long(capsys):
    """Prevents a row of the list from saying nothing."""
    assert len(NAMES) >= 11 and all(e.question and e.time for e in shipped())
    assert main(["train", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_configuration_builds_its_network_and_its_smoke_size(name):
    """Prevents a configuration that has never been read, or a network that does not fit."""
    shape = SHAPES[plan_of(name).data.name]
    small = build_network(plan_of(name).shrunk().network, shape, 10)
    for plan in (plan_of(name), plan_of(name).shrunk()):
        pure = jax.eval_shape(
            lambda plan=plan: as_model(build_network(plan.network, shape, 10))[1:]
        )
        sizes = [int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(pure)]
        assert sum(sizes) > 1000 or plan != plan_of(name)
        learning = build_learning(plan.learning, small, 10)
        assert learning.precision_step.learns == (plan.learning.precision_rate > 0)
        assert not learning.asks_point_estimates_for_precisions


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_configuration_trains_at_its_smoke_size(name):
    """Prevents a rule, optimiser or network that cannot be combined, and nudges that diverge from the first step."""
    plan = plan_of(name).shrunk()
    height, width, channels = SHAPES[plan.data.name]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (80, height, width, channels), dtype=np.uint8)
    labels = rng.integers(0, 10, 80)
    data = ImageData(images[:64], labels[:64], images[64:], labels[64:], "noise", 10)
    done = run_training(plan, data=data)
    assert not done.stopped_early and len(done.rows) >= plan.epochs
    assert all(np.isfinite(row["energy"]) for row in done.rows)
    if plan.learning.rule == "nudged_loss":
        assert done.rows[0]["converged"] > 0.5


def test_a_twin_differs_in_its_rule_alone():
    """Prevents a comparison with backpropagation from comparing something else too."""
    plan, twin = plan_of("cifar10_vgg5"), plan_of("cifar10_vgg5_backprop")
    own = plan.learning
    nudge = {
        what: getattr(own, what)
        for what in ("rule", "nudging", "nudge", "settling", "settling_steps")
    }
    learning = replace(twin.learning, **nudge)
    assert replace(twin, learning=learning, question=plan.question) == plan
    plan, twin = plan_of("mnist_mlp"), plan_of("mnist_mlp_backprop")
    learning = replace(twin.learning, rule="em", e_step=plan.learning.e_step)
    assert replace(twin, learning=learning, question=plan.question) == plan


BAD = [
    ("mnist_mpl", "no configuration is called 'mnist_mpl', did you mean 'mnist_mlp'"),
    ("none.yaml", "configuration none.yaml: there is no such file"),
    ("", "no configuration was named"),
    ("typo.yaml", "no option is called 'learning.rat', did you mean 'learning.rate'"),
    ("broken.yaml", "broken.yaml: is not YAML"),
    ("word.yaml", "option 'epochs' cannot be 'many'; expected a whole number"),
    ("negative.yaml", "epochs: cannot be -1; expected a whole number, 1 to 1000000000"),
    ("digits_generative --epochs 1" + 20 * "0", "a whole number, 1 to 1000000000"),
    ("digits_generative --network.width 1" + 20 * "0", "network.width: cannot be 1000"),
    ("digits_generative --learning.rate 0", "learning.rate: cannot be 0.0"),
    ("digits_generative --learning.rate .inf", "learning.rate: cannot be inf"),
    ("digits_generative --learning.rule hebb", "expected 'em' or 'backprop'"),
    ("digits_generative --learning.rule backprop", 'only "em" learns precisions'),
    ("digits_generative --learning.e_step.kind point", "their precision diverges"),
    ("digits_generative --network.builder vgg5", "mlp, the one that generates"),
    ("digits_generative --network.likelihood categorical", "gaussian or bernoulli"),
    ("mnist_mlp --network.likelihood bernoulli", "categorical or gaussian"),
    ("mnist_mlp --devices 3", "a divisor of the batch_size 128"),
    ("mnist_mlp --data.folder nowhere --quiet", "nowhere: there is no train-images"),
    ("digits_generative --data.folder x --quiet", "come with the package"),
    ("digits_generative --quiet --devices 2", "jax sees 1"),
    ("digits_generative --learnin 3", "no option is called 'learnin'"),
    ("digits_generative --epochs", "option 'epochs' was given no value"),
    ("digits_generative --seed -1", "--seed: cannot be -1"),
    ("digits_generative --resume --output new", "new: holds no checkpoint to go on"),
    ("digits_generative --resume --overwrite", "--overwrite begins anew"),
    ("digits_generative --output mine --quiet", "mine: holds files that are not a run"),
]


@pytest.mark.parametrize(("words", "part"), BAD, ids=[bad[0] for bad in BAD])
def test_bad_input_is_one_sentence(here, capsys, words, part):
    """Prevents a traceback, or a run of something else, for a mistyped configuration."""
    Path("typo.yaml").write_text("learning: {rat: 0.1}")
    Path("broken.yaml").write_text("learning: [")
    Path("word.yaml").write_text("epochs: many")
    Path("negative.yaml").write_text("epochs: -1")
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("dear")
    assert main(["train", *words.split()]) == 2
    assert part in sentence(capsys)
    assert not [path for path in Path().rglob("network.npz")]


def test_options_go_over_the_file_and_smoke_sizes_under_them(here, capsys):
    """Prevents --smoke from overruling what was asked for on the command line."""
    words = ["--smoke", "--epochs", "7", "--learning.e_step.products", "3"]
    assert main(["train", "digits_generative", *words, "--print-config"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["epochs"], plan["learning"]["e_step"]["products"]) == (7, 3)
    assert plan["batch_size"] == 4 and plan["network"]["precision"] == 10.0
    Path("copy.json").write_text(json.dumps(plan))
    assert main(["train", "copy.json", "--print-config"]) == 0
    assert json.loads(capsys.readouterr().out) == plan


def test_every_option_is_listed(capsys):
    """Prevents an option that nobody can find."""
    assert main(["train", "--options"]) == 0
    told = capsys.readouterr().out
    assert "--learning.e_step.draws" in told and "(default: 64)" in told


SMOKE = ["train", "digits_generative", "--smoke", "--quiet", "--output", "out"]


def network_of(folder):
    return jax.tree.leaves(as_model(load(Path(folder) / "network.npz"))[1:])


@pytest.mark.slow
def test_from_a_configuration_to_a_report(here, capsys):
    """Prevents a run whose folder lacks a part, or that is trained twice."""
    assert main(SMOKE) == 0
    told = capsys.readouterr().out
    assert "test images of digits are named correctly" in told
    found = {str(path) for path in Path("out").rglob("*") if path.is_file()}
    parts = ("config.json", "environment.json", "status.json", "metrics.jsonl")
    parts += ("network.npz", "report.html", "arrays.npz", "result.json")
    assert {f"out/{part}" for part in parts} <= found
    page = re.sub("base64,[^\"')]*", "", Path("out/report.html").read_text())
    assert "pcmodel train digits_generative --seed 0 --smoke" in page
    wanted = ("Time per epoch", "learning.precision_rate", "±", "weight norm")
    for words in (*wanted, "Foreign images", "Nalisnick"):
        assert words in page
    summary = json.loads(Path("out/result.json").read_text())["summary"]
    assert summary["num_test"] == 32 and summary["resumed_from"] is None
    assert main(SMOKE) == 0
    assert "already complete" in capsys.readouterr().err
    other = [*SMOKE, "--epochs", "3"]
    assert main(other) == 2  # a complete run of something else stays
    assert "complete run" in capsys.readouterr().err


@pytest.mark.slow
def test_an_unfinished_run_of_something_else_is_left_alone(here, capsys):
    """Prevents a folder's checkpoints from being mixed with another run's."""
    assert main(SMOKE) == 0
    status = json.loads(Path("out/status.json").read_text())
    Path("out/status.json").write_text(json.dumps(status | {"status": "interrupted"}))
    before = sorted(Path("out").rglob("*"))
    assert main([*SMOKE, "--epochs", "3"]) == 2
    assert "unfinished run of another" in capsys.readouterr().err
    assert sorted(Path("out").rglob("*")) == before
    assert main([*SMOKE, "--epochs", "3", "--overwrite"]) == 0
    assert json.loads(Path("out/config.json").read_text())["epochs"] == 3


def command(output):
    words = [*SMOKE[:-1], str(output), "--epochs", "5", "--chunk", "2"]
    return [sys.executable, "-m", "pcmodel", *words]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_moment_and_started_again_it_ends_in_the_same_bits(here):
    """Prevents a kill from changing a result: three at random, against none.

    The bits are those of one machine: the processes share versions, device and flags.
    """
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"}
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"

    def start(output):
        return subprocess.Popen(command(output), env=environment)

    whole = start("whole")
    assert whole.wait(timeout=300) == 0
    rng, kills, steps = np.random.default_rng(0), 0, []
    checkpoints = Path("cut/checkpoints")
    while kills < 3:
        process = start("cut")
        seen = len(list(checkpoints.glob("step_*")))
        newest = max(steps, default=0)
        while process.poll() is None:
            found = [int(p.name[5:]) for p in checkpoints.glob("step_*")]
            if max(found, default=0) > newest:
                time.sleep(rng.uniform(0, 0.3))
                break
            time.sleep(0.01)
        assert process.poll() is None, f"ended before kill {kills}, {seen}"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        steps.append(max(int(p.name[5:]) for p in checkpoints.glob("step_*")))
        kills += 1
    assert steps == sorted(set(steps))
    last = start("cut")
    assert last.wait(timeout=300) == 0
    for one, two in zip(network_of("whole"), network_of("cut"), strict=True):
        np.testing.assert_array_equal(one, two)

    def rows(folder):
        lines = Path(folder, "metrics.jsonl").read_text().splitlines()
        return [
            {k: v for k, v in json.loads(line).items() if "second" not in k}
            for line in lines
        ]

    assert rows("whole") == rows("cut")
    assert json.loads(Path("cut/result.json").read_text())["summary"]["resumed_from"]
    shutil.rmtree("cut")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--processes", "2", "--process", "0"], "--coordinator HOST:PORT"),
        (["--coordinator", "node1"], "HOST:PORT"),
        (["--coordinator", "a:1", "--processes", "0", "--process", "0"], "1 or more"),
        (["--coordinator", "a:1", "--processes", "2", "--process", "2"], "0 to 1"),
        (["--coordinator", "a:1", "--processes", "2"], "0 to 1"),
        (["--coordinator", "auto", "--processes", "2"], "without --processes"),
    ],
)
def test_processes_that_cannot_join_are_told_why(words, named, here, capsys):
    """Prevents a cluster job from waiting for ever, or from ending in a stack trace."""
    assert main(["train", "digits_generative", "--smoke", *words]) == 2
    assert named in sentence(capsys)
    assert not list(here.iterdir())


def test_a_coordinator_that_nobody_starts_is_given_up(here, capsys, monkeypatch):
    """Prevents the abort in which jax itself ends when the first process never comes."""
    monkeypatch.setattr("pcmodel.cli.running.processes.PATIENCE", 0)
    words = ["--coordinator", "127.0.0.1:1", "--processes", "2", "--process", "1"]
    assert main(["train", "digits_generative", "--smoke", *words]) == 2
    assert "nobody answered" in capsys.readouterr().err
