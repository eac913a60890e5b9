"""The perceptual models with the names and priors of their parameters.

Priors follow the defaults of the TAPAS toolbox's `hgf_binary` where it has them, with two exceptions.
The standard deviation of the step sizes is 2 instead of 4: at 4 much of the prior lies where
the filter is constant or its approximation fails. The precision of the first belief of the
log odds is 1 instead of 10. TAPAS's `ehgf_binary` has a mean of 2 for `omega3`; here it is -6
for both updates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import (
    BinaryHgf,
    HgfParameters,
    IndependentArms,
    Inputs,
    PerceptualModel,
    RescorlaWagner,
    RescorlaWagnerParameters,
    SharedVolatilityArms,
    Trace,
    enhanced_tapas,
    perceive,
    unbounded_tapas,
)
from pcmodel.behaviour.perception.quantities import (
    Quantities,
    Quantity,
    perceived_quantities,
)
from pcmodel.behaviour.perception.rescorla_wagner import TwoRateParameters
from pcmodel.behaviour.perception.volatility import VolatilityUpdate, standard


@dataclass(frozen=True)
class Filter:
    """A perceptual model with named parameters.

    Attributes:
        model: of perception.
        parameters: their names and priors.
        build: the model's own parameters from values by name.
    """

    model: PerceptualModel
    parameters: tuple[Parameter, ...]
    build: Callable[[Values], Any]


RESCORLA_WAGNER = (
    Parameter(
        "learning_rate_logit",
        -1.0,
        1.5,
        1.0,
        about="logit of the learning rate, the share of an error that is corrected",
        natural="learning_rate",
        transform="logistic",
        published="alpha (Rescorla & Wagner 1972); TAPAS `al`; hBayesDM `A`",
    ),
    Parameter(
        "initial_value",
        0.5,
        0.25,
        free=False,
        about="value before the first trial",
        published="TAPAS `v_0`",
    ),
)
TWO_RATES = (
    Parameter(
        "reward_rate_logit",
        -1.0,
        1.5,
        1.0,
        about="logit of the learning rate after better than expected",
        natural="reward_rate",
        transform="logistic",
        published="hBayesDM `Arew` (prl_rp; den Ouden et al. 2013)",
    ),
    Parameter(
        "punishment_rate_logit",
        -1.0,
        1.5,
        1.0,
        about="logit of the learning rate after worse than expected",
        natural="punishment_rate",
        transform="logistic",
        published="hBayesDM `Apun` (prl_rp; den Ouden et al. 2013)",
    ),
    RESCORLA_WAGNER[1],
)
TWO_LEVELS = (
    Parameter(
        "omega2",
        -3.0,
        2.0,
        1.0,
        about="log variance of a step of the log odds, where there is no third level or "
        "the volatility is 0",
        natural="step_variance2",
        transform="exp",
        unit="log odds squared a trial",
        published="omega_2 (Mathys et al. 2011); TAPAS `om(2)`; pyhgf tonic volatility of "
        "level 2",
    ),
    Parameter(
        "mu2_0",
        0.0,
        1.0,
        free=False,
        about="first belief, log odds",
        natural="first_prediction",
        transform="logistic",
        unit="probability of the outcome 1",
        published="mu_2 before the first trial; TAPAS `mu_0(2)`",
    ),
    Parameter(
        "log_pi2_0",
        0.0,
        1.0,
        free=False,
        about="log precision of the first belief",
        natural="first_precision2",
        transform="exp",
        unit="1 / log odds squared",
        published="1 / sigma_2 before the first trial; 1 / TAPAS `sa_0(2)`, where it is 10",
    ),
)
THREE_LEVELS = (
    *TWO_LEVELS,
    Parameter(
        "omega3",
        -6.0,
        2.0,
        about="log variance of a step of the volatility",
        natural="step_variance3",
        transform="exp",
        unit="log variance squared a trial",
        published="omega_3, the log of theta (Mathys et al. 2011); TAPAS `om(3)`, of prior mean "
        "-6 in hgf_binary and 2 in ehgf_binary; pyhgf tonic volatility of level 3",
    ),
    Parameter(
        "mu3_0",
        1.0,
        1.0,
        free=False,
        about="first belief of the volatility: kappa_2 times it is added to omega2",
        unit="log variance, at a coupling of 1",
        published="mu_3 before the first trial; TAPAS `mu_0(3)`",
    ),
    Parameter(
        "log_pi3_0",
        0.0,
        1.0,
        free=False,
        about="log precision of that belief",
        natural="first_precision3",
        transform="exp",
        unit="1 / log variance squared",
        published="1 / sigma_3 before the first trial; 1 / TAPAS `sa_0(3)`",
    ),
    Parameter(
        "log_kappa2",
        0.0,
        0.5,
        free=False,
        about="log coupling to the volatility",
        natural="coupling2",
        transform="exp",
        published="kappa_2 (Mathys et al. 2011); TAPAS `ka(2)`; pyhgf volatility coupling "
        "of level 2",
    ),
)


def _two_levels(values: Values) -> HgfParameters:
    return HgfParameters(
        initial_mean=values["mu2_0"][None],
        initial_log_precision=values["log_pi2_0"][None],
        omega=values["omega2"][None],
        kappa=jnp.zeros_like(values["omega2"], shape=(0,)),
        drift=jnp.zeros_like(values["omega2"], shape=(1,)),
        sensory_log_precision=jnp.zeros_like(values["omega2"]),
    )


def _three_levels(values: Values) -> HgfParameters:
    def pair(low: str, high: str):
        return jnp.stack([values[low], values[high]])

    return HgfParameters(
        initial_mean=pair("mu2_0", "mu3_0"),
        initial_log_precision=pair("log_pi2_0", "log_pi3_0"),
        omega=pair("omega2", "omega3"),
        kappa=jnp.exp(values["log_kappa2"])[None],
        drift=jnp.zeros_like(values["omega2"], shape=(2,)),
        sensory_log_precision=jnp.zeros_like(values["omega2"]),
    )


def _rescorla_wagner(values: Values) -> RescorlaWagnerParameters:
    return RescorlaWagnerParameters(
        values["initial_value"], values["learning_rate_logit"]
    )


def _two_rates(values: Values) -> TwoRateParameters:
    return TwoRateParameters(
        values["initial_value"],
        values["reward_rate_logit"],
        values["punishment_rate_logit"],
    )


def rescorla_wagner(num_arms: int | None = None) -> Filter:
    """A Rescorla-Wagner learner of one value, or of one for each option."""
    one = RescorlaWagner()
    model = one if num_arms is None else IndependentArms(one, num_arms)
    return Filter(model, RESCORLA_WAGNER, _rescorla_wagner)


def two_rates(num_arms: int) -> Filter:
    """A Rescorla-Wagner learner with separate rates for increases and decreases."""
    model = IndependentArms(RescorlaWagner(), num_arms)
    return Filter(model, TWO_RATES, _two_rates)


def two_levels(num_arms: int | None = None) -> Filter:
    """A binary HGF of two levels: the log odds change at a constant rate."""
    model = BinaryHgf() if num_arms is None else SharedVolatilityArms(num_arms)
    return Filter(model, TWO_LEVELS, _two_levels)


def three_levels(
    num_arms: int | None = None,
    *,
    rule: VolatilityUpdate = standard,
    at_mode: bool = False,
) -> Filter:
    """A binary HGF of three levels: the log odds change at a rate that itself changes.

    at_mode: whether the log odds are updated to the mode of their posterior (`perception.hgf.binary_mode`).
    """
    is_clipped = rule in (enhanced_tapas, unbounded_tapas) and not at_mode
    clip = 1e-3 if is_clipped else 0.0
    model = (
        BinaryHgf(rule, clip, at_mode)
        if num_arms is None
        else SharedVolatilityArms(num_arms, rule, clip, at_mode)
    )
    return Filter(model, THREE_LEVELS, _three_levels)


def perceived_course(filter: Filter, values: Values, inputs: Inputs) -> Course:
    """The beliefs of a filter after each trial."""
    belief = perceive(filter.model, filter.build(values), inputs).belief
    return Course(belief.mean, tuple(jnp.log(p) for p in belief.precision))


def perceived_trials(
    filter: Filter, values: Values, inputs: Inputs, *, chosen: Array | None = None
) -> tuple[Trace, Quantities]:
    """The trace of a filter, and its quantities on each trial (`perceived_quantities`)."""
    parameters = filter.build(values)
    trace = perceive(filter.model, parameters, inputs)
    return trace, perceived_quantities(
        filter.model, parameters, inputs, trace, chosen=chosen
    )


def response_quantities(
    predicted: Quantities, log_probability: Array, scored: Array
) -> Quantities:
    """What is predicted of a response, with the probability of the one that was given."""
    given = Quantity(
        "probability_of_response",
        "response",
        "probability",
        "predictive probability of the response that was given",
    )
    return predicted | {given: jnp.where(scored, jnp.exp(log_probability), jnp.nan)}
