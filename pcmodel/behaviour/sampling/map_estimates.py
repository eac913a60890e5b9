r"""MAP estimates of each series on its own, with Laplace standard errors and evidence.

In coordinates $v$ in which a parameter is $m + s v$, with $m$ its prior mean and
$s^2$ the prior variance of the group's mean plus that between people, the mode of

$\log p(\text{responses} \mid v) - \tfrac12 |v|^2$

is found by damped scoring with the outer product of the trials' scores (Berndt et al.
1974), with Laplace's approximation there from the Hessian. It takes seconds
where a hierarchical posterior takes minutes, and it is less accurate: every person is shrunk
towards the prior, not towards the others.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from pcmodel.behaviour.models import Parameter, ParticipantModel

NUM_SCORING, NUM_NEWTON = 20, 12
DIFFERENCE = 1e-4  # of the Hessian; needs double precision
SETTLED = 1e-2  # nats that one more step could gain at a mode
FIRST_DAMPING = 0.1
QUICK = {"xla_backend_optimization_level": 1}  # compiles faster, runs as fast


class Modes(NamedTuple):
    """Estimates of every series on its own.

    names: of the parameters.
    value: the mode.
    sd: Laplace standard errors.
    log_evidence: Laplace approximation, nats.
    settled: whether the search converged at a maximum.
    """

    names: tuple[str, ...]
    value: Float[np.ndarray, "series parameters"]
    sd: Float[np.ndarray, "series parameters"]
    log_evidence: Float[np.ndarray, " series"]
    settled: Bool[np.ndarray, " series"]

    def column(self, name: str) -> Float[np.ndarray, " series"]:
        """The estimates of one parameter."""
        return self.value[:, self.names.index(name)]


class Mode(NamedTuple):
    """One series' mode in standard coordinates.

    place: the mode.
    covariance: inverse of minus the Hessian.
    log_evidence: Laplace approximation, nats.
    settled: whether it is a maximum at which the search converged.
    """

    place: Float[Array, " parameters"]
    covariance: Float[Array, "parameters parameters"]
    log_evidence: Float[Array, ""]
    settled: Bool[Array, ""]


def free_parameters(model: ParticipantModel) -> tuple[Parameter, ...]:
    """The parameters that are estimated."""
    return tuple(p for p in model.parameters if p.free)


def person_scale(parameters: tuple[Parameter, ...]) -> Float[np.ndarray, " parameters"]:
    """Prior SD of one person's parameters."""
    return np.asarray([np.hypot(p.sd, p.spread) for p in parameters])


def place_values(
    model: ParticipantModel, place: Float[Array, " parameters"]
) -> dict[str, Array]:
    """Every parameter by name; fixed ones at their prior mean."""
    free = free_parameters(model)
    mean, scale = np.asarray([p.mean for p in free]), person_scale(free)
    found = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    own = jnp.asarray(mean) + jnp.asarray(scale) * place
    return {**found, **{p.name: own[i] for i, p in enumerate(free)}}


def find_mode(terms: Any, start: Float[Array, " parameters"]) -> Mode:
    """The mode of `terms(place)`, summed, under a standard normal prior, from one start.

    terms: from standard coordinates to the log likelihood of each trial.
    Scoring steps come first, Newton steps last; a step that does not increase the density is undone and
    the damping increased.
    """

    def objective(place):
        return terms(place).sum() - 0.5 * jnp.sum(place**2)

    def newton(place):
        return jax.grad(objective)(place), _positive(_bend(objective, place))

    place = climb(terms, start, num_steps=NUM_SCORING)
    place = _climb(objective, newton, place, NUM_NEWTON)
    slope, bend = jax.grad(objective)(place), _bend(objective, place)
    log_det = jnp.linalg.slogdet(bend)[1]
    covariance = jnp.linalg.inv(bend)
    gain = 0.5 * slope @ covariance @ slope
    # By eigenvalues, since with two negative ones the determinant of a saddle is positive.
    is_maximum = jnp.linalg.eigvalsh(bend)[0] > 0.0
    return Mode(
        place,
        covariance,
        objective(place) - 0.5 * log_det,
        is_maximum & (gain >= 0.0) & (gain < SETTLED),
    )


def climb(
    terms: Any, start: Float[Array, " parameters"], *, num_steps: int
) -> Float[Array, " parameters"]:
    """Scoring steps towards that mode, sufficient from a start nearby."""

    def objective(place):
        return terms(place).sum() - 0.5 * jnp.sum(place**2)

    def score(place):
        scores = jax.jacfwd(terms)(place)
        return scores.sum(axis=0) - place, scores.T @ scores + jnp.eye(place.size)

    return _climb(objective, score, start, num_steps)


def _climb(objective: Any, local: Any, start: Array, num_steps: int) -> Array:
    """Damped ascent; `local(place)` is the gradient and the metric there."""

    def step(carry, _):
        place, value, damping = carry
        slope, metric = local(place)
        damped = metric + damping * jnp.diag(jnp.diag(metric))
        tried = place + jnp.linalg.solve(damped, slope)
        new = objective(tried)
        better = new > value
        carry = (
            jnp.where(better, tried, place),
            jnp.where(better, new, value),
            jnp.where(better, 0.3 * damping, jnp.minimum(4.0 * damping, 1e6)),
        )
        return carry, None

    carry = (start, objective(start), jnp.full((), FIRST_DAMPING))
    return jax.lax.scan(step, carry, length=num_steps)[0][0]


def _bend(objective: Any, place: Array) -> Float[Array, "parameters parameters"]:
    """Minus the Hessian, by central differences, since a second derivative takes minutes to compile."""
    steps = DIFFERENCE * jnp.eye(place.size)
    slope = jax.vmap(jax.grad(objective))
    bend = (slope(place[None, :] - steps) - slope(place[None, :] + steps)) / (
        2.0 * DIFFERENCE
    )
    return 0.5 * (bend + bend.T)


def _positive(bend: Array) -> Array:
    """The matrix with eigenvalues replaced by their absolute values, at least the prior's."""
    values, vectors = jnp.linalg.eigh(bend)
    return (vectors * jnp.maximum(jnp.abs(values), 1.0)[None, :]) @ vectors.T


@partial(jax.jit, static_argnums=0, compiler_options=QUICK)
def find_modes(model: ParticipantModel, data: Any) -> Mode:
    """The mode of every series in `data` (leading axis), from the prior's centre."""
    start = jnp.zeros(len(free_parameters(model)))

    def one(own: Any) -> Mode:
        return find_mode(
            lambda place: model.log_likelihood(place_values(model, place), own), start
        )

    return jax.vmap(one)(data)


def fit_modes(model: ParticipantModel, data: Any) -> Modes:
    """Fit every series of `model.prepare(series)` on its own."""
    free = free_parameters(model)
    found = jax.device_get(find_modes(model, data))
    scale = person_scale(free)
    variances = np.diagonal(found.covariance, axis1=1, axis2=2)
    return Modes(
        tuple(p.name for p in free),
        np.asarray([p.mean for p in free]) + scale * found.place,
        scale * np.sqrt(np.where(variances > 0.0, variances, np.nan)),
        found.log_evidence,
        found.settled,
    )
