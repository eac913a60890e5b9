"""`run_training`: what it promises of a run that is cut, damaged, or cannot begin."""

import json
from dataclasses import replace

import jax
import numpy as np
import optax
import pytest
from training.tiny import GENERATIVE, PLAN, stripes

import pcmodel
from pcmodel.networks.pure import as_model
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.record.leaves import name_arrays
from pcmodel.training import run as module
from pcmodel.training.plan import EStepPlan
from pcmodel.training.run import run_training
from pcmodel.training.setup import plan_hash

TIMES = ("seconds", "images_per_second")


def content(done):
    return [leaf.sha256 for leaf in name_arrays(as_model(done.network)[1:]).leaves]


def without_times(rows):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


class Cut(Exception):
    """Stands for the kill."""


def cut_after(monkeypatch, chunks):
    """The run ends when so many chunks are done."""
    note = module.Monitor.record
    seen = []

    def counted(self, chunk):
        said = note(self, chunk)
        seen.append(chunk)
        if len(seen) == chunks:
            raise Cut
        return said

    monkeypatch.setattr(module.Monitor, "record", counted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "cuts"),
    [
        (PLAN, [2]),
        (PLAN, [1, 3]),
        (GENERATIVE, [1, 2, 3]),
    ],
    ids=["classify", "classify-more", "generate"],
)
def test_a_run_cut_anywhere_ends_in_the_same_bits(tmp_path, plan, cuts):
    """Prevents a killed and resumed run from being another run than the one reported."""
    data, whole_folder = stripes(), tmp_path / "whole"
    whole = run_training(plan, data=data, seed=3, folder=whole_folder)
    rows = without_times(whole.rows)
    assert [row["step"] for row in rows] == [3, 6, 9, 12] and whole.resumed_from is None
    for chunks in cuts:
        folder = tmp_path / str(chunks)
        with pytest.MonkeyPatch.context() as patch:
            cut_after(patch, chunks)
            with pytest.raises(Cut):
                run_training(plan, data=data, seed=3, folder=folder)
        with open(folder / "metrics.jsonl", "a") as file:
            file.write('{"step": 12')  # what a kill in the middle of a line leaves
        again = run_training(plan, data=data, seed=3, folder=folder)
        assert again.resumed_from == 3 * chunks
        assert content(again) == content(whole)
        assert without_times(again.rows) == rows
        told = (folder / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in told] == [3, 6, 9, 12]
    loaded = pcmodel.load(whole_folder / "network.npz")
    for one, two in zip(
        jax.tree.leaves(as_model(loaded)[1:]),
        jax.tree.leaves(as_model(whole.network)[1:]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_another_seed_is_another_run(tmp_path):
    """Prevents the comparison above from passing because nothing depends on anything."""
    one, two = (run_training(PLAN, data=stripes(), seed=seed) for seed in (0, 1))
    assert content(one) != content(two)


def test_a_finished_run_is_not_trained_again(tmp_path):
    """Prevents a second call from going on beyond the end."""
    first = run_training(PLAN, data=stripes(), folder=tmp_path)
    again = run_training(PLAN, data=stripes(), folder=tmp_path)
    assert again.resumed_from == 12 and content(again) == content(first)
    assert without_times(again.rows) == without_times(first.rows)


def test_a_damaged_checkpoint_is_refused_and_the_one_before_it_serves(tmp_path):
    """Prevents one bad file from costing a week's training."""
    whole = run_training(PLAN, data=stripes(), folder=tmp_path)
    file = next((tmp_path / "checkpoints" / "step_00000012").rglob("d/*"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(pcmodel.UserError, match=r"step_00000012.*damaged.*step=9"):
        run_training(PLAN, data=stripes(), folder=tmp_path)
    again = run_training(PLAN, data=stripes(), folder=tmp_path, from_step=9)
    assert again.resumed_from == 9 and content(again) == content(whole)
    run_training(PLAN, data=stripes(), folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 3}, "another configuration"),
        ({"network": replace(PLAN.network, hidden=(4,))}, "another network"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, words):
    """Prevents one configuration's weights from being finished under another's name."""
    run_training(PLAN, data=stripes(), folder=tmp_path)
    with pytest.raises(pcmodel.UserError, match=words):
        run_training(replace(PLAN, **change), data=stripes(), folder=tmp_path)
    with pytest.raises(pcmodel.UserError, match="another seed"):
        run_training(PLAN, data=stripes(), folder=tmp_path, seed=1)


def test_what_changes_no_number_changes_no_identity():
    """Prevents a run from being lost because its question was reworded."""
    same = replace(PLAN, question="Why?", checkpoint_every=9.0)
    moved = replace(same, data=replace(PLAN.data, folder="/elsewhere"))
    assert plan_hash(moved) == plan_hash(PLAN)
    assert plan_hash(replace(PLAN, batch_size=8)) != plan_hash(PLAN)


def test_the_best_checkpoint_is_kept_beside_the_last(tmp_path):
    """Prevents the best network from being overwritten by later, worse ones."""
    plan = replace(PLAN, epochs=4)
    done = run_training(plan, data=stripes(), folder=tmp_path)
    accuracies = {
        row["step"]: row["validation_accuracy"]
        for row in done.rows
        if "validation_accuracy" in row
    }
    best = max(accuracies, key=lambda step: (accuracies[step], -step))
    store = Checkpoints(tmp_path / "checkpoints", {})
    assert store.best() == best
    assert {best, 21, 24} == set(store.steps())


def test_an_exploding_run_keeps_its_last_good_network_and_says_so(tmp_path):
    """Prevents NaN from being saved, and from being resumed."""
    learning = replace(
        PLAN.learning, optimiser="sgd", rate=1e30, schedule="constant", rule="backprop"
    )
    done = run_training(
        replace(PLAN, learning=learning), data=stripes(), folder=tmp_path
    )
    assert done.stopped_early
    assert all(
        np.isfinite(leaf).all() for leaf in jax.tree.leaves(as_model(done.network)[1:])
    )
    assert np.isfinite(done.test.accuracy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"devices": 4}, "devices: 4 were asked for, but jax sees"),
        ({"batch_size": 25}, "batch_size: cannot be 25; expected at most 24"),
        ({"data": replace(PLAN.data, validation=32)}, "cannot hold out 32"),
        ({"data": replace(PLAN.data, examples=25)}, "data.examples: cannot be 25"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    tmp_path, change, words
):
    """Prevents a long wait, or a half-made folder, before a mistake is told."""
    with pytest.raises(pcmodel.UserError, match=words):
        run_training(replace(PLAN, **change), data=stripes(), folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_schedule_is_the_one_asked_for():
    """Prevents a warm-up or a decay of another length than the plan's."""
    from pcmodel.training.build import build_schedule

    plan = replace(PLAN.learning, rate=2.0, warmup=0.25, final=0.1)
    rate = build_schedule(plan, 40)
    expected = [0.2 * (n + 1) for n in range(10)]
    np.testing.assert_allclose([rate(n) for n in range(10)], expected, rtol=1e-6)
    cosine = [0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * n / 30)) for n in range(31)]
    np.testing.assert_allclose(
        [rate(10 + n) for n in range(31)], 2.0 * np.array(cosine), rtol=1e-6
    )
    flat = build_schedule(replace(plan, schedule="constant", warmup=0.0), 40)
    assert flat(0) == flat(39) == 2.0


def test_weight_decay_of_sgd_pulls_weights_to_zero():
    """Prevents the option from being read and then not used."""
    from pcmodel.training.build import build_network, build_optimiser

    network = build_network(PLAN.network, (4, 4, 1), 2)
    weights = as_model(network).weights
    plan = replace(
        PLAN.learning,
        optimiser="sgd",
        momentum=0.0,
        rate=0.5,
        schedule="constant",
        weight_decay=0.1,
    )
    optimiser = build_optimiser(plan, network, 10)
    gradient = jax.tree.map(np.zeros_like, weights)
    updates, _ = optimiser.update(gradient, optimiser.init(weights), weights)
    for moved, weight in zip(
        jax.tree.leaves(optax.apply_updates(weights, updates)),
        jax.tree.leaves(weights),
        strict=True,
    ):
        np.testing.assert_allclose(moved, 0.95 * weight, rtol=1e-6)


@pytest.mark.slow
def test_chains_are_resumed_with_the_network(tmp_path):
    """Prevents a run with persistent chains from starting them again after a cut."""
    e_step = EStepPlan(kind="hmc", draws=2, steps=3)
    learning = replace(GENERATIVE.learning, e_step=e_step)
    plan = replace(GENERATIVE, learning=learning)
    whole = run_training(plan, data=stripes())
    with pytest.MonkeyPatch.context() as patch:
        cut_after(patch, 3)
        with pytest.raises(Cut):
            run_training(plan, data=stripes(), folder=tmp_path)
    again = run_training(plan, data=stripes(), folder=tmp_path)
    assert again.resumed_from == 9 and content(again) == content(whole)
    assert all(0 < row["acceptance"] <= 1 for row in again.rows)
