r"""The hierarchical model over participants, in NumPyro.

Each participant's parameters are normal around a group mean, with a learned spread.
How they are written matters to the sampler, not to the model: a parameter that 200
trials determine well is centred, one that they leave to the group non-centred, and the
rest in between (Papaspiliopoulos, Roberts & Sköld 2007; `Parameter.centred`). Parameters
without a spread are shared by all participants: two noise levels, a few catch trials
or a few exact repeats a person cannot tell people apart.

The Kalman agent's likelihood depends on log q - log k alone. For that agent the two are
turned, in the group and in every person, onto the ratio and the direction across it
that is independent under the prior: the ratio is sampled by itself and the other keeps
its prior. The prior over log q and log k is the same; only the coordinates turn.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float

from pcmodel.behaviour.change_point.agent import Switches
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.task import Trials
from pcmodel.behaviour.change_point.unroll import log_likelihood
from pcmodel.behaviour.hierarchy.parameter import Parameter

PARAMETER_NAMES = ParticipantParameters._fields
NUM_PARAMETERS = len(PARAMETER_NAMES)
PRIORS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "hazard_logit",
            -2.0,
            1.0,
            0.5,
            0.5,
            about="logit of the probability of a change",
        ),
        Parameter("log_scale", 0.0, 0.5, 0.5, 0.5, about="log k"),
        Parameter(
            "noise_exponent",
            1.0,
            0.5,
            about="1: follows the task's noise; 0: ignores it",
        ),
        Parameter(
            "log_process", 4.0, 1.5, 1.0, 0.5, about="log q, screen units squared"
        ),
        Parameter(
            "log_sighting",
            1.0,
            1.5,
            about="log variance of a seen helicopter over an outcome's",
        ),
        Parameter(
            "log_report_sd",
            1.5,
            0.7,
            0.5,
            1.0,
            about="log SD of a report, screen units",
        ),
        Parameter(
            "log_report_slope",
            -1.5,
            0.7,
            0.7,
            1.0,
            about="log SD of a report per unit of update",
        ),
        Parameter(
            "stay_logit",
            0.0,
            1.5,
            1.0,
            0.8,
            about="logit of repeating the last report",
        ),
        Parameter(
            "log_stay_decay",
            -2.0,
            1.0,
            about="log fall of that logit per unit of update",
        ),
    )
}
VARYING = tuple(
    j for j, name in enumerate(PARAMETER_NAMES) if PRIORS[name].spread > 0.0
)


def _table() -> Float[Array, "columns parameters"]:
    every = [PRIORS[name] for name in PARAMETER_NAMES]
    return jnp.asarray([(p.mean, p.sd, p.spread, p.centred) for p in every]).T


PROCESS, SCALE = (PARAMETER_NAMES.index(n) for n in ("log_process", "log_scale"))
PROCESS_PLACE, SCALE_PLACE = VARYING.index(PROCESS), VARYING.index(SCALE)


def _centring(switches: Switches) -> Float[Array, " varying"]:
    """How far each varying parameter is centred; not at all where it is unused."""
    informed = {
        "hazard_logit": switches.change_points,
        "log_scale": switches.change_points & switches.free_scale,
        "log_process": switches.drift,
    }
    centred = [
        jnp.where(informed.get(PARAMETER_NAMES[j], True), prior.centred, 0.0)
        for j, prior in ((j, PRIORS[PARAMETER_NAMES[j]]) for j in VARYING)
    ]
    return jnp.stack(centred)


def _turn(ratio: Array, across: Array, process_sd: Array, scale_sd: Array):
    """Independent standard normals to those of log q and log k.

    `ratio` is that of log q - log k, `across` the one uncorrelated with it.
    """
    both = jnp.sqrt(process_sd**2 + scale_sd**2)
    process = (process_sd * ratio + scale_sd * across) / both
    scale = (process_sd * across - scale_sd * ratio) / both
    return process, scale


def _turned(values: Array, process: int, scale: int, sd: Array, keep: Array) -> Array:
    """Rows of standard normals with the two turned, unless `keep`."""
    rows = _turn(values[process], values[scale], sd[process], sd[scale])
    turned = values.at[process].set(rows[0]).at[scale].set(rows[1])
    return jnp.where(keep, values, turned)


def _turned_spreads(wide: Array, unit: Array, keep: Array) -> tuple[Array, Array]:
    """The two spreads from that of their ratio and an angle, unless `keep`.

    The ratio's spread is the length of the pair (process, scale), which alone meets the
    data. Also the log density that makes the pair half-normal again.
    """
    length = wide[PROCESS_PLACE]
    angle = 0.5 * jnp.pi * jax.lax.erf(wide[SCALE_PLACE] / jnp.sqrt(2.0))
    pair = jnp.stack([length * jnp.cos(angle), length * jnp.sin(angle)])
    places = jnp.asarray([PROCESS_PLACE, SCALE_PLACE])
    pair = pair / unit[places]
    correction = jnp.log(length) + 0.5 * length**2 - 0.5 * jnp.sum(pair**2)
    turned = wide.at[places].set(pair)
    return jnp.where(keep, wide, turned), jnp.where(keep, 0.0, correction)


class _Group(NamedTuple):
    """The group level in use: natural values, and where each place is drawn from."""

    mean: Float[Array, " parameters"]
    spread: Float[Array, " varying"]
    middle: Float[Array, " varying"]  # of the places' normal
    width: Float[Array, " varying"]
    correction: Float[Array, ""]  # log density owed by the turned spreads


def _group_level(group: Array, wide: Array, switches: Switches) -> _Group:
    mean, sd, spread, _ = _table()
    spread, keep = spread[jnp.asarray(VARYING)], switches.change_points
    group_mean = mean + sd * _turned(group, PROCESS, SCALE, sd, keep)
    wide, correction = _turned_spreads(wide, spread, keep)
    group_spread = spread * wide
    centred = _centring(switches)
    shift, width = _place_scale(group_mean - mean, group_spread, keep)
    return _Group(group_mean, group_spread, centred * shift, width**centred, correction)


def _people(level: _Group, places: Array, switches: Switches) -> Array:
    """Every participant's parameters, (parameters, participants), from their places."""
    personal = (places - level.middle[:, None]) / level.width[:, None]
    personal = _turned(
        personal, PROCESS_PLACE, SCALE_PLACE, level.spread, switches.change_points
    )
    rows = jnp.broadcast_to(level.mean[:, None], (NUM_PARAMETERS, places.shape[1]))
    return rows.at[jnp.asarray(VARYING)].add(level.spread[:, None] * personal)


def participant_model(trials: Trials, switches: Switches) -> None:
    """Priors and likelihood of all participants' reports (leading axis of `trials`)."""
    shape = (len(VARYING), trials.outcome.shape[0])
    group = numpyro.sample(
        "group", dist.Normal(0.0, 1.0).expand([NUM_PARAMETERS]).to_event(1)
    )
    wide = numpyro.sample(
        "spread", dist.HalfNormal(1.0).expand([len(VARYING)]).to_event(1)
    )
    level = _group_level(jnp.asarray(group), jnp.asarray(wide), switches)
    numpyro.factor("turned_spreads", level.correction)
    numpyro.deterministic("group_mean", level.mean)
    numpyro.deterministic("group_spread", level.spread)
    places = numpyro.sample(
        "places",
        dist.Normal(
            jnp.broadcast_to(level.middle[:, None], shape),
            jnp.broadcast_to(level.width[:, None], shape),
        ).to_event(2),
    )
    rows = _people(level, jnp.asarray(places), switches)
    numpyro.deterministic("participants", rows)
    values = participants_log_likelihood(ParticipantParameters(*rows), trials, switches)
    numpyro.factor("reports", values.sum())


def _place_scale(offset: Array, spread: Array, keep: Array) -> tuple[Array, Array]:
    """Group mean from the prior's, and spread, of what each place stands for."""
    shift = offset[jnp.asarray(VARYING)]
    ratio = offset[PROCESS] - offset[SCALE]
    both = jnp.sqrt(spread[PROCESS_PLACE] ** 2 + spread[SCALE_PLACE] ** 2)
    return (
        shift.at[PROCESS_PLACE].set(jnp.where(keep, shift[PROCESS_PLACE], ratio)),
        spread.at[PROCESS_PLACE].set(jnp.where(keep, spread[PROCESS_PLACE], both)),
    )


def initial_values(num_participants: int) -> dict[str, Array]:
    """The prior's centre, spreads at their prior scale, places at their own zero."""
    return {
        "group": jnp.zeros(NUM_PARAMETERS),
        "spread": jnp.ones(len(VARYING)),
        "places": jnp.zeros((len(VARYING), num_participants)),
    }


def restrict(
    parameters: ParticipantParameters, switches: Switches
) -> ParticipantParameters:
    """Hold k = b = 1 where the agent has no sensory scale of its own."""
    free = switches.free_scale
    return parameters._replace(
        log_scale=jnp.where(free, parameters.log_scale, 0.0),
        noise_exponent=jnp.where(free, parameters.noise_exponent, 1.0),
    )


def participants_log_likelihood(
    parameters: ParticipantParameters, trials: Trials, switches: Switches
) -> Float[Array, "participants trials"]:
    """Log likelihood of every report, participants on the leading axis."""
    one = jax.vmap(lambda p, t: log_likelihood(p, t, agent=switches))
    return one(restrict(parameters, switches), trials)
