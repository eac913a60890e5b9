"""Dose to belief against the scalar chain's closed form, `pcmodel.infer` and `pcmodel.activity`, moment by moment."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.stats import norm

import pcmodel
from pcmodel.neuromodulation import (
    CORTEX,
    Bolus,
    Dose,
    Effects,
    anatomy,
    effects,
    regimen,
    simulate,
    simulate_group,
    typical,
)
from pcmodel.neuromodulation.accounts.accounts import (
    Dimmer,
    NmdaBlock,
    Noise,
    Oneirogen,
    Rebus,
    Sensory,
)
from pcmodel.neuromodulation.compounds import load_compounds
from pcmodel.paradigms import believe

PRECISIONS, PRIOR, EVIDENCE = (1.0, 4.0, 4.0, 9.0), -2.0, 1.0
SEEN = np.array([EVIDENCE])
HOURS = np.linspace(0, 10, 21)
PLACES = anatomy(*CORTEX)


def chain(precisions=PRECISIONS):
    """Scalar levels with weights of 1."""
    return pcmodel.linear_gaussian(
        [np.ones((1, 1))] * 3, list(precisions), prior_mean=np.array([PRIOR])
    )


def closed_form(precisions):
    """Mean and s.d. of the top: evidence of precision 1 / sum(1 / p_l) meets the prior."""
    evidence = 1 / np.sum(1 / np.asarray(precisions[:-1]), axis=0)
    total = evidence + precisions[-1]
    return (evidence * EVIDENCE + precisions[-1] * PRIOR) / total, total**-0.5


def felt(values):
    zero = jnp.zeros_like(values)
    return Effects(jnp.asarray(values), zero, zero)


@pytest.mark.parametrize("account", [Rebus(), Rebus(3.0, selectivity=2.0), Sensory()])
def test_the_belief_is_that_of_the_closed_form_at_every_moment(account):
    """Prevents gains on the wrong level, and axes of people and times from being mixed up."""
    group = simulate_group(
        Dose("psilocybin", 25.0), HOURS, num_people=3, key=jax.random.key(1)
    )
    found = believe(chain(), SEEN, group, account=account)
    assert found.revision.shape == (4, 21)
    for person, moment in ((0, 0), (0, 7), (2, 5), (3, 20)):
        one = Effects(*(each[person, moment] for each in effects(group.course)))
        gains = account.modulate(one, PLACES).gains
        precisions = [
            p * float(gains.get(level, 1.0)) for level, p in enumerate(PRECISIONS)
        ]
        mean, sd = closed_form(precisions)
        at = person, moment
        np.testing.assert_allclose(found.mean[3][at][0], mean, rtol=1e-9)
        np.testing.assert_allclose(found.sd[3][at][0], sd, rtol=1e-9)
        share = (mean - PRIOR) / (EVIDENCE - PRIOR)
        np.testing.assert_allclose(found.revision[at], share, rtol=1e-9)
        entropy = 0.5 * np.log(2 * np.pi * np.e * sd**2)
        np.testing.assert_allclose(found.entropy[at], entropy, rtol=1e-9)
        expected = [float(gains.get(level, 1.0)) for level in range(4)]
        np.testing.assert_allclose(found.gains[at], expected, rtol=1e-12)
    assert np.all(found.converged) and np.all(np.isnan(found.probability))
    assert np.all(found.sd[0] == 0)


def test_people_come_in_order_and_are_those_of_one_simulation_each():
    library = load_compounds()
    group = simulate_group(
        [Dose("LSD", 0.1), Dose("LSD", 0.05, 3.0)],
        HOURS,
        num_people=2,
        key=jax.random.key(4),
    )
    doses = regimen(Dose("LSD", 0.1), Dose("LSD", 0.05, 3.0), library=library)
    alone = simulate(doses, HOURS, typical(library, "LSD"))
    np.testing.assert_allclose(group.course.effect_2a[0], alone.effect_2a, rtol=1e-9)
    for number in range(3):
        person = jax.tree.map(lambda leaf, n=number: leaf[n], group.participants)
        own = simulate(doses, HOURS, person)
        np.testing.assert_allclose(group.course.plasma[number], own.plasma, rtol=1e-9)
    assert group.num_people == 3
    assert not np.allclose(group.course.plasma[1], group.course.plasma[2])


def test_no_drug_is_plain_inference_to_the_bit():
    """Prevents a modulation of none from being another program."""
    inert = simulate_group(Dose("placebo", 1.0), HOURS[:3])
    found = believe(chain(), SEEN, inert, account=Rebus())
    none = simulate_group(Dose("psilocybin", 0.0), HOURS[:3])
    again = believe(chain(), SEEN, none, account=Rebus())
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    plain = pcmodel.infer(chain(), SEEN)
    for level in range(4):
        np.testing.assert_allclose(
            found.mean[level][0, 1], plain.latents[level], rtol=1e-12
        )


@pytest.mark.parametrize("account", [Dimmer(), Oneirogen(2.0), Noise(), NmdaBlock()])
def test_accounts_that_act_elsewhere_agree_with_their_draws(account):
    """Prevents temperature, top-down mixing and slopes from being left out: 40,000 draws of `pcmodel.activity`."""
    some = Effects(np.array([0.4]), np.array([0.3]), np.array([0.2]))
    found = believe(chain(), SEEN, some, account=account)
    modulation = account.modulate(Effects(*(float(each[0]) for each in some)), PLACES)
    draws = pcmodel.activity(
        chain(),
        jax.random.key(0),
        SEEN,
        num_samples=40_000,
        modulation=modulation,
    )
    for level in (1, 2, 3):
        drawn = np.asarray(draws[level])[:, 0]
        error = drawn.std() / np.sqrt(len(drawn))
        assert abs(found.mean[level][0, 0] - drawn.mean()) < 4 * error
        assert found.sd[level][0, 0] == pytest.approx(drawn.std(), rel=0.02)


@pytest.mark.parametrize("number", [500, 20_000])
def test_the_probability_of_a_hypothesis_is_that_of_the_normal_beyond_it(number):
    """Within four binomial standard errors, of any level and at all moments."""
    some = felt(np.linspace(0, 1, 5))
    for level, at in (("top", 3), (1, 1)):
        found = believe(
            chain(),
            SEEN,
            some,
            account=Rebus(),
            hypothesis=lambda x: x[0] < -0.7,
            level=level,
            key=jax.random.key(3),
            num_draws=number,
        )
        right = norm.cdf((-0.7 - found.mean[at][:, 0]) / found.sd[at][:, 0])
        error = np.sqrt(right * (1 - right) / number)
        assert np.all(np.abs(found.probability - right) <= 4 * error + 1e-12)


def test_a_nonlinear_network_of_several_units_is_inferred_at_every_moment():
    """Against `infer` and `posterior` one by one, with part of a level given."""
    network = pcmodel.dense((5, 4, 3, 2), rngs=nnx.Rngs(0), activation=jnp.tanh)
    y = np.random.default_rng(0).normal(size=5)
    clamp = {1: pcmodel.Clamp(np.full(4, 0.3), mask=np.arange(4) == 0)}
    some = felt(np.array([[0.0, 0.5], [0.8, 0.1]]))
    found = believe(network, y, some, account=Rebus(), clamp=clamp)
    for at in ((0, 1), (1, 0)):
        one = Effects(*(jnp.asarray(each[at]) for each in some))
        modulation = Rebus().modulate(one, PLACES)
        alone = pcmodel.posterior(network, y, modulation=modulation, clamp=clamp)
        for level in range(4):
            np.testing.assert_allclose(
                found.mean[level][at], alone.mean[level], rtol=1e-6, atol=1e-8
            )
            np.testing.assert_allclose(
                found.sd[level][at] ** 2, alone.variances[level], rtol=1e-6, atol=1e-12
            )
        assert found.converged[at] and alone.result.converged


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low", [1e-8, 1e-4, 1.0])
def test_extremes_of_precision_are_right_or_not_converged(dtype, low):
    """Vague tops over precise senses, relaxed further; single precision may give up at ratios of 1e16."""
    beyond = dtype == "float32" and low < 1e-4
    with jax.enable_x64(dtype == "float64"):
        for precisions in ((1 / low, 1.0, 1.0, low), (low, 1.0, 1.0, 1 / low)):
            network = chain(np.asarray(precisions, dtype))
            some = felt(np.array([0.0, 1.0, 4.0], dtype))
            found = believe(network, np.array([EVIDENCE], dtype), some, account=Rebus())
            gained = np.asarray(precisions, float) * np.asarray(found.gains, float)
            mean, sd = closed_form(gained.T)
            off = np.abs(np.asarray(found.mean[3], float)[:, 0] - mean) / sd
            assert np.all((off < 0.1) | ~np.asarray(found.converged))
            assert beyond or np.all(found.converged)


def asks(hypothesis):
    return dict(hypothesis=hypothesis, key=jax.random.key(0))


@dataclass(frozen=True)
class Made:
    """An account of the user's that takes the effect times what it is given."""

    gains: dict = field(default_factory=dict)
    slopes: dict = field(default_factory=dict)
    top_down: float = 0.0
    temperature: float = 1.0
    needs = ("effect_2a",)

    def modulate(self, effects, anatomy):
        x = effects.effect_2a
        return pcmodel.Modulation(
            {level: each + 0 * x for level, each in self.gains.items()},
            {level: each + 0 * x for level, each in self.slopes.items()},
            top_down=self.top_down + 0 * x,
            temperature=self.temperature + 0 * x,
        )


class Branching(Made):
    def modulate(self, effects, anatomy):
        return pcmodel.Modulation({3: 0.5} if effects.effect_2a > 0.2 else {})


class Empty(Made):
    def modulate(self, effects, anatomy):
        return None


class OneNeed(Made):
    needs = "effect_2a"


COURSE = simulate_group(Dose("psilocybin", 25.0), HOURS[:3])
WRONG = {
    "a batch": (dict(observation=np.ones((2, 1))), "not a batch"),
    "no anatomy": (
        dict(network="three"),
        "3 levels.*anatomy\\('sensory', 'dorsal attention', 'default'\\)",
    ),
    "another anatomy": (dict(anatomy=anatomy("sensory", "default")), "has 2 levels"),
    "no key": (dict(hypothesis=lambda x: x[0] > 0), "key"),
    "a given top": (dict(clamp={"top": np.ones(1)}), "no belief of it"),
    "no draws": (
        dict(hypothesis=lambda x: x[0] > 0, key=jax.random.key(0), num_draws=0),
        "num_draws",
    ),
    "no account": (dict(account="rebus"), "account"),
    "no level": (dict(level="nope"), "nope"),
    "two truths": (asks(lambda x: x < jnp.zeros(2)), r"returns bool\[2\]"),
    "a number": (asks(lambda x: x[0]), "returns float64"),
    "python's and": (asks(lambda x: x[0] < 0 and x[0] > -1), "hypothesis: fails"),
    "no argument": (asks(lambda: True), "hypothesis: fails"),
    "mixing beyond 1": (dict(account=Made(top_down=2.0)), "makes top_down 2.*0 to 1"),
    "no temperature": (dict(account=Made(temperature=-1.0)), "makes temperature -1"),
    "no slope": (dict(account=Made(slopes={3: -0.5})), "makes slopes of level 3 -0.5"),
    "no gain": (dict(account=Made(gains={"top": 0.0})), "makes gains of level 'top' 0"),
    "a word of units": (dict(account=Made(top_down=np.full(3, 0.5))), "one number"),
    "a branch": (dict(account=Branching()), "looks at the value"),
    "no modulation": (dict(account=Empty()), "returns None"),
    "one need": (dict(account=OneNeed(), drug=COURSE), "needs is 'effect_2a'"),
    "complex effects": (dict(drug=Effects(np.array([1j]), 0.0, 0.0)), "effect_2a"),
    "unlike effects": (
        dict(drug=Effects(np.zeros(3), np.zeros(2), np.zeros(3))),
        "shapes that do not fit",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(case):
    given, said = WRONG[case]
    three = pcmodel.linear_gaussian([np.ones((1, 1))] * 2, [1.0, 1.0, 1.0])
    options = {"account": Rebus(), **given}
    network = three if options.pop("network", None) else chain()
    observation = options.pop("observation", SEEN)
    with pytest.raises(pcmodel.UserError, match=said):
        drug = options.pop("drug", felt(np.array([0.0, 0.5])))
        believe(network, observation, drug, **options)


def test_people_are_drawn_with_a_key():
    with pytest.raises(pcmodel.UserError, match="key"):
        simulate_group(Dose("LSD", 0.1), HOURS, num_people=2)
    with pytest.raises(pcmodel.UserError, match="num_people"):
        simulate_group(Dose("LSD", 0.1), HOURS, num_people=-1)
    with pytest.raises(pcmodel.UserError, match="one row"):
        simulate_group(Dose("DMT", 25.0, 0.0, Bolus()), np.ones((1, 2)))


def test_an_account_whose_receptors_no_dose_reaches_is_refused():
    """Prevents a forgotten compound from being shown as no effect; ketamine has no 5-HT1A response."""
    group = simulate_group(Dose("ketamine", 40.0, 0.0, Bolus()), HOURS)
    with pytest.raises(
        pcmodel.UserError, match=r"dimmer.*needs response_1a.*nmda_block"
    ):
        believe(chain(), SEEN, group, account=Dimmer())
    found = believe(chain(), SEEN, effects(group.course), account=Dimmer())
    assert np.ptp(found.mean[3]) == 0


def test_effects_can_be_differentiated_and_the_whole_compiled():
    """Against central differences, in reverse mode."""

    def revised(effect):
        return believe(chain(), SEEN, felt(effect), account=Rebus()).revision

    some, step = jnp.array([0.0, 0.3, 0.9]), 1e-5
    slope = jax.grad(lambda effect: jnp.sum(revised(effect)))(some)
    by_hand = (revised(some + step) - revised(some - step)) / (2 * step)
    np.testing.assert_allclose(slope, by_hand, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(revised)(some), revised(some), rtol=1e-9)
    group = jax.jit(lambda: simulate_group(Dose("psilocybin", 25.0), HOURS[:3]))()
    plain = simulate_group(Dose("psilocybin", 25.0), HOURS[:3])
    np.testing.assert_allclose(group.course.effect_2a, plain.course.effect_2a)


def test_probabilities_of_choices_are_their_mean_and_have_no_spread():
    """A Bernoulli level without data: `mean` is its probability, `sd` is not told, and no draws are asked about it."""
    network = pcmodel.dense(
        (3, 4, 2),
        likelihood=pcmodel.Bernoulli(),
        precisions=(None, 10.0, 1.0),
        rngs=nnx.Rngs(0),
    )
    places = anatomy("sensory", "control", "default")
    options = dict(account=Rebus(), anatomy=places)
    found = believe(network, None, felt(np.zeros(1)), **options)
    assert np.all(np.isnan(found.sd[0])) and np.all(
        (found.mean[0] > 0) & (found.mean[0] < 1)
    )
    with pytest.raises(pcmodel.UserError, match="level of choices"):
        believe(
            network,
            None,
            felt(np.zeros(1)),
            level=0,
            **asks(lambda x: x[0] > 0.5),
            **options,
        )


def test_an_account_that_is_changed_is_another_one():
    """Prevents numbers of a program that was compiled for the account before."""

    class Mutable:
        needs = ("effect_2a",)
        low = 0.5

        def modulate(self, effects, anatomy):
            return pcmodel.Modulation({3: self.low + 0 * effects.effect_2a})

    account = Mutable()
    account.low = 0.5
    first = believe(chain(), SEEN, felt(np.ones(1)), account=account).gains[0, 3]
    account.low = 0.25
    second = believe(chain(), SEEN, felt(np.ones(1)), account=account).gains[0, 3]
    assert (first, second) == (0.5, 0.25)
