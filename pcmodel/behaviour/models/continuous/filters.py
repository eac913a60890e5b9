"""The filters of continuous outcomes, with the names and priors of their parameters.

Outcomes are in SDs of all outcomes of the data set, so that one prior suits any unit. The first mean is not a parameter
here: `build` takes it, as `initial_mean`, from the person's first prediction (`prediction.PredictionModel`), or else 0.
"""

import jax.numpy as jnp
from jaxtyping import Array

from pcmodel.behaviour.models.filters import RESCORLA_WAGNER, THREE_LEVELS, Filter
from pcmodel.behaviour.models.interface import Parameter, Values
from pcmodel.behaviour.perception import (
    ContinuousHgf,
    HgfParameters,
    Kalman,
    KalmanParameters,
    RescorlaWagner,
    RescorlaWagnerParameters,
    VolatileKalman,
    VolatileKalmanParameters,
)
from pcmodel.behaviour.perception.volatility import VolatilityUpdate, standard

SQUARED = "variance of all outcomes"
INVERSE = "1 / variance of all outcomes"
FIRST_PRECISION = Parameter(
    "initial_log_precision",
    0.0,
    1.0,
    free=False,
    about="log precision of the first belief, 1 / variance of all outcomes",
    natural="first_precision",
    transform="exp",
    unit=INVERSE,
    published="1 / sigma_1 before the first trial; 1 / TAPAS `sa_0(1)`, 1 / `g_0` of `kf`",
)
NOISE = Parameter(
    "sensory_log_precision",
    1.0,
    1.0,
    about="log precision granted to an outcome, 1 / variance of all outcomes",
    names=("sensory_precision",),
    natural="outcome_precision",
    transform="exp",
    unit=INVERSE,
    published="TAPAS `pi_u` of hgf; 1 / sigma^2 (Piray & Daw 2020)",
)
KALMAN = (
    Parameter(
        "prior_log_precision",
        2.0,
        1.5,
        0.7,
        about="log precision of the position's step, 1 / variance of all outcomes",
        names=("prior_precision",),
        natural="step_precision",
        transform="exp",
        unit=INVERSE,
        published="1 / q, the process noise",
    ),
    # The means depend on ratios of precisions alone: one of them is fixed.
    Parameter(
        NOISE.name,
        NOISE.mean,
        NOISE.sd,
        free=False,
        about=NOISE.about,
        names=NOISE.names,
        natural=NOISE.natural,
        transform=NOISE.transform,
        unit=NOISE.unit,
        published="1 / r, the measurement noise",
    ),
    FIRST_PRECISION,
)
VOLATILE_KALMAN = (
    Parameter(
        "volatility_rate_logit",
        -1.5,
        1.5,
        0.7,
        about="logit of the rate at which the volatility is learned",
        natural="volatility_rate",
        transform="logistic",
        unit="share of the error of the squared step",
        published="lambda (Piray & Daw 2020)",
    ),
    Parameter(
        "log_initial_volatility",
        -2.0,
        1.0,
        about="log variance of the first step, in variances of all outcomes",
        natural="first_volatility",
        transform="exp",
        unit=SQUARED,
        published="v_0 (Piray & Daw 2020)",
    ),
    NOISE,
    FIRST_PRECISION,
)
TWO_LEVELS = (
    Parameter(
        "omega1",
        -2.0,
        1.5,
        0.7,
        about="log variance of a step of the outcome's mean where the volatility is 0, in variances of all outcomes",
        natural="step_variance1",
        transform="exp",
        unit=f"{SQUARED} a trial",
        published="omega_1 (Mathys et al. 2014); TAPAS `om(1)`; pyhgf tonic volatility of level 1",
    ),
    NOISE,
    FIRST_PRECISION,
    Parameter(
        "omega2",
        -3.0,
        1.5,
        about="log variance of a step of the volatility",
        natural="step_variance2",
        transform="exp",
        unit="log variance squared a trial",
        published="omega_2 (Mathys et al. 2014), the log of theta with two levels; TAPAS `om(2)`",
    ),
    Parameter(
        "mu2_0",
        0.0,
        1.0,
        free=False,
        about="first belief of the volatility: kappa_1 times it is added to omega1",
        unit="log variance, at a coupling of 1",
        published="mu_2 before the first trial; TAPAS `mu_0(2)`, of prior mean 1",
    ),
    Parameter(
        "log_pi2_0",
        0.0,
        1.0,
        free=False,
        about="log precision of that belief",
        natural="first_precision2",
        transform="exp",
        unit="1 / log variance squared",
        published="1 / sigma_2 before the first trial; 1 / TAPAS `sa_0(2)`",
    ),
    Parameter(
        "log_kappa1",
        0.0,
        0.5,
        free=False,
        about="log coupling to the volatility",
        natural="coupling1",
        transform="exp",
        published="kappa_1 (Mathys et al. 2014); TAPAS `ka(1)`",
    ),
)
THIRD_LEVEL = tuple(
    p for p in THREE_LEVELS if p.name in ("omega3", "mu3_0", "log_pi3_0", "log_kappa2")
)


def _with_start(values: Values) -> dict[str, Array]:
    """The values with a first mean: 0, that of all outcomes, where none is given."""
    return {"initial_mean": jnp.zeros(()), **values}


def _rescorla_wagner(values: Values) -> RescorlaWagnerParameters:
    values = _with_start(values)
    return RescorlaWagnerParameters(
        values["initial_mean"], values["learning_rate_logit"]
    )


def _kalman(values: Values) -> KalmanParameters:
    values = _with_start(values)
    return KalmanParameters(*(values[name] for name in KalmanParameters._fields))


def _volatile_kalman(values: Values) -> VolatileKalmanParameters:
    values, fields = _with_start(values), VolatileKalmanParameters._fields
    return VolatileKalmanParameters(*(values[name] for name in fields))


def _hgf(values: Values) -> HgfParameters:
    values = _with_start(values)
    levels = (1, 2, 3) if "omega3" in values else (1, 2)
    above = levels[1:]
    first = {"mean": values["initial_mean"], "log": values["initial_log_precision"]}
    return HgfParameters(
        initial_mean=jnp.stack([first["mean"], *(values[f"mu{i}_0"] for i in above)]),
        initial_log_precision=jnp.stack(
            [first["log"], *(values[f"log_pi{i}_0"] for i in above)]
        ),
        omega=jnp.stack([values[f"omega{i}"] for i in levels]),
        kappa=jnp.exp(jnp.stack([values[f"log_kappa{i}"] for i in levels[:-1]])),
        drift=jnp.zeros_like(values["omega1"], shape=(len(levels),)),
        sensory_log_precision=values["sensory_log_precision"],
    )


def rescorla_wagner() -> Filter:
    """A learner of one value; its log evidence takes the noise of an outcome for its SD over the data set."""
    model = RescorlaWagner(noise_variance=1.0)
    return Filter(model, RESCORLA_WAGNER[:1], _rescorla_wagner)


def kalman() -> Filter:
    """A position that takes steps of constant variance."""
    return Filter(Kalman(), KALMAN, _kalman)


def volatile_kalman() -> Filter:
    """A position whose steps have a variance that is learned."""
    return Filter(VolatileKalman(), VOLATILE_KALMAN, _volatile_kalman)


def hgf(num_levels: int, *, rule: VolatilityUpdate = standard) -> Filter:
    """The continuous HGF of two or three levels."""
    third = THIRD_LEVEL if num_levels == 3 else ()
    return Filter(ContinuousHgf(rule), (*TWO_LEVELS, *third), _hgf)
