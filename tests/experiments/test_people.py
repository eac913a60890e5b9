"""The agents fitted to people by the main job: recovery, comparison, attribution, workers."""

from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.belief_revision import people
from experiments.belief_revision.attribution import attribution_curve
from experiments.belief_revision.behaviour import (
    BehaviourResults,
    BehaviourSettings,
    _verdicts,
    recovery_table,
    simulate_behaviour,
)
from experiments.belief_revision.people import (
    AGENTS,
    AgentFit,
    AnyAgentModel,
    agent_hierarchy,
    fit_agents,
    helicopter_series,
    predicts,
    spreads_of_people,
    typical_person,
)
from experiments.belief_revision.people_claims import PEOPLE, RECOVERED
from pcmodel.behaviour import Agent, ParticipantParameters, simulate_task
from pcmodel.behaviour.change_point.unroll import simulate_participant
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import HelicopterModel
from pcmodel.behaviour.posterior.diagnostics import BRIEF, Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.sampling.nuts import Nuts
from pcmodel.behaviour.studies.attribution import best_over_sizes
from pcmodel.report.declared.claims import verdict
from pcmodel.runtime.progress import Progress


def test_profile_peak_is_that_of_the_parabola():
    sizes = np.linspace(0.0, 1.0, 5)
    profile = np.stack([3.0 - 8.0 * (sizes - top) ** 2 for top in (0.4, 0.55)])
    np.testing.assert_allclose(best_over_sizes(profile[None]), [[3.0, 3.0]])


def test_attribution_is_guessing_without_and_certain_with_evidence():
    nothing = np.zeros((6, 2, 3))
    first, second = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    plain = (nothing + first, nothing + second)
    options = {
        "study_sizes": (2,),
        "num_studies": 20,
        "num_pools": 3,
        "rng": np.random.default_rng(0),
    }
    assert np.all(attribution_curve(plain, **options) == 1.0)
    swapped = (plain[1], plain[0])
    assert np.all(attribution_curve(swapped, **options) == 0.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_smoke_study_fills_every_array():
    settings = BehaviourSettings.smoke()
    results = simulate_behaviour(
        settings=settings, seed=0, progress=Progress(silent=True)
    )
    has = np.array([[p in own for p in results.parameters] for own in results.verdicts])
    assert has[0].all() and not has.all()  # of some agents a parameter is fixed
    for name, value in zip(BehaviourResults._fields, results, strict=True):
        if name in ("group_mean", "contraction"):
            np.testing.assert_array_equal(
                np.isfinite(value).T, np.broadcast_to(has.T, value.T.shape)
            )
        elif isinstance(value, np.ndarray) and name != "recovery_correlation":
            assert np.all(np.isfinite(value)), name


@pytest.mark.parametrize("name", [name for name in AGENTS if name != "Kalman"])
def test_an_agent_among_the_data_is_that_agent(name):
    """Prevents the shared sampler from fitting every agent as the first one."""
    series = helicopter_series(num_participants=2, num_trials=40)
    with jax.enable_x64(True):
        agent = AGENTS[name]
        shared, own = AnyAgentModel(agent), HelicopterModel(agent)
        values = {p.name: jnp.asarray(p.mean) for p in own.parameters}
        given = values | {p.name: values[p.name] + 0.3 for p in own.parameters[:-1]}
        values |= {p.name: given[p.name] for p in own.parameters if p.free}
        one = jax.tree.map(lambda leaf: leaf[0], shared.prepare(series))
        found = AnyAgentModel().log_likelihood(given, one)
        expected = own.log_likelihood(values, one.trials)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(expected).max() > 1.0


def test_the_typical_person_is_put_together_by_name():
    """Prevents precisions and variances from being exchanged, or a sign from being lost."""
    person = ParticipantParameters(*(jnp.asarray(float(j)) for j in range(1, 10)))
    hierarchy = build_hierarchy(AnyAgentModel(), helicopter_series(num_participants=2))
    sites = {
        name: np.full((2, 3, 1), value)
        for name, value in HelicopterModel().values_of(person).items()
    }
    sites |= {
        f"{t.parameter.name}_sd": np.full((2, 3, 1), 0.25 * (j + 1))
        for j, t in enumerate(hierarchy.terms)
        if t.design.varying_names
    }
    fit = AgentFit(Posterior(hierarchy, sites, {}, None, "NUTS"), *[np.zeros(2)] * 2, 0)
    np.testing.assert_allclose(
        jnp.stack(typical_person(fit)), jnp.stack(person), rtol=1e-6
    )
    spreads = spreads_of_people(fit)
    assert spreads.log_process == 0.25
    assert spreads.log_scale == 0.5
    assert spreads.noise_exponent == 0.0


def fit_of(rhat, chains, **diagnostics):
    """As much of a fit as the comparison looks at; `chains` holds LOO by participant."""
    chains = np.asarray(chains)
    found = Diagnostics(rhat, 1000.0, 0, 0.0, 0.8, 800, BRIEF)
    hierarchy = build_hierarchy(AnyAgentModel(), helicopter_series(num_participants=3))
    posterior = Posterior(hierarchy, {}, {}, found._replace(**diagnostics), "NUTS")
    return AgentFit(posterior, chains.mean(axis=0), chains, 0)


def test_chains_that_disagree_are_asked_one_by_one():
    """Prevents one stuck chain from deciding, and from hiding, a clear comparison."""
    rng = np.random.default_rng(0)
    noise = 0.5 * rng.normal(size=10)
    best = fit_of(1.0, [noise, noise])
    low = [noise - 10 + 0.1 * rng.normal(size=10) for _ in range(2)]
    assert predicts(fit_of(1.0, low), best) == "worse"
    assert predicts(fit_of(1.4, low), best) == "worse"
    split = [low[0], noise + 10 + 0.1 * rng.normal(size=10)]
    assert predicts(fit_of(1.4, split), best) == "unconverged"


def test_recovery_is_judged_by_the_fit_to_simulated_people():
    """Prevents a verdict about simulated people from reading the chains of a fit to real ones."""
    good = fit_of(1.0, [np.zeros(10)] * 2)
    bad = fit_of(1.0, [np.zeros(10)] * 2, num_divergent=3)
    names = people.parameter_names(good)
    sites = {
        f"{name}_series": np.linspace(-1, 1, 20)[None, :, None] * np.ones((1, 20, 3))
        for name in names
    }
    for given, truth, outcome, said in (
        (good, 0.5, "holds", "coverage 100% over parameters; 0 of 800"),
        (bad, 0.5, "fails", "coverage 100% over parameters; 3 of 800"),
        (good, 5.0, "fails", "coverage 0% over parameters; 0 of 800"),
    ):
        fit = given._replace(posterior=given.posterior._replace(sites=sites))
        true = {name: np.full(3, truth) for name in names}
        table = SimpleNamespace(**recovery_table(fit, true))
        found = verdict(RECOVERED, RECOVERED.measure(SimpleNamespace(behaviour=table)))
        assert found.outcome == outcome
        assert found.observed.startswith(said)


@pytest.mark.parametrize(
    ("word", "rhat", "outcome", "said"),
    [
        ("worse", 1.0, "holds", "(LOO); where the assumed drift q is held at 0, 3.0"),
        ("better", 1.0, "fails", "(LOO); where"),
        ("inconclusive", 2.0, "inconclusive", "disagree on parameters"),
        ("unconverged", 2.0, "inconclusive", "the chains of a fit disagree on this"),
    ],
)
def test_an_agent_is_judged_by_its_own_gap(word, rhat, outcome, said):
    """Prevents another agent's verdict, chains or people, and a gap of the wrong sign."""
    agents = ("change point", "Kalman", "k = b = 1", "q = 0", "q = 0, k = b = 1")
    below = np.array([0.0, -9.0, -1.0, -2.0, -5.0])
    found = SimpleNamespace(
        agents=agents,
        loo_by_participant=below[:, None] + np.array([0.0, 4.0]),
        loo_verdicts=("inconclusive", "better", word, "worse", "worse"),
        diagnostics=tuple({"rhat": rhat if i == 2 else 1.0} for i in range(5)),
    )
    (claim,) = [c for c in PEOPLE if c.name.startswith("People's sensory scale")]
    judged = verdict(claim, claim.measure(SimpleNamespace(behaviour=found)))
    assert judged.outcome == outcome
    assert judged.observed.startswith("1.0 +- 0.0 nats a person")
    assert said in judged.observed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fits_depend_neither_on_workers_nor_on_order(monkeypatch):
    """Prevents side-by-side fits from sharing anything but compiled code."""
    series = helicopter_series(num_participants=2, num_trials=20)
    agents = [Agent(), Agent(anchor="belief"), Agent(drift=False)]
    options = Nuts(num_warmup=10, num_samples=30, num_chains=2, max_tree_depth=2)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(people, "NUM_WORKERS", workers)
        with jax.enable_x64(True):
            found.append(
                fit_agents(
                    jax.random.key(0),
                    [agent_hierarchy(agent, series) for agent in agents],
                    options,
                    meanwhile=lambda first, advance: first.loo_by_participant.sum(),
                )
            )
    (alone, first), (together, second) = found
    assert first == second == alone[0].loo_by_participant.sum()
    for one, other in zip(alone, together, strict=True):
        for name, draws in one.posterior.sites.items():
            np.testing.assert_array_equal(draws, other.posterior.sites[name])
        np.testing.assert_array_equal(one.loo_by_chain, other.loo_by_chain)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_known_participants_are_recovered():
    """Truth within the posterior's own width; prior-only and ratio-only say so."""
    num = 6
    mean = jnp.asarray([-1.8, 0.0, 1.0, 4.0, 1.5, 1.4, -1.7, -0.5, -1.0])
    sd = jnp.asarray([0.4, 0.4, 0.0, 0.8, 0.0, 0.4, 0.4, 0.8, 0.0])
    person_key, task_key, report_key = jax.random.split(jax.random.key(3), 3)
    rows = mean[:, None] + sd[:, None] * jax.random.normal(person_key, (9, num))
    true = ParticipantParameters(*rows)
    task = jax.vmap(partial(simulate_task, num_trials=200))(
        jax.random.split(task_key, num)
    )
    trials, _ = jax.vmap(partial(simulate_participant, agent=Agent()))(
        jax.random.split(report_key, num), true, task
    )
    series = series_of(trials)
    with jax.enable_x64(True):
        (fit, kalman), _ = fit_agents(
            jax.random.key(4),
            [
                agent_hierarchy(Agent(), series),
                agent_hierarchy(AGENTS["Kalman"], series),
            ],
            Nuts(num_warmup=100, num_samples=160, max_tree_depth=5, target_accept=0.8),
            meanwhile=lambda first, advance: None,
        )
    values = HelicopterModel().values_of(true)
    draws = [fit.posterior.parameter(name) for name in values]
    z = [
        (own.mean(axis=(0, 1)) - value) / own.std(axis=(0, 1))
        for own, value in zip(draws, values.values(), strict=True)
    ]
    assert np.sqrt(np.mean(np.square(z))) < 1.4
    top, senses = (
        kalman.group_mean(name)
        for name in ("prior_log_precision", "sensory_log_precision")
    )
    assert (top - senses).std() < 0.6 * (top + senses).std()
    words = _verdicts(kalman)
    assert words["sensory_log_precision"] == "ratio only"
    assert "hazard_logit" not in words
    assert fit.loo_by_participant.sum() > kalman.loo_by_participant.sum()


def series_of(trials):
    """Trials as the table they would have been read from."""
    names = "outcome report noise_sd helicopter helicopter_seen block_start".split()
    values = {name: np.asarray(getattr(trials, name), float) for name in names}
    shape = values["outcome"].shape
    return Series(values, np.ones(shape, bool), np.arange(shape[0]), {}, {})
