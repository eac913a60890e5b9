r"""Likelihoods of level 0: Gaussian, Bernoulli and categorical.

A Gaussian level 0 has errors and a precision like every other level.  Discrete data have neither: their prediction is a
vector of logits $\eta$, and inference needs the negative log-likelihood and a square root $A$ of its Fisher information
$W = A A^\top = \partial^2 (-\log p) / \partial \eta^2$ (for both families the Fisher information equals the Hessian, so
Gauss-Newton is exact in $\eta$).

The gain tempers the log-likelihood, $g \log p(y \mid \eta)$, so that scaling all gains equally does not change the mode;
a tempered likelihood is not normalised over $y$, and no evidence is defined for it.

A user's own likelihood is an object with the five methods (`NEEDED`).  They get the observed units of one example, flat, and
as `gain` one number per unit or one for all of them.
"""

from dataclasses import dataclass
from typing import Annotated

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.ranges import Means


@dataclass(frozen=True)
class Gaussian:
    """Real-valued data with a precision (the default)."""

    name = "gaussian"


@dataclass(frozen=True)
class Bernoulli:
    """Data in {0, 1} (values in between are treated as probabilities)."""

    name = "bernoulli"

    def mean(self, logits: Float[Array, " width"]) -> Float[Array, " width"]:
        """Predicted probability of a one."""
        return jax.nn.sigmoid(logits)

    def energy_terms(
        self, logits: Float[Array, " width"], data: Array, gain: Array
    ) -> Float[Array, " width"]:
        """-g log p(y | logits), one term per unit, nats."""
        return gain * (jax.nn.softplus(logits) - data * logits)

    def push_root(self, logits: Array, gain: Array, vector: Array) -> Array:
        """A' v with A A' = W, the Fisher information."""
        probability = jax.nn.sigmoid(logits)
        return jnp.sqrt(gain * probability * (1 - probability)) * vector

    def pull_root(self, logits: Array, gain: Array, vector: Array) -> Array:
        """A v (A is diagonal here)."""
        return self.push_root(logits, gain, vector)

    def sample(self, key: Array, logits: Array) -> Array:
        """One draw of the data."""
        return jax.random.bernoulli(key, self.mean(logits)).astype(logits.dtype)


@dataclass(frozen=True)
class Categorical:
    """One-hot data (a probability vector is accepted as a soft label)."""

    name = "categorical"

    def mean(self, logits: Float[Array, " width"]) -> Float[Array, " width"]:
        """Predicted class probabilities."""
        return jax.nn.softmax(logits)

    def energy_terms(
        self, logits: Float[Array, " width"], data: Array, gain: Array
    ) -> Float[Array, " width"]:
        """-g log p(y | logits), one term per class (zero where y is zero), nats."""
        return -gain * data * jax.nn.log_softmax(logits)

    def push_root(self, logits: Array, gain: Array, vector: Array) -> Array:
        """A' v with A = diag(sqrt p) - p sqrt(p)', so that A A' = diag(p) - p p'."""
        probability = jax.nn.softmax(logits)
        root = jnp.sqrt(probability)
        return jnp.sqrt(gain) * root * (vector - jnp.sum(probability * vector))

    def pull_root(self, logits: Array, gain: Array, vector: Array) -> Array:
        """A v with the same A."""
        probability = jax.nn.softmax(logits)
        root = jnp.sqrt(probability)
        return jnp.sqrt(gain) * (root * vector - probability * jnp.sum(root * vector))

    def sample(self, key: Array, logits: Array) -> Array:
        """One draw of the data, one-hot."""
        return jax.nn.one_hot(
            jax.random.categorical(key, logits), logits.shape[-1], dtype=logits.dtype
        )


Discrete = Bernoulli | Categorical
NEEDED = ("mean", "energy_terms", "push_root", "pull_root", "sample")
"""Methods of a discrete likelihood."""


def is_likelihood(kind: type) -> bool:
    """Whether a class is Gaussian or has the methods of a discrete likelihood."""
    return issubclass(kind, Gaussian) or all(
        callable(getattr(kind, name, None)) for name in NEEDED
    )


Likelihood = Annotated[
    Gaussian | Bernoulli | Categorical,
    Means(
        "Gaussian(), Bernoulli(), Categorical(), or an object with their methods",
        lambda value: is_likelihood(type(value)),
    ),
]
