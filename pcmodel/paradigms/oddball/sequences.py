"""Sequences of tones, as whole numbers."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import Count, Share


@checked_arguments
def oddball_sequence(
    key: Array, *, trials: Count = 400, deviant_share: Share = 0.2
) -> Int[np.ndarray, " trials"]:
    """Tone 0 is the standard, tone 1 the deviant, which comes independently with its share; the first is a standard."""
    drawn = jax.random.bernoulli(check_key(key), deviant_share, (trials,))
    return np.asarray(drawn.at[0].set(False), int)


@checked_arguments
def roving_sequence(
    key: Array,
    *,
    trains: Count = 60,
    tones: Count = 7,
    shortest: Count = 1,
    longest: Count = 11,
) -> Int[np.ndarray, " trials"]:
    """Trains of one tone, of random length; the next train's tone is any other (Garrido et al. 2008).

    Raises UserError for a single tone, and for a longest train that is shorter than the shortest.
    """
    if tones < 2:
        raise UserError(
            "tones is 1", where="roving_sequence", expected="2 or more to change to"
        )
    if longest < shortest:
        raise UserError(
            f"longest is {longest}, shortest {shortest}", where="roving_sequence"
        )
    of_length, of_tone = jax.random.split(check_key(key))
    lengths = jax.random.randint(of_length, (trains,), shortest, longest + 1)
    steps = jax.random.randint(of_tone, (trains,), 1, tones)
    played = jnp.cumsum(steps) % tones
    return np.repeat(np.asarray(played, int), np.asarray(lengths))
