"""One belief under many moments of a drug: the reference chain, exact because it is linear.

A negative self-belief (mean -2, precision 9) meets one benign observation (+1) through two levels
between. All moments go through the same energy and solver as every network.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.activity import mix_top_down, num_noise
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import covariance_root
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.problem import Problem
from pcmodel.networks.network import PureNetwork, as_model
from pcmodel.neuromodulation import CORTEX, Effects, anatomy
from pcmodel.neuromodulation.accounts.accounts import Account
from pcmodel.paradigms.revision import settling_time

from ._claims import AS_SET, Knob, Setting

PLACES = anatomy(*CORTEX)
QUICK = {"xla_backend_optimization_level": 1}
PRIOR, EVIDENCE = -2.0, 1.0
LEVELS = ("senses", "attention", "control", "self")
PRECISIONS = (1.0, 4.0, 4.0, 9.0)
UNSEPARATED = (
    "Belief means alone separate little. With a flat map and the senses exempt, relaxed priors and raised "
    "senses give the same belief at every effect (a theorem, run in rival_accounts), so no belief curve here "
    "speaks for one of them; their uncertainty, entropy and settling time differ. "
)
BELIEF_ASSUMED = (
    f"The belief: mean {PRIOR:g}, precision {PRECISIONS[-1]:g}; one observation of {EVIDENCE:+g}, precision "
    f"{PRECISIONS[0]:g}, reaches it through two links of precision {PRECISIONS[1]:g}. Chosen, not measured. The hierarchy is "
    "linear: its posterior is exact."
)
BELIEF_KNOBS = (
    Knob("precision of the belief", "belief.prior"),
    Knob("precision of the evidence", "belief.evidence"),
)


def chain(precisions=PRECISIONS) -> PureNetwork:
    """The reference chain."""
    network = pcmodel.linear_gaussian(
        [np.ones((1, 1))] * 3,
        list(precisions),
        prior_mean=np.full(1, PRIOR),
        names=LEVELS,
    )
    return as_model(network)


class Activity(NamedTuple):
    """Mean and covariance of the free units' activity, bottom first."""

    mean: jax.Array
    covariance: jax.Array


def activity(problem: Problem, whitened, top_down, temperature) -> Activity:
    """Exact moments of activity (`pcmodel.activity`) when linear; linearised otherwise."""
    from pcmodel.inference.whitened import unroll

    structure = problem.structure

    def flat(z, noise):
        mixed = mix_top_down(problem, unroll(problem, z).latents, noise, top_down)
        free = [
            mixed[level][structure.free_units(level)]
            for level in range(structure.top + 1)
        ]
        return jnp.concatenate(free)

    silent = jnp.zeros((num_noise(problem),), whitened.dtype)
    to_z, to_noise = jax.jacobian(flat, argnums=(0, 1))(whitened, silent)
    spread = to_z @ whitened_root(problem, whitened)
    covariance = temperature * spread @ spread.T + to_noise @ to_noise.T
    return Activity(flat(whitened, silent), covariance)


def whitened_root(problem: Problem, whitened):
    """R with R R' the posterior covariance of z."""
    from pcmodel.inference.whitened import unroll
    from pcmodel.model.energy import state_from_latents

    def to_state(z):
        return state_from_latents(problem.structure, unroll(problem, z).latents)

    jacobian = jax.jacobian(to_state)(whitened)
    return jnp.linalg.solve(jacobian, covariance_root(problem, whitened))


class Moment(NamedTuple):
    """A belief at one moment of a drug; levels bottom first, without the clamped senses.

    mean, sd: of activity, by level.  revision: of the top, 0 kept, 1 evidence wins.  confidence: in the
    negative self-belief, P(top < 0).  entropy: of the top's activity, nats.  settling: time
    constant of gradient inference, 1 / rate.  gains, slopes: by level, senses included.
    """

    mean: jax.Array
    sd: jax.Array
    revision: jax.Array
    confidence: jax.Array
    entropy: jax.Array
    settling: jax.Array
    gains: jax.Array
    slopes: jax.Array


def moment(effects: Effects, *, account: Account, network: PureNetwork) -> Moment:
    """One moment."""
    modulation = account.modulate(effects, PLACES)
    acting = modulation.in_inference()
    problem = pose(network, np.full(1, EVIDENCE), modulation=acting).problem
    found = infer_one(problem, GaussNewton())
    of = activity(
        problem,
        found.whitened,
        jnp.asarray(modulation.top_down),
        jnp.asarray(modulation.temperature),
    )
    sd = jnp.sqrt(jnp.diagonal(of.covariance))
    one = jnp.ones(())
    slopes = [jnp.asarray(modulation.slopes.get(level, one)) for level in range(4)]
    return Moment(
        of.mean,
        sd,
        (of.mean[-1] - PRIOR) / (EVIDENCE - PRIOR),
        ndtr(-of.mean[-1] / sd[-1]),
        0.5 * jnp.log(2 * jnp.pi * jnp.e * sd[-1] ** 2),
        settling_time(problem, found.latents),
        jnp.stack(problem.inputs.gains),
        jnp.stack(slopes),
    )


@partial(jax.jit, static_argnames=("account", "model"), compiler_options=QUICK)
def _moments(effects: Effects, arrays, *, account: Account, model) -> Moment:
    network = PureNetwork(model, *arrays)
    return jax.vmap(partial(moment, account=account, network=network))(effects)


def believe(
    effects: Effects,
    account: Account,
    network: PureNetwork | None = None,
    *,
    setting: Setting = AS_SET,
):
    """Moments for effects of any shape: every field gets that shape first.

    A setting may be about the strengths of an account ("account.strength", "account.dimming") or
    the chain's ends ("belief.prior", "belief.evidence").
    """
    senses, *middle, own = PRECISIONS
    evidence, prior = (setting.of(f"belief.{end}") for end in ("evidence", "prior"))
    pure = network or chain((senses * evidence, *middle, own * prior))
    shape = np.shape(effects.effect_2a)
    # A strength multiplies an effect wherever it appears, so scaling the effect is the same.
    effects = effects._replace(
        effect_2a=jnp.asarray(effects.effect_2a) * setting.of("account.strength"),
        response_1a=jnp.asarray(effects.response_1a) * setting.of("account.dimming"),
    )
    flat = Effects(*(jnp.ravel(field) for field in effects))
    arrays = (pure.weights, pure.log_precisions)
    found = _moments(flat, arrays, account=account, model=pure.model)
    return jax.tree.map(lambda x: np.asarray(x).reshape((*shape, *x.shape[1:])), found)
