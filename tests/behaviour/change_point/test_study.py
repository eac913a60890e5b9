"""Fits on simulated people, the matched rivals, and the study's smoke run."""

from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.belief_revision.judging import recovery
from pcmodel.behaviour import Agent, ParticipantParameters, simulate_task
from pcmodel.behaviour.change_point.model_free import learning_rate_curve, updates_of
from pcmodel.behaviour.change_point.rivals import mean_confidence, simulate_rivals
from pcmodel.behaviour.change_point.study.attribution import (
    attribution_curve,
    best_over_sizes,
)
from pcmodel.behaviour.change_point.study.fit import (
    Fit,
    fit_agents,
    loo_verdict,
    verdicts,
)
from pcmodel.behaviour.change_point.study.model import PARAMETER_NAMES
from pcmodel.behaviour.change_point.study.study import (
    BehaviourResults,
    BehaviourSettings,
    helicopter_trials,
    run_behaviour_study,
)
from pcmodel.behaviour.change_point.study.tables import recovery_table
from pcmodel.behaviour.change_point.unroll import simulate_participant
from pcmodel.behaviour.posterior.diagnostics import BRIEF, Diagnostics
from pcmodel.inference.importance.psis import Loo


@pytest.fixture(scope="module")
def rivals():
    values = (-1.6, 0.0, 1.1, 4.3, 2.5, 1.4, -1.7, -0.5, -0.9)
    return simulate_rivals(
        jax.random.key(0),
        ParticipantParameters(*(jnp.asarray(v) for v in values)),
        agent=Agent(),
        shift=1.0,
        num_participants=40,
        num_trials=100,
    )


def test_rivals_agree_in_mean_update(rivals):
    target = rivals["prior relaxed"].mean_update
    assert target > 1.03 * rivals["baseline"].mean_update
    for name in ("senses raised", "responses noisier"):
        assert rivals[name].mean_update == pytest.approx(target, rel=0.005)


def test_confidence_tells_relaxed_priors_from_raised_senses(rivals):
    base, relaxed, raised = (
        mean_confidence(rivals[name], noise_sd=25.0).mean()
        for name in ("baseline", "prior relaxed", "senses raised")
    )
    assert relaxed < base < raised


def test_learning_rate_is_one_when_reports_follow_the_outcome():
    trials = helicopter_trials(num_participants=2, num_trials=40)
    follow = jnp.concatenate([trials.report[:, :1], trials.outcome[:, :-1]], axis=1)
    updates = updates_of(trials._replace(report=follow))
    product, square = learning_rate_curve(updates, noise_sd=10.0)
    np.testing.assert_allclose(product, square)


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
    results = run_behaviour_study(settings=BehaviourSettings.smoke(), seed=0)
    for name, value in zip(BehaviourResults._fields, results, strict=True):
        if isinstance(value, np.ndarray) and name != "recovery_correlation":
            assert np.all(np.isfinite(value)), name


def fit_of(rhat, chains):
    """As much of a fit as the comparison looks at; `chains` holds LOO by participant."""
    chains = np.asarray(chains)
    diagnostics = Diagnostics(rhat, 1000.0, 0, 0.0, 0.8, 800, BRIEF)
    nothing = np.zeros((1, 1, 1))
    return Fit(
        agent=Agent(),
        group_mean=nothing,
        group_spread=nothing,
        participants=nothing[None],
        diagnostics=diagnostics,
        loo=Loo(np.zeros(1), np.zeros(1)),
        loo_by_participant=chains.mean(axis=0),
        loo_by_chain=chains,
    )


def test_chains_that_disagree_are_asked_one_by_one():
    """Prevents one stuck chain from deciding, and from hiding, a clear comparison."""
    rng = np.random.default_rng(0)
    noise = 0.5 * rng.normal(size=10)
    best = fit_of(1.0, [noise, noise])
    low = [noise - 10 + 0.1 * rng.normal(size=10) for _ in range(2)]
    assert loo_verdict(fit_of(1.0, low), best) == "worse"
    assert loo_verdict(fit_of(1.4, low), best) == "worse"
    split = [low[0], noise + 10 + 0.1 * rng.normal(size=10)]
    assert loo_verdict(fit_of(1.4, split), best) == "unconverged"


def test_recovery_is_judged_by_the_fit_to_simulated_people():
    """Prevents a verdict about simulated people from reading the chains of a fit to real ones."""
    fit = fit_of(1.0, [np.zeros(10)] * 2)
    fit = fit._replace(
        participants=np.linspace(-1, 1, 20)[None, :, None, None]
        * np.ones((1, 20, 9, 3)),
        diagnostics=fit.diagnostics._replace(num_divergent=3),
    )
    inside, outside = np.full((9, 3), 0.5), np.full((9, 3), 5.0)
    good = fit._replace(diagnostics=fit.diagnostics._replace(num_divergent=0))
    for given, truth, outcome, said in (
        (good, inside, "holds", "coverage 100% over parameters; 0 of 800"),
        (fit, inside, "fails", "coverage 100% over parameters; 3 of 800"),
        (good, outside, "fails", "coverage 0% over parameters; 0 of 800"),
    ):
        found = recovery(SimpleNamespace(**recovery_table(given, truth)))
        assert found.outcome == outcome
        assert found.observed.startswith(said)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fits_depend_neither_on_workers_nor_on_order(monkeypatch):
    """Prevents side-by-side fits from sharing anything but compiled code."""
    trials = helicopter_trials(num_participants=2, num_trials=20)
    agents = [Agent(), Agent(anchor="belief"), Agent(drift=False)]
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(
            "pcmodel.behaviour.change_point.study.fit.NUM_WORKERS", workers
        )
        found.append(
            fit_agents(
                jax.random.key(0),
                [trials] * 3,
                agents,
                num_warmup=10,
                num_pilot=10,
                num_samples=30,
                max_tree_depth=2,
                meanwhile=lambda first, advance: first.group_mean.sum(),
            )
        )
    (*found, (first, second)) = zip(*found, strict=True)
    assert first == second == found[0][0][0].group_mean.sum()
    found = found[0]
    for alone, together in zip(*found, strict=True):
        np.testing.assert_array_equal(alone.participants, together.participants)
        np.testing.assert_array_equal(alone.loo.pointwise, together.loo.pointwise)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_known_participants_are_recovered():
    """Truth within the posterior's own width; prior-only and ratio-only say so."""
    num, names = 6, PARAMETER_NAMES
    mean = jnp.asarray([-1.8, 0.0, 1.0, 4.0, 1.5, 1.4, -1.7, -0.5, -1.0])
    sd = jnp.asarray([0.4, 0.4, 0.0, 0.8, 0.0, 0.4, 0.4, 0.8, 0.0])
    person_key, task_key, report_key = jax.random.split(jax.random.key(3), 3)
    rows = mean[:, None] + sd[:, None] * jax.random.normal(person_key, (9, num))
    task = jax.vmap(partial(simulate_task, num_trials=200))(
        jax.random.split(task_key, num)
    )
    trials, _ = jax.vmap(partial(simulate_participant, agent=Agent()))(
        jax.random.split(report_key, num), ParticipantParameters(*rows), task
    )
    agents = [Agent(), Agent(change_points=False)]
    (fit, kalman), _ = fit_agents(
        jax.random.key(4),
        [trials] * 2,
        agents,
        num_warmup=60,
        num_pilot=80,
        num_samples=120,
        num_chains=4,
    )
    z = (fit.participants.mean(axis=(0, 1)) - rows) / fit.participants.std(axis=(0, 1))
    assert np.sqrt(np.mean(np.square(z))) < 1.4
    draws = kalman.group_mean.reshape(-1, len(names))
    process, scale = (
        draws[:, names.index(name)] for name in ("log_process", "log_scale")
    )
    assert (process - scale).std() < 0.6 * (process + scale).std()
    assert verdicts(kalman)["log_scale"] == "ratio only"
    assert verdicts(kalman)["hazard_logit"] == "prior"
    assert fit.loo.total > kalman.loo.total
