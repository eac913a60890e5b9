"""Named parts of levels: what is said of a part is said of its units, and of nothing else."""

from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import ask, assert_exact
from part_problems import (
    STARTS,
    answer,
    belief_term,
    hierarchy_terms,
    linear_network,
    spd,
    units,
)

import pcmodel
from pcmodel import Belief, Clamp, Level, Modulation, UserError, relax
from pcmodel.inference import BlockTridiagonal, GaussNewton
from pcmodel.model.precision import covariance_to_log_precision

IMAGE = np.asarray([0.7, -1.1, 0.4, 2.0])


@pytest.fixture(scope="module")
def problem():
    return linear_network(np.random.default_rng(4))


def assert_same(got, expected):
    """To the bit: the same program on the same numbers."""
    for one, other in zip(got.result.latents, expected.result.latents, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(got.log_evidence, expected.log_evidence)
    np.testing.assert_array_equal(got.covariance, expected.covariance)


def assert_same_batch(got, expected):
    for one, other in zip(got.mean, expected.mean, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(got.log_evidence, expected.log_evidence)


def known(*given):
    return {
        int(unit): float(value)
        for place, values in given
        for unit, value in zip(units(place), values, strict=True)
    }


# Clamps


def test_a_part_is_clamped_as_its_units_are(problem):
    """Prevents values of a part from landing on other units of its level."""
    network, own, means = problem
    part, image = np.asarray([0.3, -0.8, 1.9]), IMAGE
    got = ask(network, image, clamp={"hidden/visual": part})
    whole = np.asarray([0.3, 99.0, -0.8, 1.9, 99.0])
    mask = np.asarray([True, False, True, True, False])
    assert_same(got, ask(network, image, clamp={"hidden": Clamp(whole, mask)}))
    terms = hierarchy_terms(network, own, means)
    assert_exact(got, answer(terms, known(("image", image), ("hidden/visual", part))))


def test_parts_and_masks_of_one_level_are_put_together(problem):
    """Also where one part is a batch and another is the same for all, in either order."""
    network = problem[0]
    own = Clamp(np.asarray([99.0, 0.5]), np.asarray([False, True]))
    visual = np.asarray([[0.3, -0.8, 1.9], [0.1, 0.2, 0.3]])
    got = pcmodel.posterior(network, clamp={"hidden/self": own, "visual": visual})
    whole = np.stack([[row[0], 0, row[1], row[2], 0.5] for row in visual])
    mask = np.asarray([True, False, True, True, True])
    expected = pcmodel.posterior(network, clamp={"hidden": Clamp(whole, mask)})
    assert_same_batch(got, expected)
    both = {"left": IMAGE[:2], "image/right": np.stack([IMAGE[2:], IMAGE[:2]])}
    rows = np.stack([IMAGE, [*IMAGE[:2], *IMAGE[:2]]])
    assert_same_batch(
        pcmodel.posterior(network, both), pcmodel.posterior(network, rows)
    )


def test_a_level_in_part_and_a_part_beside_it(problem):
    network = problem[0]
    image = {"image": Clamp(IMAGE, np.asarray([True, True, False, True]))}
    some = Clamp(np.full(5, 0.4), np.eye(5, dtype=bool)[0])
    beside = {"hidden": some, "hidden/self": np.asarray([1.0, 2.0])}
    whole = np.asarray([0.4, 1.0, 9.0, 9.0, 2.0])
    mask = np.asarray([True, True, False, False, True])
    expected = ask(network, image, clamp={"hidden": Clamp(whole, mask)})
    assert_same(ask(network, image, clamp=beside), expected)


# Modulations


@pytest.mark.parametrize("gain", [1e-8, 0.3, 1e8])
def test_a_part_is_relaxed_as_its_units_are(problem, gain):
    """Prevents a drug on one module from acting on another, in a level whose precision is a full matrix."""
    network, own, means = problem
    got = ask(network, IMAGE, modulation=relax("hidden/self", gain))
    vector = np.asarray([1.0, gain, 1.0, 1.0, gain])
    assert_same(got, ask(network, IMAGE, modulation=relax("hidden", vector)))
    gains = np.ones(STARTS[-1])
    gains[units("hidden/self")] = gain
    terms = hierarchy_terms(network, own, means, gains=gains)
    exact = answer(terms, known(("image", IMAGE)))
    # The oracle itself, in covariances of a hierarchy of gains from 1 to 1e8, loses digits.
    assert_exact(got, exact, rtol=1e-9 if gain == 0.3 else 1e-6)


def test_factors_of_several_parts_and_one_per_unit(problem):
    network = problem[0]
    some = Modulation(
        {"visual": np.asarray([0.2, 0.3, 0.4]), "hidden/self": 0.5, "top/world": 2.0},
        slopes={"hidden/self": 0.7, "body": 1.1, "top/self": 1.3},
    )
    whole = Modulation(
        {
            "hidden": np.asarray([0.2, 0.5, 0.3, 0.4, 0.5]),
            "top": np.asarray([1.0, 2.0, 2.0]),
        },
        slopes={
            "hidden": np.asarray([1, 0.7, 1, 1, 0.7]),
            "body": 1.1,
            "top": np.asarray([1.3, 1, 1]),
        },
    )
    assert_same(
        ask(network, IMAGE, modulation=some),
        ask(network, IMAGE, modulation=whole),
    )
    assert_same(
        ask(network, IMAGE, modulation=relax("hidden/self", 1.0)),
        ask(network, IMAGE),
    )


@pytest.mark.parametrize("gain", [1e-6, 0.3, 1.0, 4.0])
def test_credit_moves_to_the_relaxed_part_as_in_the_closed_form(gain):
    """y = a + b + noise: each cause takes the share of the error that its prior variance has of the whole."""
    network = pcmodel.hierarchy(
        {
            "sum": Level(1, parents=["causes"], precision=5.0),
            "causes": Level(
                2, precision=np.asarray([2.0, 3.0]), parts={"self": 1, "other": 1}
            ),
        },
        activation=pcmodel.networks.layers.dense.identity,
        rngs=nnx.Rngs(0),
    )
    network.layers[0].weight[...] = jnp.ones((1, 2))
    found = pcmodel.infer(network, np.ones(1), modulation=relax("self", gain))
    variances = np.asarray([1 / (2 * gain), 1 / 3])
    np.testing.assert_allclose(
        found.latents[1], variances / (variances.sum() + 1 / 5), rtol=1e-12
    )


def test_gains_of_a_part_can_be_traced(problem):
    """The derivative with respect to a part's gain is that with respect to its units' gains."""
    network = problem[0]

    def top(gain, place):
        factor = (
            gain
            if place == "hidden/self"
            else jnp.ones(5).at[jnp.asarray([1, 4])].set(gain)
        )
        return pcmodel.infer(network, IMAGE, modulation=relax(place, factor)).latents[
            -1
        ]

    slopes = [jax.jacobian(top)(0.3, place) for place in ("hidden/self", "hidden")]
    np.testing.assert_allclose(*slopes, rtol=1e-12)
    assert np.all(slopes[0] != 0)


# Beliefs


@pytest.mark.parametrize("solver", [GaussNewton(), GaussNewton(BlockTridiagonal())])
@pytest.mark.parametrize(
    "clamped", [{}, {"hidden/visual": np.asarray([0.2, -0.4, 1.3])}]
)
def test_a_belief_about_a_part_of_a_lower_level(problem, solver, clamped):
    """Prevents a temporal prior of one module from pulling on the rest of its level."""
    network, own, means = problem
    rng = np.random.default_rng(0)
    mean, precision = rng.normal(size=2), spd(rng, 2)
    vector, gains = np.asarray([0.5, 2.0, 0.4, 3.0, 0.1]), np.ones(STARTS[-1])
    gains[units("hidden")] = vector
    got = ask(
        network,
        IMAGE,
        prior=Belief.of(mean, precision, level="hidden/self"),
        clamp=clamped,
        modulation=relax("hidden", vector),
        solver=solver,
    )
    terms = hierarchy_terms(network, own, means, gains=gains)
    terms.append(belief_term(["hidden/self"], mean, precision, gains))
    exact = answer(terms, known(("image", IMAGE), *clamped.items()))
    assert_exact(got, exact)


@pytest.mark.parametrize("form", ["number", "one per unit", "matrix"])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_belief_about_a_part_of_a_top_replaces_its_prior_alone(problem, form, scale):
    network, own, means = problem
    rng = np.random.default_rng(1)
    mean = rng.normal(size=2)
    precision = (
        scale
        * {
            "number": np.asarray(0.7),
            "one per unit": np.asarray([0.7, 2.0]),
            "matrix": spd(rng, 2),
        }[form]
    )
    belief = Belief.of(mean, precision, level="top/world")
    got = ask(network, IMAGE, prior=belief, modulation=relax("top/self", 0.2))
    gains = np.ones(STARTS[-1])
    gains[units("top/self")] = 0.2
    terms = hierarchy_terms(
        network, own, means, gains=gains, without=units("top/world")
    )
    terms.append(belief_term(["top/world"], mean, precision, gains))
    assert_exact(got, answer(terms, known(("image", IMAGE))), rtol=1e-7)


@pytest.mark.parametrize("bits", [32, 64])
def test_it_is_the_belief_about_the_whole_top_with_the_priors_of_the_rest(bits):
    """To the bit, in both precisions of numbers."""
    with jax.enable_x64(False) if bits == 32 else nullcontext():
        network = linear_network(np.random.default_rng(7))[0]
        mean, precision = np.asarray([0.4, -2.0]), np.asarray([0.5, 30.0])
        got = ask(network, IMAGE, prior=Belief.of(mean, precision, level="world"))
        assert got.result.latents[0].dtype == f"float{bits}"
        whole = Belief(
            jnp.concatenate([network.prior_mean[2:3], jnp.asarray(mean)]),
            jnp.concatenate(
                [network.log_precision[4][:1], jnp.asarray(np.log(precision))]
            ),
        )
        assert_same(got, ask(network, IMAGE, prior=whole))


def test_beliefs_about_several_parts_of_a_top_are_one(problem):
    """One per part, in any order, with numbers or matrices: the block-diagonal belief about the top."""
    network, own, means = problem
    rng = np.random.default_rng(2)
    matrix, mean = spd(rng, 2), rng.normal(size=3)
    one = Belief.of(mean[:1], 0.4, level="top/self")
    other = Belief.of(mean[1:], matrix, level="top/world")
    terms = hierarchy_terms(network, own, means, without=units("top"))
    terms.append(belief_term(["top/self"], mean[:1], 0.4))
    terms.append(belief_term(["top/world"], mean[1:], matrix))
    exact = answer(terms, known(("image", IMAGE)))
    for beliefs in ([one, other], [other, one]):
        assert_exact(ask(network, IMAGE, prior=beliefs), exact)


@pytest.mark.parametrize(
    "places",
    [
        ("hidden/self", "top/world"),
        ("hidden/self", "hidden/visual", "body", "top/world"),
        ("top/world", "top/self"),
        ("hidden/visual", "hidden/self", "top/world", "top/self"),
        ("hidden", "body", "top/self"),
    ],
)
def test_a_joint_belief_over_parts_of_several_levels(problem, places):
    """Prevents correlations between modules from being lost, or attached to other units.

    A part of a top is given the joint belief's marginal as prior, the rest of the top keeps its own; the lower levels
    are then a residual given the tops.
    """
    network, own, means = problem
    rng = np.random.default_rng(len(places))
    place = np.concatenate([units(one) for one in places])
    size = len(place)
    mean, precision = rng.normal(size=size), spd(rng, size)
    got = ask(network, IMAGE, prior=Belief.of(mean, precision, level=places))
    terms = hierarchy_terms(network, own, means, without=place[place >= STARTS[3]])
    terms.append(belief_term(places, mean, precision))
    assert_exact(got, answer(terms, known(("image", IMAGE))))


def test_two_joint_beliefs_share_a_top(problem):
    network, own, means = problem
    rng = np.random.default_rng(3)
    first, second = ("hidden/self", "top/self"), ("hidden/visual", "top/world")
    beliefs, terms = [], hierarchy_terms(network, own, means, without=units("top"))
    for places in (first, second):
        size = sum(len(units(one)) for one in places)
        mean, precision = rng.normal(size=size), spd(rng, size)
        beliefs.append(Belief.of(mean, precision, level=places))
        terms.append(belief_term(places, mean, precision))
    got = ask(network, IMAGE, prior=beliefs)
    assert_exact(got, answer(terms, known(("image", IMAGE))))


@pytest.mark.parametrize("places", [("top/world",), ("top/world", "top/self")])
def test_batched_beliefs_about_parts(problem, places):
    """One mean and covariance per example, beside a belief that is the same for all."""
    network = problem[0]
    rng = np.random.default_rng(5)
    size = sum(len(units(one)) for one in places)
    means = rng.normal(size=(3, size))
    covariances = np.stack([spd(rng, size) for _ in range(3)])
    single = (
        [] if len(places) > 1 else [Belief.of(np.full(1, 0.3), 2.0, level="top/self")]
    )
    roots = jax.vmap(covariance_to_log_precision)(jnp.asarray(covariances))
    batch = Belief(means, roots, places)
    got = pcmodel.posterior(network, IMAGE, prior=[batch, *single])
    for row in range(3):
        one = Belief.from_covariance(means[row], covariances[row], places)
        alone = pcmodel.posterior(network, IMAGE, prior=[one, *single])
        for ours, theirs in zip(got.mean, alone.mean, strict=True):
            np.testing.assert_allclose(ours[row], theirs, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(got.log_evidence[row], alone.log_evidence)
    shared = Belief.of(means, np.linalg.inv(covariances[0]), level=places)
    got = pcmodel.posterior(network, IMAGE, prior=[shared, *single])
    one = Belief.of(means[1], np.linalg.inv(covariances[0]), level=places)
    alone = pcmodel.posterior(network, IMAGE, prior=[one, *single])
    np.testing.assert_allclose(got.log_evidence[1], alone.log_evidence, rtol=1e-12)


def test_beliefs_about_parts_are_filtered_over_trials(problem):
    """The belief that a posterior gives about a part is the prior of the next trial, and back."""
    network = problem[0]
    first = pcmodel.posterior(network, IMAGE)
    belief = first.belief("top/world").propagate(noise_covariance=0.1)
    assert belief.levels == ("top/world",)
    marginal = np.asarray(first.covariance("top", "top"))[1:, 1:]
    np.testing.assert_allclose(
        belief.covariance, marginal + 0.1 * np.eye(2), rtol=1e-10
    )
    second = pcmodel.posterior(network, prior=belief)
    np.testing.assert_allclose(second.mean[4][1:], first.mean[4][1:], rtol=1e-10)
    np.testing.assert_allclose(
        second.covariance("world", "world"), belief.covariance, rtol=1e-10
    )


# Results


def test_results_are_read_by_name(problem):
    network = problem[0]
    found = pcmodel.posterior(network, np.stack([IMAGE, -IMAGE]))
    named = pcmodel.by_name(network, found.mean)
    assert list(named)[:4] == ["image", "image/left", "image/right", "report"]
    np.testing.assert_array_equal(named["hidden/self"], found.mean[2][:, [1, 4]])
    np.testing.assert_array_equal(named["top"], found.mean[4])
    block = found.covariance("hidden/visual", "top/world")
    whole = found.covariance("hidden", "top")
    np.testing.assert_array_equal(block, whole[:, [0, 2, 3]][..., 1:])
    diagnosed = found.diagnose(jax.random.key(0))
    np.testing.assert_array_equal(diagnosed.covariance("visual", "world"), block)


def test_beliefs_are_read_by_part(problem):
    """The marginal, also beside clamped units of the same level; parts come by level and in their own order."""
    network = problem[0]
    found = pcmodel.posterior(network, IMAGE, clamp={"hidden/visual": np.zeros(3)})
    belief = found.belief("top/self", "hidden/self", "body")
    assert belief.levels == ("hidden/self", 3, "top/self")
    places = ("hidden/self", "body", "top/self")
    mean = [found.mean[2][np.asarray([1, 4])], found.mean[3], found.mean[4][:1]]
    np.testing.assert_allclose(belief.mean, np.concatenate(mean), rtol=1e-12)
    joint = np.block([[found.covariance(a, b) for b in places] for a in places])
    np.testing.assert_allclose(belief.covariance, joint, rtol=1e-9, atol=1e-12)


def test_parts_are_predicted(problem):
    network = problem[0]
    top = np.asarray([0.3, 1.0, -2.0])
    for latent in (top, np.stack([top, 2 * top])):
        whole = pcmodel.predict(network, latent)
        part = pcmodel.predict(network, latent, target="image/right")
        np.testing.assert_array_equal(part, whole[..., 2:])
    whole = pcmodel.reconstruct(network, IMAGE, target="hidden")
    part = pcmodel.reconstruct(network, IMAGE, target="hidden/self")
    np.testing.assert_array_equal(part, whole[np.asarray([1, 4])])


# What is refused


def told(**options):
    return lambda network: pcmodel.posterior(network, **options)


WRONG = {
    "a part that is none": (
        told(clamp={"hidden/sel": np.ones(1)}),
        ["'sel'", "visual, self"],
    ),
    "a level without parts": (
        told(clamp={"body/self": np.ones(1)}),
        ["'body'", "no parts"],
    ),
    "a level that is none": (told(clamp={"tpo/self": np.ones(1)}), ["'tpo'", "image"]),
    "a name that is nothing": (
        told(clamp={"sel": np.ones(1)}),
        ["level or part 'sel'", "hidden/self"],
    ),
    "a name of two parts": (
        told(modulation=relax("self", 0.5)),
        ["hidden/self or top/self"],
    ),
    "values of another width": (
        told(clamp={"hidden/self": np.ones(5)}),
        ["part 'hidden/self' has 2 units", "(5,)"],
    ),
    "a unit clamped twice": (
        told(clamp={"hidden": np.ones(5), "hidden/self": np.ones(2)}),
        ["unit 1 of level 'hidden'", "twice", "part 'hidden/self'"],
    ),
    "a part clamped by two names": (
        told(clamp={"visual": np.ones(3), "hidden/visual": np.ones(3)}),
        ["unit 0 of level 'hidden'", "twice"],
    ),
    "a part observed and clamped": (
        told(observation=IMAGE, clamp={"image/left": np.ones(2)}),
        ["unit 0 of level 'image'", "twice"],
    ),
    "batches of parts that disagree": (
        told(observation={"left": np.ones((2, 2)), "right": np.ones((3, 2))}),
        ["batch sizes", "[2, 3]"],
    ),
    "a NaN in a part": (
        told(clamp={"hidden/self": np.asarray([1.0, np.nan])}),
        ["hidden/self", "NaN"],
    ),
    "a mask of the level's width": (
        told(clamp={"hidden/self": Clamp(np.ones(2), np.ones(5, bool))}),
        ["part 'hidden/self'", "(2,)", "(5,)"],
    ),
    "a level and its part modulated": (
        told(modulation=Modulation({"hidden": 0.5, "hidden/self": 0.2})),
        ["unit 1 of level 'hidden'", "level 'hidden'", "part 'hidden/self'"],
    ),
    "a part modulated by two names": (
        told(modulation=Modulation({"visual": 0.5, "hidden/visual": 0.2})),
        ["unit 0 of level 'hidden'", "twice"],
    ),
    "gains of the level's width": (
        told(modulation=relax("hidden/self", np.ones(5))),
        ["part 'hidden/self'", "2 (one per unit)", "(5,)"],
    ),
    "the slope of a part of an end": (
        told(modulation=Modulation(slopes={"image/left": 0.5})),
        ["part 'image/left'", "predicts nothing"],
    ),
    "the slope of an end above level 0": (
        told(modulation=Modulation(slopes={"report": 0.5})),
        ["'report'", "predicts nothing"],
    ),
    "error transmission of a part": (
        told(modulation=Modulation(error_transmission={"hidden/self": 0.5})),
        ["error transmission", "whole level", "'hidden'"],
    ),
    "error transmission of another top": (
        told(modulation=Modulation(error_transmission={"body": 0.5})),
        ["'body'", "a top"],
    ),
    "a belief of the level's width": (
        told(prior=Belief.of(np.ones(5), 1.0, level="hidden/self")),
        ["part 'hidden/self'", "2 units"],
    ),
    "a belief about a level and its part": (
        told(prior=Belief.of(np.ones(7), 1.0, level=("hidden", "hidden/self"))),
        ["ascending and different"],
    ),
    "a belief whose levels descend": (
        told(prior=Belief.of(np.ones(3), 1.0, level=("top/self", "hidden/self"))),
        ["ascending"],
    ),
    "two beliefs about a unit of a top": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0),
                Belief.of(np.ones(2), 1.0, level="world"),
            ]
        ),
        ["unit 1 of level 'top'", "join or drop"],
    ),
    "two joint beliefs about a top and the same lower level": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0, level=("body", "top/self")),
                Belief.of(np.ones(7), 1.0, level=("hidden", "top/world")),
                Belief.of(np.ones(4), 1.0, level=("hidden/self", "body")),
            ]
        ),
        ["two beliefs speak of level 'body'"],
    ),
    "two joint beliefs about parts of a top and of one lower level": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0, level=("hidden/self", "top/self")),
                Belief.of(np.ones(7), 1.0, level=("hidden", "top/world")),
            ]
        ),
        ["level 'hidden'", "one joint belief"],
    ),
    "batches of beliefs that disagree": (
        told(
            prior=[
                Belief.of(np.ones((2, 1)), 1.0, level="top/self"),
                Belief.of(np.ones((3, 2)), 1.0, level="world"),
            ]
        ),
        ["batch sizes", "[2, 3]"],
    ),
    "a covariance with a part that is none": (
        lambda network: pcmodel.posterior(network).covariance("hidden/x", "top"),
        ["'x'"],
    ),
    "the belief about clamped units": (
        lambda network: pcmodel.posterior(network, IMAGE).belief("left"),
        ["part 'image/left'", "clamped"],
    ),
    "the belief about units twice": (
        lambda network: pcmodel.posterior(network, IMAGE).belief("top", "world"),
        ["part 'top/world'", "in common"],
    ),
    "latents of a part": (
        lambda network: pcmodel.predict(network, np.ones(1), level="top/self"),
        ["whole level", "'top'"],
    ),
    "results of another network": (
        lambda network: pcmodel.by_name(network, [np.ones(4)]),
        ["1 array", "image, report"],
    ),
    "results of another width": (
        lambda network: pcmodel.by_name(network, [np.ones(4)] * 5),
        ["'report'", "(4,)", "(..., 2)"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(problem, name):
    call, said = WRONG[name]
    with pytest.raises(UserError) as caught:
        call(problem[0])
    assert "\n" not in str(caught.value)
    for words in said:
        assert words in str(caught.value), str(caught.value)


def test_a_part_of_a_top_with_a_full_precision_has_no_prior_of_its_own():
    network = pcmodel.hierarchy(
        {
            "data": Level(2, parents=["top"]),
            "top": Level(
                2,
                precision=np.asarray([[2.0, 0.5], [0.5, 1.0]]),
                parts={"self": 1, "rest": 1},
            ),
        },
        rngs=nnx.Rngs(0),
    )
    belief = Belief.of(np.zeros(1), 1.0, level="self")
    with pytest.raises(UserError, match=r"full matrix.*all of level 'top'"):
        pcmodel.infer(network, np.ones(2), prior=belief)
    both = [belief, Belief.of(np.full(1, 0.5), 2.0, level="rest")]
    got = ask(network, np.ones(2), prior=both)
    whole = Belief.of(np.asarray([0.0, 0.5]), np.asarray([1.0, 2.0]))
    assert_same(got, ask(network, np.ones(2), prior=whole))


def test_precisions_are_frozen_by_whole_levels(problem):
    learning = pcmodel.Learning(frozen_precisions="hidden/self")
    with pytest.raises(UserError, match=r"frozen_precisions.*whole level"):
        pcmodel.train(
            problem[0],
            np.ones((4, 4)),
            key=jax.random.key(0),
            learning=learning,
            batch_size=2,
        )
