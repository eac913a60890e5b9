"""Each account does what its literature says, and nothing at zero dose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    ACCOUNTS,
    CORTEX,
    Dose,
    Effects,
    anatomy,
    check_account,
    effects,
    regimen,
    simulate,
    typical,
)
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    NmdaBlock,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Together,
    Uniform,
)
from pcmodel.neuromodulation.accounts.maps import graded

PLACES = anatomy(*CORTEX)
NAMES = ("data", "hidden1", "hidden2", "top")


def felt(effect_2a=0.0, response_1a=0.0, nmda_block=0.0):
    return Effects(*(jnp.asarray(x) for x in (effect_2a, response_1a, nmda_block)))


def chain(precisions=(1.0, 4.0, 4.0, 9.0)):
    return pcmodel.linear_gaussian(
        [np.ones((1, 1))] * 3, precisions, prior_mean=np.full(1, -2.0)
    )


def believe(modulation):
    found = pcmodel.posterior(chain(), np.ones(1), modulation=modulation)
    mean = np.concatenate([np.asarray(m) for m in found.mean[1:]])
    variance = np.concatenate([np.asarray(v) for v in found.variances[1:]])
    return mean, variance, np.asarray(found.log_evidence)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_zero_dose_is_no_drug_to_the_bit(take, getkey, name):
    """Through the whole chain: a dose of 0 mg, every account, every number."""
    course = take(Dose("psilocybin", 0.0), times=np.linspace(0, 6, 25))
    moment = jax.tree.map(lambda curve: curve[10], effects(course))
    modulation = ACCOUNTS[name]().modulate(moment, PLACES)
    for got, base in zip(believe(modulation), believe(None), strict=True):
        assert np.array_equal(got, base)
    key = getkey()
    got = pcmodel.activity(
        chain(), key, np.ones(1), modulation=modulation, num_samples=2
    )
    base = pcmodel.activity(chain(), key, np.ones(1), num_samples=2)
    assert all(np.array_equal(a, b) for a, b in zip(got, base, strict=True))


@pytest.mark.parametrize("scale", [0.01, 0.5, 30.0, 100.0])
def test_all_precisions_alike_move_no_belief(scale):
    """Fact 2: means stay, covariances are divided by the scale."""
    account = Uniform(strength=-float(np.log(scale)))
    mean, variance, _ = believe(account.modulate(felt(1.0), PLACES))
    base_mean, base_variance, _ = believe(None)
    np.testing.assert_allclose(mean, base_mean, rtol=1e-9)
    np.testing.assert_allclose(variance, base_variance / scale, rtol=1e-9)


@pytest.mark.parametrize("gain", [0.1, 0.25, 0.7])
def test_relaxed_priors_and_raised_senses_differ_in_uncertainty_only(gain):
    """Fact 3: flat relaxation with the senses exempt against the senses raised."""
    flat = anatomy(*["control"] * 4)
    strength = -float(np.log(gain))
    relaxed = believe(Rebus(strength).modulate(felt(1.0), flat))
    raised = believe(Sensory(strength).modulate(felt(1.0), flat))
    np.testing.assert_allclose(relaxed[0], raised[0], rtol=1e-9)
    np.testing.assert_allclose(relaxed[1], raised[1] / gain, rtol=1e-9)


def test_the_sign_of_the_link_is_a_switch():
    down = Rebus().modulate(felt(0.6), PLACES).gains
    up = Rebus(sign=1).modulate(felt(0.6), PLACES).gains
    for level in range(4):
        np.testing.assert_allclose(down[level] * up[level], 1.0, rtol=1e-12)
    assert down[3] < 1 < up[3]


def test_exemption_spares_the_senses_and_only_them():
    gains = [
        Rebus(exemption=share).modulate(felt(0.6), PLACES).gains
        for share in (0.0, 0.5, 1.0)
    ]
    assert float(gains[2][0]) == 1.0
    np.testing.assert_allclose(gains[1][0] ** 2, gains[0][0], rtol=1e-12)
    assert all(np.array_equal(gains[0][level], gains[2][level]) for level in (1, 2, 3))


def test_the_measured_map_hardly_selects_and_selectivity_is_added_on_purpose():
    """Default over sensory is about 1.2; the assumption can make it anything."""
    flat = graded(PLACES.density_2a, 0.0)
    assert 1.1 < flat[3] / flat[0] < 1.3
    for selectivity in (0.0, 1.0, 8.0):
        np.testing.assert_allclose(graded(PLACES.density_2a, selectivity).mean(), 1.0)
    steep = graded(PLACES.density_2a, 40.0)
    np.testing.assert_allclose(steep[3], 4.0, rtol=1e-6)


def test_sebus_strengthens_below_its_turning_point_and_relaxes_above():
    account = Sebus(strengthening=3.0)
    turn = 1 - 1 / account.strengthening
    gains = [
        account.modulate(felt(level), PLACES).gains[3] for level in (0.3, turn, 0.95)
    ]
    assert gains[0] > 1 > gains[2]
    np.testing.assert_allclose(gains[1], 1.0, rtol=1e-12)


def test_the_dimmer_changes_slopes_and_no_precision():
    modulation = Dimmer(0.5).modulate(felt(response_1a=0.8), PLACES)
    assert not modulation.gains and set(modulation.slopes) == {1, 2, 3}
    expected = np.exp(-0.5 * 0.8 * PLACES.density_1a[2])
    np.testing.assert_allclose(modulation.slopes[2], expected, rtol=1e-12)


def test_restoring_5ht1a_undoes_relaxation():
    """The other reading of 5-HT1A: it gives precision back."""
    alone = Rebus(2.0).modulate(felt(0.6, 0.5), PLACES).gains
    helped = Rebus(2.0, restoring_1a=1.0).modulate(felt(0.6, 0.5), PLACES).gains
    assert all(alone[level] < helped[level] for level in (1, 2, 3))


def test_ketamine_blocks_errors_and_learning_and_no_precision():
    modulation = NmdaBlock(0.8, 0.5).modulate(felt(nmda_block=0.5), PLACES)
    assert not modulation.gains and modulation.plasticity == 0.75
    assert {k: float(v) for k, v in modulation.error_transmission.items()} == {
        1: 0.6,
        2: 0.6,
    }


def test_a_dream_share_lies_between_none_and_all():
    for effect in (0.0, 0.4, 5.0):
        share = Oneirogen(2.0).modulate(felt(effect), PLACES).top_down
        np.testing.assert_allclose(share, 1 - np.exp(-2 * effect), rtol=1e-12)


def test_mechanisms_of_one_drug_act_together():
    whole = Together((Rebus(), Dimmer()))
    modulation = whole.modulate(felt(0.6, 0.5), PLACES)
    assert set(modulation.gains) == {0, 1, 2, 3} and set(modulation.slopes) == {1, 2, 3}
    assert whole.needs == ("effect_2a", "response_1a")


def test_belief_has_the_derivative_in_dose_that_differences_show(library):
    """From milligrams to a belief: a dose can be fitted to what is believed."""
    times, person = jnp.asarray([0.0, 2.0]), typical(library, "psilocybin")
    network = chain()

    def belief(mg):
        doses = regimen(Dose("psilocybin", mg), library=library)
        course = simulate(doses, times, person)
        moment = jax.tree.map(lambda curve: curve[1], effects(course))
        modulation = Together((Rebus(), Dimmer(0.3))).modulate(moment, PLACES)
        return pcmodel.infer(network, np.ones(1), modulation=modulation).latents[-1][0]

    compiled, step = jax.jit(belief), 1e-4
    numeric = (compiled(20.0 + step) - compiled(20.0 - step)) / (2 * step)
    slope = jax.jit(jax.grad(belief))(20.0)
    assert slope > 0
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)


def check(account, *compounds, library, places=PLACES):
    check_account(account, places, NAMES, library=library, compounds=compounds)


def test_accounts_that_do_not_fit_are_named(library):
    cases = [
        (Dimmer(), ("ketamine",), "account dimmer: needs a 5-HT1A agonist"),
        (Rebus(), ("buspirone",), "account rebus: needs a 5-HT2A agonist"),
        (NmdaBlock(), ("LSD",), "needs a blocker of NMDA channels, and LSD is none"),
    ]
    for account, compounds, said in cases:
        with pytest.raises(UserError, match=said):
            check(account, *compounds, library=library)
    with pytest.raises(UserError, match="anatomy has 2 levels"):
        check(Rebus(), "LSD", library=library, places=anatomy("sensory", "default"))
    for account in (Rebus(), Dimmer(), NmdaBlock()):
        check(account, "placebo", library=library)
    check(Dimmer(), "MDMA", library=library)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Rebus(sign=0),
        lambda: Rebus(exemption=1.5),
        lambda: Rebus(selectivity=-1.0),
        lambda: Sebus(strengthening=1.0),
        lambda: Sebus(exemption=-0.5),
        lambda: NmdaBlock(transmission=1.2),
        lambda: NmdaBlock(lowest=-1),
        lambda: anatomy("sensory", "defalt"),
    ],
)
def test_senseless_options_are_refused(build):
    with pytest.raises(UserError):
        build()
