"""One belief under many moments of a drug: the reference chain, exact because it is linear.

A negative self-belief (mean -2, precision 9) meets one benign observation (+1) through two levels
between. All moments go through the same energy and solver as every network.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr

import pcmodel
from pcmodel import paradigms
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.neuromodulation import Effects
from pcmodel.neuromodulation.accounts.accounts import Account
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

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
BELIEF_PARAMETERS = (
    Parameter("precision of the belief", "belief.prior"),
    Parameter("precision of the evidence", "belief.evidence"),
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


class Moment(NamedTuple):
    """A belief at one moment of a drug; levels bottom first, without the clamped senses.

    mean, sd: of activity, by level.  revision: of the top, 0 kept, 1 evidence wins.  confidence: in the
    negative self-belief, P(top < 0).  entropy: of the top's activity, nats.  settling: time
    constant of gradient inference, 1 / rate.  gains, slopes: by level, senses included.
    """

    mean: np.ndarray
    sd: np.ndarray
    revision: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    settling: np.ndarray
    gains: np.ndarray
    slopes: np.ndarray


def believe(
    effects: Effects,
    account: Account,
    network: PureNetwork | None = None,
    *,
    perturbation: Perturbation = UNPERTURBED,
):
    """Moments for effects of any shape: every field gets that shape first.

    It may be about the strengths of an account ("account.strength", "account.dimming") or
    the chain's ends ("belief.prior", "belief.evidence").
    """
    senses, *middle, own = PRECISIONS
    evidence, prior = (
        perturbation.factor_of(f"belief.{end}") for end in ("evidence", "prior")
    )
    pure = network or chain((senses * evidence, *middle, own * prior))
    # A strength multiplies an effect wherever it appears, so scaling the effect is the same.
    effects = effects._replace(
        effect_2a=jnp.asarray(effects.effect_2a)
        * perturbation.factor_of("account.strength"),
        response_1a=jnp.asarray(effects.response_1a)
        * perturbation.factor_of("account.dimming"),
    )
    found = paradigms.believe(pure, np.full(1, EVIDENCE), effects, account=account)
    mean, sd = (np.concatenate(each[1:], axis=-1) for each in (found.mean, found.sd))
    top, spread = mean[..., -1], sd[..., -1]
    return Moment(
        mean,
        sd,
        (top - PRIOR) / (EVIDENCE - PRIOR),
        np.asarray(ndtr(-top / spread)),
        0.5 * np.log(2 * np.pi * np.e * spread**2),
        *map(np.asarray, (found.settling_time, found.gains, found.slopes)),
    )
