"""What comes in at a door is right or refused in a sentence: masks, labels, starts, images, tracing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import doors
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Belief, Clamp, ImageData, Modulation, UserError
from pcmodel.behaviour.participant import ParticipantParameters
from pcmodel.behaviour.response import report_log_likelihood
from pcmodel.behaviour.responses import (
    RatingParameters,
    Scale,
    stepped_log_likelihood,
)
from pcmodel.trainer.examples import load_split
from pcmodel.trainer.plan import DataPlan

RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(4, 2))
LINEAR = pcmodel.linear_gaussian([WEIGHT], [4.0, 1.0], prior_mean=np.array([0.3, -0.2]))
TANH = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
CLASSES = pcmodel.dense((10, 3, 10), likelihood=pcmodel.Categorical(), rngs=nnx.Rngs(0))
KEY = jax.random.key(0)


def battery(*options):
    """Counts of the battery, in a process without the tests' type checker: a list is no `ArrayLike`."""
    command = [sys.executable, str(Path(doors.__file__)), *options]
    root = str(Path(doors.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True
    )
    *bad, counts = done.stdout.strip().splitlines()
    return bad, ast.literal_eval(counts)


def test_generated_inputs_are_right_or_refused_in_a_sentence():
    """Prevents a dropped mask, imaginary part or overflow from becoming a belief."""
    bad, counts = battery("--quick")
    assert not bad
    assert counts["right"] > 120 and counts["named error"] > 150


@pytest.mark.slow
@pytest.mark.parametrize("double", ["0", "1"])
def test_generated_inputs_are_right_or_refused_everywhere(double, monkeypatch):
    """The same at every door, three times over, in both precisions."""
    monkeypatch.setenv("JAX_ENABLE_X64", double)
    bad, _ = battery("--rounds", "3")
    assert not bad


def test_what_is_masked_is_missing():
    """Prevents whatever stands under a mask (a zero, a NaN) from being taken for data."""
    data = RNG.normal(size=(3, 4))
    hidden = np.array([False, True, False, False])
    masked = np.ma.array(np.where(hidden, np.nan, data), mask=np.tile(hidden, (3, 1)))
    seen = WEIGHT[~hidden]
    for given in (masked,):
        found = pcmodel.posterior(LINEAR, given)
        precision = np.eye(2) + 4 * seen.T @ seen
        held = np.array([0.3, -0.2])
        mean = (
            held
            + np.linalg.solve(
                precision, 4 * seen.T @ (data[:, ~hidden] - held @ seen.T).T
            ).T
        )
        np.testing.assert_allclose(found.mean[1], mean, rtol=1e-9)
        np.testing.assert_allclose(found.mean[0][:, 1], mean @ WEIGHT[1], rtol=1e-9)
    masked.mask[0, 0] = True
    with pytest.raises(UserError, match=r"examples 0 and 1 differ.*share one"):
        pcmodel.infer(LINEAR, masked)


@pytest.mark.slow
def test_training_ignores_what_is_masked():
    """Prevents training from learning the zeros under a mask."""
    hidden = np.tile([False, True, False, False], (4, 1))
    data = RNG.normal(size=(4, 4))
    options = {"key": KEY, "num_epochs": 1, "batch_size": 2}
    curves = [
        pcmodel.train(LINEAR, given, **options).curve.energy
        for given in (
            np.ma.array(data, mask=hidden),
            np.ma.array(np.where(hidden, 1e3, data), mask=hidden),
            data,
        )
    ]
    np.testing.assert_array_equal(curves[0], curves[1])
    assert np.all(curves[0] != curves[2])


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.array([0, 1, 2, 3]), r"np\.isin"),
        (np.array([2]), r"np\.isin"),
        (np.array([0.5, 1, 0, 0]), "no booleans"),
        (np.array([[1, 1, 0, 0], [1, 0, 0, 0]]), "examples 0 and 1 differ"),
        (np.ma.array([True] * 4, mask=[0, 1, 0, 0]), "itself masked"),
        (np.array([True, False]), r"\(4,\)"),
    ],
    ids=str,
)
def test_a_mask_is_boolean(mask, said):
    """Prevents a list of indices from clamping every unit but the first."""
    with pytest.raises(UserError, match=said):
        pcmodel.infer(LINEAR, clamp={0: Clamp(np.ones(4), mask)})
    with pytest.raises(UserError, match=said):
        pcmodel.complete(LINEAR, np.ones(4), mask, key=KEY)


def test_zeros_and_ones_are_a_mask_unless_they_could_be_indices():
    clamped = pcmodel.infer(
        LINEAR, clamp={0: Clamp(np.ones(4), np.array([1, 0, 1, 1]))}
    )
    mask = np.array([True, False, True, True])
    expected = pcmodel.infer(LINEAR, clamp={0: Clamp(np.ones(4), mask)})
    np.testing.assert_array_equal(clamped.latents[1], expected.latents[1])
    with pytest.raises(UserError, match="could be booleans or indices"):
        pcmodel.infer(LINEAR, clamp={1: Clamp(np.ones(2), np.array([0, 1]))})


START = (jnp.ones((2, 4)), jnp.ones((2, 3)), jnp.ones((2, 2)))


@pytest.mark.parametrize(
    ("initial", "said"),
    [
        (tuple(each[:1].repeat(3, 0) for each in START), r"\(3, 4\).*\(2, 4\)"),
        (START[:2], "2 arrays.*3 arrays"),
        ((START[0], START[2], START[1]), "'hidden1'.*has shape"),
        ((START[0], START[1], START[2] * np.nan), "'top'.*NaN"),
    ],
    ids=["another batch", "a level short", "swapped", "NaN"],
)
def test_a_start_fits_the_problem(initial, said):
    """Prevents the start of other data from being read as that of these."""
    with pytest.raises(UserError, match=said):
        pcmodel.infer(TANH, np.ones((2, 4)), initial=initial)


def test_what_is_clamped_starts_at_its_value_and_one_start_serves_a_batch():
    data = RNG.normal(size=(2, 4))
    right = (jnp.asarray(data), START[1], START[2])
    expected = pcmodel.infer(TANH, data, initial=right)
    for initial in (START, tuple(each[0] for each in START)):
        found = pcmodel.infer(TANH, data, initial=initial)
        np.testing.assert_array_equal(found.whitened, expected.whitened)
        np.testing.assert_array_equal(found.latents[0], data)


def test_labels_are_not_taken_for_a_vector():
    """Prevents ten labels of ten classes from clamping one vector for every example."""
    labels, images = np.arange(10) % 7, np.zeros((10, 10)) + np.eye(10)
    calls = [
        lambda given: pcmodel.infer(CLASSES, images, clamp={"top": given}),
        lambda given: pcmodel.train(
            CLASSES, images, clamp={"top": given}, key=KEY, batch_size=5
        ),
    ]
    for call in calls:
        for given in (labels, jnp.asarray(labels), labels * 1.0):
            with pytest.raises(UserError, match=r"np\.eye\(10\)\[labels\]"):
                call(given)
    with pytest.raises(UserError, match=r"np\.eye\(10\)\[labels\]"):
        pcmodel.infer(CLASSES, np.eye(10, dtype=int)[3])
    with pytest.raises(UserError, match=r"labels\? .*np\.eye\(10\)"):
        pcmodel.infer(CLASSES, np.array([1, 2, 3]))
    vector = pcmodel.infer(CLASSES, images[3], clamp={"top": labels})
    assert not vector.is_batched


IMAGES = RNG.integers(0, 256, (12, 5, 5, 1)).astype(np.uint8)
LABELS = np.arange(12) % 3
SETS = {
    "already in [0, 1]": ({"train_images": IMAGES / 255}, "np.round"),
    "float32 in [0, 1]": ({"test_images": np.float32(IMAGES) / 255}, "np.round"),
    "bytes of 0 and 1": ({"train_images": IMAGES // 128}, "np.round"),
    "standardised": ({"train_images": IMAGES - 128.0}, "go from -128"),
    "beyond white": ({"train_images": IMAGES + 100.0}, "0 to 255"),
    "fractions": ({"train_images": IMAGES + 0.0 * IMAGES + 0.5}, "255"),
    "NaN": ({"train_images": np.where(IMAGES > 3, IMAGES, np.nan)}, "NaN"),
    "no channels": ({"train_images": IMAGES[..., 0]}, "None"),
    "flat": ({"train_images": IMAGES.reshape(12, -1)}, "reshape"),
    "channels first": (
        {"train_images": np.moveaxis(np.repeat(IMAGES, 3, -1), -1, 1)},
        "moveaxis",
    ),
    "another size in the test": ({"test_images": IMAGES[:, :4]}, "5 x 5 x 1"),
    "none": ({"train_images": IMAGES[:0], "train_labels": LABELS[:0]}, "one image"),
    "no test images": ({"test_images": IMAGES[:0]}, "one image"),
    "fewer labels": ({"train_labels": LABELS[:9]}, "9 labels for 12"),
    "fewer test labels": ({"test_labels": LABELS[:9]}, "9 labels for 12"),
    "label -1": ({"train_labels": LABELS - 1}, "label -1"),
    "label too high": ({"test_labels": LABELS + 1}, "label 3"),
    "one-hot labels": ({"train_labels": np.eye(3)[LABELS]}, "argmax"),
    "labels in a column": ({"train_labels": LABELS[:, None]}, "ravel"),
    "float labels": ({"train_labels": LABELS * 1.0}, "astype"),
    "masked labels": ({"train_labels": np.ma.array(LABELS, mask=LABELS == 1)}, "mask"),
    "no classes": ({"num_classes": 0}, "num_classes"),
}
MINE = ImageData(IMAGES, LABELS, IMAGES, LABELS, "mine", 3)


@pytest.mark.parametrize("name", SETS)
def test_images_are_checked_by_whatever_road_they_come(name):
    """Prevents images in [0, 1] from being divided by 255 again, or labels from being shifted."""
    changed, said = SETS[name]
    data = MINE._replace(**changed)
    with pytest.raises(UserError, match=said):
        load_split(DataPlan(validation=2), data)
    with pytest.raises(UserError, match=said):
        pcmodel.run_training(
            pcmodel.TrainingPlan(data=DataPlan(validation=2)), data=data
        )


def test_whole_numbers_of_any_type_are_grey_levels():
    expected = load_split(DataPlan(validation=2), MINE)
    for dtype in (np.int64, np.float32, np.float64, np.uint16):
        data = MINE._replace(train_images=IMAGES.astype(dtype))
        found = load_split(DataPlan(validation=2), data)
        np.testing.assert_array_equal(found.train.images, expected.train.images)
        assert found.train.images.dtype == np.uint8


def leaves_of(belief):
    return belief.mean, belief.log_precision


def evidence_of(x):
    network = pcmodel.linear_gaussian(
        [x.reshape(2, 2)], [jnp.exp(x[0]), 2.0], prior_mean=x[:2], biases=[x[2:]]
    )
    return pcmodel.posterior(network, np.array([1.0, 2.0])).log_evidence


GUESSER = pcmodel.recognition_for(TANH, rngs=nnx.Rngs(1))
SEEN = np.array([True, True, False, True])
BINARY = pcmodel.dense((4, 3, 2), likelihood=pcmodel.Bernoulli(), rngs=nnx.Rngs(0))
TRACED = {
    "predict": lambda x: pcmodel.predict(TANH, x[:2]),
    "recognise": lambda x: pcmodel.recognise(GUESSER, x),
    "Belief.of": lambda x: leaves_of(Belief.of(x[:2], jnp.exp(x[2:]))),
    "propagate": lambda x: leaves_of(
        Belief.of(x[:2], jnp.exp(x[2:])).propagate(noise_covariance=x[0] ** 2)
    ),
    "linear_gaussian": evidence_of,
}
TRACED_SLOWLY = {
    "reconstruct": lambda x: pcmodel.reconstruct(TANH, clamp={0: Clamp(x, SEEN)}),
    "variances": lambda x: pcmodel.posterior(TANH, x).variances[1:],
    "log evidence": lambda x: (
        pcmodel.posterior(
            BINARY, jax.nn.sigmoid(x), modulation=Modulation({"top": 0.5})
        ).log_evidence
    ),
    "covariance": lambda x: pcmodel.posterior(TANH, x).covariance(1, 2),
    "posterior samples": lambda x: pcmodel.posterior(TANH, x).sample(KEY, 2),
    "belief": lambda x: leaves_of(pcmodel.posterior(TANH, x).belief()),
    "activity": lambda x: pcmodel.activity(TANH, KEY, x, num_samples=2),
    "sample": lambda x: pcmodel.sample(TANH, KEY, 2, prior=Belief.of(x[:2], 4.0)),
    "initial": lambda x: pcmodel.infer(TANH, x, initial=(x, x[:3], x[:2])).latents,
}
POINT = np.array([0.4, -0.7, 0.9, 0.2])


def summed(tree):
    return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(tree))


def check_traced(function):
    """jit and vmap against eager calls, the gradient against finite differences."""
    points = POINT + np.linspace(-0.3, 0.3, 3)[:, None]
    eager = [function(jnp.asarray(point)) for point in points]
    together = jax.vmap(function)(points)
    for index, one in enumerate(eager):
        for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(one), strict=True):
            np.testing.assert_allclose(a[index], b, rtol=1e-6, atol=1e-8)
    compiled = jax.jit(function)(points[1])
    for a, b in zip(jax.tree.leaves(compiled), jax.tree.leaves(eager[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    slope = jax.grad(lambda x: summed(function(x)))(POINT)
    for unit, direction in enumerate(1e-5 * np.eye(4)):
        ends = [
            float(summed(function(jnp.asarray(POINT + sign * direction))))
            for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(slope[unit], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", TRACED)
def test_doors_are_traced_to_the_values_they_give_eagerly(name):
    """Prevents a traced call from failing in jax's words, or from having another gradient."""
    check_traced(TRACED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACED_SLOWLY)
def test_all_doors_are_traced_to_the_values_they_give_eagerly(name):
    check_traced(TRACED_SLOWLY[name])


UNTRACED = {
    "train": lambda x: pcmodel.train(TANH, jnp.stack([x, x]), key=KEY, batch_size=2),
    "train_recognition": lambda x: pcmodel.train_recognition(
        GUESSER, TANH, jnp.stack([x, x]), key=KEY, batch_size=2
    ),
    "a mask": lambda x: pcmodel.infer(TANH, clamp={0: Clamp(x, x > 0)}).energy,
    "a gain of data": lambda x: (
        pcmodel.posterior(
            BINARY, SEEN * 1.0, modulation=Modulation({"data": x[3]})
        ).log_evidence
    ),
}


@pytest.mark.parametrize("name", UNTRACED)
def test_what_cannot_be_traced_says_so(name):
    """Prevents a page of tracer errors."""
    for transform in (jax.jit,) if name == "a mask" else (jax.jit, jax.grad):
        with pytest.raises(UserError, match=r"cannot run under|traced"):
            transform(UNTRACED[name])(POINT)


def test_chains_refuse_to_be_differentiated():
    """Prevents the gradient of accepted moves from being taken for that of the draws' law."""
    for function in (
        lambda x: pcmodel.complete(TANH, x, SEEN, key=KEY, num_samples=2).sum(),
        lambda x: (
            pcmodel.log_likelihood(
                TANH, x, key=KEY, num_steps=2, num_particles=2
            ).log_likelihood
        ),
    ):
        with pytest.raises(UserError, match="cannot be differentiated"):
            jax.grad(function)(POINT)


BELIEFS = {
    "infinite mean": (lambda: Belief([np.inf, 0], 0), "infinity"),
    "infinite numpy mean": (lambda: Belief(np.array([np.inf, 0]), 0.0), "infinity"),
    "NaN precision": (lambda: Belief(jnp.zeros(2), jnp.asarray(jnp.nan)), "NaN"),
    "imaginary mean": (lambda: Belief.of(np.array([1 + 2j, 0]), 1.0), "complex"),
    "imaginary precision": (lambda: Belief.of(np.ones(2), 1 + 1j), "complex"),
    "masked mean": (lambda: Belief.of(np.ma.array([1.0, 2], mask=[0, 1]), 1), "masked"),
    "precision underflows": (
        lambda: Belief.of(np.zeros(1), 5e-324),
        "1e-323 cannot be held",
    ),
    "negative noise": (
        lambda: Belief.of(np.zeros(1), 1.0).propagate(noise_covariance=-5),
        "negative",
    ),
    "one negative variance": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(
            noise_covariance=np.array([1.0, -1e-3])
        ),
        "negative",
    ),
    "indefinite noise": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(
            noise_covariance=np.array([[1.0, 2], [2, 1]])
        ),
        "negative",
    ),
    "transition of another size": (
        lambda: Belief.of(np.zeros(2), 1.0).propagate(transition=np.eye(3)),
        "transition",
    ),
    "indefinite covariance": (
        lambda: Belief.from_covariance(
            np.zeros(2), np.array([[1.0, 2], [2, 1]]), ("top",)
        ),
        "eigenvalue -1",
    ),
    "lopsided covariance": (
        lambda: Belief.from_covariance(
            np.zeros(2), np.array([[1.0, 0.5], [0, 1]]), ("top",)
        ),
        "symmetric",
    ),
    "a precision of another size": (
        lambda: Belief(np.zeros(2), np.zeros(3)).covariance,
        "does not fit",
    ),
}


@pytest.mark.parametrize("name", BELIEFS)
def test_beliefs_that_cannot_be_held_are_refused(name):
    """Prevents a NaN belief from travelling to the next trial."""
    make, said = BELIEFS[name]
    with pytest.raises(UserError, match=said):
        make()


def test_a_scale_is_divided_by_its_step():
    """Prevents ratings whose probabilities sum to 1.32."""
    for low, high, step in (
        (0.0, 100.0, 30.0),
        (0.0, 1.0, 2.0),
        (0.0, np.inf, 1.0),
        (0.0, 1.0, np.nan),
    ):
        with pytest.raises(UserError, match="scale"):
            Scale(low, high, step)
    with pytest.raises(UserError, match="no steps"):
        stepped_log_likelihood(
            RatingParameters(jnp.zeros(())),
            jnp.zeros(1),
            jnp.zeros(1),
            scale=Scale(0.0, 1.0, 0.0),
        )


@pytest.mark.parametrize("seed", range(20))
def test_probabilities_of_ratings_and_reports_sum_to_one(seed):
    """Prevents a fit from buying likelihood with a probability above one."""
    rng = np.random.default_rng(seed)
    steps, step = int(rng.integers(1, 12)), float(10 ** rng.uniform(-2, 2))
    low = float(rng.normal())
    grid = jnp.asarray(np.resize(low + step * np.arange(steps + 1), 12))
    counted = np.arange(12) <= steps
    values = stepped_log_likelihood(
        RatingParameters(jnp.asarray(rng.uniform(-6, 6))),
        jnp.full(12, rng.uniform(low - 2 * step, low + (steps + 2) * step)),
        grid,
        scale=Scale(low, low + steps * step, step),
    )
    assert np.exp(values)[counted].sum() == pytest.approx(1, abs=1e-9)
    person = dict.fromkeys(ParticipantParameters._fields, jnp.zeros(()))
    person |= {
        "log_report_sd": jnp.asarray(rng.uniform(-6, 5)),
        "log_report_slope": jnp.asarray(-9.0),
        "stay_logit": jnp.asarray(rng.normal()),
    }
    reports = report_log_likelihood(
        ParticipantParameters(**person),
        predicted=jnp.full(301, rng.uniform(0, 300)),
        previous=jnp.full(301, float(rng.integers(0, 301))),
        report=jnp.arange(301.0),
    )
    assert float(jnp.exp(reports).sum()) == pytest.approx(1, abs=1e-9)
