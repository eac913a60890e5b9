r"""Go / no-go learning with a Pavlovian bias (Guitart-Masip et al. 2012, NeuroImage 62:154).

For a cue $s$, with $\rho$ the size of an outcome $r$ (of -1 to 1) and $\xi$ the noise:

$P(\text{go}) = (1 - \xi)\,\sigma(Q_{go} + b + \pi\,V - Q_{nogo}) + \xi / 2$,

$Q_a \leftarrow Q_a + \epsilon (\rho\, r - Q_a)$ of the action taken, and $V$, the Pavlovian value of the cue, likewise
whatever was done. $b$ is the bias towards going; $\pi > 0$ lets a cue that promises a gain be pressed and one that threatens a
loss be left. With two sizes, gains have $\rho_{gain}$ and losses $\rho_{loss}$ (Cavanagh et al. 2013, J Neurosci 33:8541). As
hBayesDM's `gng_m1` to `gng_m4`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.decisions.outcomes import (
    given_potential,
    largest,
    potential_outcomes,
)
from pcmodel.behaviour.models.decisions.parameters import learning_rate
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.responses.two_options import (
    draw_of_two,
    two_options_log_likelihood,
)

RATE = learning_rate(
    "learning_rate",
    "of all values",
    "epsilon (Guitart-Masip et al. 2012); hBayesDM `ep`",
)
NOISE = Parameter(
    "noise_logit",
    -2.5,
    0.8,
    0.6,
    about="logit of the probability of going or not blindly",
    natural="noise",
    transform="logistic",
    unit="probability",
    published="xi (Guitart-Masip et al. 2012); hBayesDM `xi`",
)


def _size(name: str, about: str, published: str) -> Parameter:
    return Parameter(
        f"log_{name}",
        1.2,
        0.8,
        0.5,
        about=f"log size of {about}, in log odds",
        natural=name,
        transform="exp",
        unit="log odds / greatest outcome",
        published=published,
    )


SIZE = (_size("outcome_size", "outcomes", "rho; hBayesDM `rho`"),)
SIZES = (
    _size("gain_size", "gains", "rho_rew; hBayesDM `rhoRew` (gng_m4)"),
    _size("loss_size", "losses", "rho_pun; hBayesDM `rhoPun` (gng_m4)"),
)
BIAS = Parameter(
    "go_bias",
    0.3,
    1.0,
    0.7,
    about="log odds of going that belong to no cue",
    unit="log odds",
    published="b (Guitart-Masip et al. 2012); hBayesDM `b`",
)
PAVLOVIAN = Parameter(
    "pavlovian_bias",
    0.3,
    0.6,
    0.4,
    about="log odds of going per unit of the cue's own value",
    unit="log odds / value",
    published="pi (Guitart-Masip et al. 2012); hBayesDM `pi`",
)


class GoNoGoData(NamedTuple):
    """The trials of one series.

    cue: counted from 0.
    response: 1 for go.
    outcome: in units of the data set's greatest size.
    scored: whether it is known if the key was pressed.
    seen: whether the outcome is known.
    potential: the outcome of not going, and of going.
    """

    cue: Int[Array, "*trials"]
    response: Float[Array, "*trials"]
    outcome: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]
    seen: Bool[Array, "*trials"]
    potential: Float[Array, "*trials actions"]


class Learned(NamedTuple):
    """Values of each cue, in log odds.

    go: of going.
    stay: of not going.
    cue: of the cue itself, Pavlovian.
    """

    go: Float[Array, "*trials cues"]
    stay: Float[Array, "*trials cues"]
    cue: Float[Array, "*trials cues"]


@dataclass(frozen=True)
class GoNoGoModel:
    """Values of going and not going, and what moves people beside them.

    Attributes:
        num_cues: the number of cues.
        go_bias: whether there is a bias towards going.
        pavlovian: whether the cue's own value counts.
        two_sizes: whether gains and losses have sizes of their own.
    """

    num_cues: int = 4
    go_bias: bool = True
    pavlovian: bool = True
    two_sizes: bool = False
    has_precision = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        sizes = SIZES if self.two_sizes else SIZE
        bias = (BIAS,) if self.go_bias else ()
        pavlovian = (PAVLOVIAN,) if self.pavlovian else ()
        return (RATE, *sizes, *bias, *pavlovian, NOISE)

    def prepare(self, series: Series) -> GoNoGoData:
        """The data of each series."""
        response, outcome = series.values["response"], series.values["outcome"]
        cue = np.nan_to_num(series.values["cue"] - 1.0).astype(int)
        scored = np.isfinite(response)
        outcome = np.where(scored, outcome, np.nan)
        outcome = outcome / largest(outcome, where="outcome")
        potential = given_potential(series.values, 2)
        if potential is None:
            cell = np.where(scored, 2 * cue + np.nan_to_num(response).astype(int), -1)
            wanted = 2 * cue[..., None] + np.arange(2)
            potential = potential_outcomes(cell, wanted, outcome)
        return GoNoGoData(
            jnp.asarray(cue),
            jnp.asarray(np.where(scored, response, 0.0)),
            jnp.asarray(np.nan_to_num(outcome)),
            jnp.asarray(scored),
            jnp.asarray(np.isfinite(outcome)),
            jnp.asarray(potential),
        )

    def _start(self, values: Values) -> Learned:
        zero = jnp.zeros(self.num_cues) * values["learning_rate_logit"]
        return Learned(zero, zero, zero)

    def _log_odds(self, values: Values, learned: Learned, cue: Array) -> Array:
        """Log odds of going, without the noise."""
        total = learned.go - learned.stay
        if self.pavlovian:
            total = total + values["pavlovian_bias"] * learned.cue
        bias = values["go_bias"] if self.go_bias else 0.0
        return total[cue] + bias

    def _learn(self, values: Values, learned: Learned, trial: GoNoGoData) -> Learned:
        """The values after a trial."""
        rate = jax.nn.sigmoid(values["learning_rate_logit"])
        log_size = values.get("log_outcome_size")
        if log_size is None:
            is_loss = trial.outcome < 0.0
            log_size = jnp.where(
                is_loss, values["log_loss_size"], values["log_gain_size"]
            )
        felt = jnp.exp(log_size) * trial.outcome
        own = (jnp.arange(self.num_cues) == trial.cue) & trial.scored & trial.seen
        went = trial.response > 0.5

        def moved(value: Array, where: Array) -> Array:
            return jnp.where(where, value + rate * (felt - value), value)

        return Learned(
            moved(learned.go, own & went),
            moved(learned.stay, own & ~went),
            moved(learned.cue, own),
        )

    def log_likelihood(
        self, values: Values, data: GoNoGoData
    ) -> Float[Array, " trials"]:
        def step(learned: Learned, trial: GoNoGoData) -> tuple[Learned, Array]:
            log_odds = self._log_odds(values, learned, trial.cue)
            return self._learn(values, learned, trial), log_odds

        log_odds = jax.lax.scan(step, self._start(values), data)[1]
        own = two_options_log_likelihood(log_odds, values["noise_logit"], data.response)
        return jnp.where(data.scored, own, 0.0)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: GoNoGoData
    ) -> GoNoGoData:
        def step(learned: Learned, both: tuple[Array, GoNoGoData]):
            trial = both[1]
            log_odds = self._log_odds(values, learned, trial.cue)
            went = draw_of_two(both[0], log_odds, values["noise_logit"])
            outcome = jnp.where(went, trial.potential[1], trial.potential[0])
            drawn = trial._replace(
                response=went.astype(trial.response.dtype), outcome=outcome
            )
            return self._learn(values, learned, drawn), drawn

        keys = jax.random.split(key, data.scored.shape[0])
        return jax.lax.scan(step, self._start(values), (keys, data))[1]

    def course(self, values: Values, data: GoNoGoData) -> Course:
        """After each trial, for each cue: the value of going less that of not going, and the cue's own value."""

        def step(learned: Learned, trial: GoNoGoData):
            learned = self._learn(values, learned, trial)
            return learned, (learned.go - learned.stay, learned.cue)

        return Course(jax.lax.scan(step, self._start(values), data)[1], ())

    def shown(self, data: GoNoGoData) -> Float[Array, "*shape"]:
        """Outcomes in the unit of the values."""
        return jnp.where(data.seen, data.outcome, jnp.nan)

    def responses(self, data: GoNoGoData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.response, jnp.nan)
