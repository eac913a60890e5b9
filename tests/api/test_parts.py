"""Named parts of levels: what is said of a part is said of its units, and of nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import ask, assert_exact
from part_problems import (
    IMAGE,
    STARTS,
    answer,
    assert_same,
    hierarchy_terms,
    known,
    linear_network,
    units,
)

import pcmodel
from pcmodel import Clamp, Level, Modulation, relax


@pytest.fixture(scope="module")
def problem():
    return linear_network(np.random.default_rng(4))


def assert_same_batch(got, expected):
    for one, other in zip(got.mean, expected.mean, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(got.log_evidence, expected.log_evidence)


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


# Results


def test_results_are_read_by_name(problem):
    network = problem[0]
    found = pcmodel.posterior(network, np.stack([IMAGE, -IMAGE]))
    named = pcmodel.by_name(network, found.mean)
    assert list(named)[:4] == ["image", "image/left", "image/right", "report"]
    np.testing.assert_array_equal(named["hidden/self"], found.mean[2][:, [1, 4]])
    np.testing.assert_array_equal(named["top"], found.mean[4])
    same = pcmodel.by_name(network, pcmodel.ByLevel(network.names, found.mean))
    jax.tree.map(np.testing.assert_array_equal, same, named)
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


@pytest.mark.parametrize("place", ["hidden/self", "top/world", "image/right"])
def test_evidence_about_a_part_is_that_about_its_units(problem, place):
    """Prior and posterior of a part are blocks of those of its level; with other units clamped, what is left counts."""
    network = problem[0]
    seen = Clamp(IMAGE, np.asarray([True, False, True, False]))
    data = {"report": np.asarray([0.3, -2.0]), "image": seen}
    found = pcmodel.posterior(network, data)
    part = found.evidence(place)
    level, _, _ = place.partition("/")
    free = {"hidden/self": [1, 4], "top/world": [1, 2], "image/right": [3]}[place]
    posterior = np.asarray(found.covariance(level, level))[np.ix_(free, free)]
    np.testing.assert_allclose(part.covariance, posterior, rtol=1e-9)
    prior = np.asarray(pcmodel.posterior(network).covariance(level, level))
    np.testing.assert_allclose(
        part.prior_precision, np.linalg.inv(prior[np.ix_(free, free)]), rtol=1e-9
    )
    np.testing.assert_allclose(
        part.evidence_precision,
        np.linalg.inv(posterior) - part.prior_precision,
        rtol=1e-8,
        atol=1e-10,
    )
    both = found.evidence("hidden/self", "top/world")
    joint = ("hidden/self", "top/world")
    joint = np.block([[found.covariance(a, b) for b in joint] for a in joint])
    np.testing.assert_allclose(both.covariance, joint, rtol=1e-9, atol=1e-12)
