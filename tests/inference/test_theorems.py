"""What every theory of relaxed beliefs must obey, for one chain and for random
networks.

The numbers are those of a scalar chain with a negative prior belief (-2) and one benign
observation (+1), printed to six digits; the theorems are of any linear hierarchy.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import RTOL, ask, network_of, random_clamps, random_hierarchy

import pcmodel
from pcmodel import Belief, Modulation
from pcmodel.inference import Dual, GaussNewton

# condition: gains bottom to top; modes, variances of x1..x3; log evidence; weight of y.
BASELINE = (1.0, 4.0, 4.0, 9.0)
REFERENCE = {
    "baseline": (
        (1, 1, 1, 1),
        (-0.862069, -1.327586, -1.793103),
        (0.379310, 0.280172, 0.103448),
        -3.950504,
        0.068966,
    ),
    "top relaxed": (
        (1, 1, 1, 0.25),
        (-0.542857, -0.928571, -1.314286),
        (0.485714, 0.446429, 0.342857),
        -3.565712,
        0.228571,
    ),
    "everything relaxed": (
        (0.25, 0.25, 0.25, 0.25),
        (-0.862069, -1.327586, -1.793103),
        (1.517241, 1.120690, 0.413793),
        -2.548824,
        0.068966,
    ),
    "all but sensory relaxed": (
        (1, 0.25, 0.25, 0.25),
        (0.129032, -0.741935, -1.612903),
        (0.709677, 0.838710, 0.387097),
        -2.843771,
        0.129032,
    ),
    "middle relaxed": (
        (1, 0.25, 0.25, 1),
        (0.035714, -0.928571, -1.892857),
        (0.678571, 0.714286, 0.107143),
        -2.932857,
        0.035714,
    ),
    "sensory raised": (
        (4, 1, 1, 1),
        (0.129032, -0.741935, -1.612903),
        (0.177419, 0.209677, 0.096774),
        -6.069979,
        0.129032,
    ),
}


def chain(precisions):
    """x3 ~ N(-2, 1/P3), x_l ~ N(x_{l+1}, 1/P_l), data level 0."""
    links = [np.eye(1)] * (len(precisions) - 1)
    return pcmodel.linear_gaussian(links, list(precisions), prior_mean=np.array([-2.0]))


@pytest.mark.parametrize("condition", REFERENCE)
def test_reference_chain_to_every_printed_digit(condition):
    """Prevents any departure from the worked example the field can check by hand."""
    gains, modes, variances, evidence, weight = REFERENCE[condition]
    modulation = Modulation(dict(enumerate(np.array(gains, dtype=float))))
    got = ask(chain(BASELINE), np.ones(1), modulation=modulation)
    latents = np.concatenate(got.result.latents[1:])
    np.testing.assert_array_equal(latents.round(6), modes)
    np.testing.assert_array_equal(np.diagonal(got.covariance).round(6), variances)
    assert round(float(got.log_evidence), 6) == evidence
    assert round((latents[-1] + 2) / 3, 6) == weight


def test_precisions_act_in_series():
    """Prevents evidence from reaching the top with another weight than levels allow.

    Evidence precision at the top is 1 / sum(1 / P_l); its weight P_ev / (P_ev + P_top).
    """
    rng = np.random.default_rng(0)
    for _ in range(5):
        *below, top = 10 ** rng.uniform(-2, 2, size=4)
        got = ask(chain([*below, top]), np.ones(1))
        evidence = 1 / np.sum(1 / np.array(below))
        weight = (got.result.latents[-1][0] + 2) / 3
        np.testing.assert_allclose(weight, evidence / (evidence + top), rtol=RTOL)


@pytest.mark.parametrize(
    ("gain", "weight"), [(1.0, 0.1), (0.25, 0.307692), (1 / 9, 0.5)]
)
def test_two_node_weights(gain, weight):
    """Prevents the elementary trade-off of prior and evidence from being off."""
    found = pcmodel.infer(
        chain((1.0, 9.0)), np.ones(1), modulation=Modulation({"top": gain})
    )
    assert round((float(found.latents[1][0]) + 2) / 3, 6) == weight


@pytest.mark.parametrize(
    ("gain", "end"),
    [(1.0, -1.713831), (0.5, -1.499180), (0.25, -1.200157), (0.1, -0.759883)],
)
def test_revision_accumulates_over_repeated_evidence(gain, end):
    """Prevents a lasting change of another size than twenty partial revisions give."""
    network, modulation = chain((1.0, 9.0)), Modulation({"top": gain})
    belief = np.array([-2.0])
    for _ in range(20):
        prior = Belief.of(belief, 9.0)
        found = pcmodel.infer(network, np.ones(1), prior=prior, modulation=modulation)
        belief = belief + 0.05 * (np.asarray(found.latents[1]) - belief)
    assert round(belief[0], 6) == end


WIDTHS, KINDS = (4, 3, 3, 2), ("scalar", "full", "unit", "full")


def modulated(seed, gains, masks=None):
    """The answer for a random network under one gain per level."""
    rng = np.random.default_rng(seed)
    network = network_of(random_hierarchy(rng, WIDTHS, KINDS))
    clamps, _ = random_clamps(rng, WIDTHS, {0: ()} if masks is None else masks)
    units = [np.full(width, gain) for width, gain in zip(WIDTHS, gains, strict=True)]
    return ask(
        network,
        clamp=clamps,
        modulation=Modulation(dict(enumerate(units))),
        solver=GaussNewton(Dual()),
    )


def mode(got):
    return np.concatenate(got.result.latents)


@pytest.mark.parametrize("seed", range(3))
def test_all_gains_alike_move_no_belief(seed):
    """Prevents a belief change that is only a change of units (the first control)."""
    base, scaled = modulated(seed, (1, 1, 1, 1)), modulated(seed, (0.3, 0.3, 0.3, 0.3))
    np.testing.assert_allclose(mode(scaled), mode(base), rtol=RTOL, atol=RTOL)
    np.testing.assert_allclose(scaled.covariance, base.covariance / 0.3, rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_relaxed_priors_and_raised_senses_share_their_mean(seed):
    """Prevents telling relaxed priors from aberrant salience by the mean belief.

    Only the uncertainty can: its ratio is exactly 1 / gain.
    """
    gain = 0.2
    relaxed = modulated(seed, (1, gain, gain, gain))
    salient = modulated(seed, (1 / gain, 1, 1, 1))
    np.testing.assert_allclose(mode(relaxed), mode(salient), rtol=RTOL, atol=RTOL)
    np.testing.assert_allclose(relaxed.covariance, salient.covariance / gain, rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_relaxing_the_levels_between_protects_the_belief(seed):
    """Prevents "relaxed precision" from always meaning "more revision".

    The evidence precision that reaches the top falls, in every direction.
    """

    def evidence_precision(gains):
        got = modulated(seed, gains)
        prior = np.linalg.inv(modulated(seed, gains, {}).covariance[-2:, -2:])
        return np.linalg.inv(got.covariance[-2:, -2:]) - prior

    lost = evidence_precision((1, 1, 1, 1)) - evidence_precision((1, 0.25, 0.25, 1))
    assert np.linalg.eigvalsh(lost)[0] > 0


@pytest.mark.parametrize("seed", range(3))
def test_relaxation_without_evidence_moves_nothing(seed):
    """Prevents the drug from being the therapy: without evidence beliefs stay."""
    base = modulated(seed, (1, 1, 1, 1), {})
    relaxed = modulated(seed, (0.1, 0.3, 2.0, 0.05), {})
    np.testing.assert_allclose(mode(relaxed), mode(base), rtol=RTOL, atol=RTOL)
    assert jnp.all(relaxed.result.whitened == 0)
