"""A user's likelihood is tried once on made-up numbers, before anything is computed with it.

A method that returns another shape fails somewhere inside of a compiled program; one whose two roots do not belong
together, or that ignores the gain, gives a wrong posterior without a word.  So does a likelihood whose units depend on each
other (a softmax over some of them) when only some of its units are observed: it is called with those alone.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.model.likelihood import Bernoulli, Categorical, Gaussian, Likelihood

BUILT_IN = (Gaussian, Bernoulli, Categorical)
SLACK = 1e-3
"""Relative difference of two numbers that are equal but for rounding in single precision."""


class Fault(Exception):
    """What is wrong with a likelihood, and what was expected."""


def check_likelihood(
    likelihood: Likelihood, units: tuple[int, ...], width: int, name: str
) -> None:
    """UserError for a user's likelihood that cannot be one of a level, or not of these observed units of it.

    units: those that are observed; () for none.
    width: of the level.
    name: of the level.
    """
    if type(likelihood) in BUILT_IN:
        return
    where = f"likelihood of level {name!r}"
    try:
        hash(likelihood)
    except TypeError:
        raise UserError(
            f"{short(likelihood)} cannot be hashed",
            where=where,
            expected="a frozen dataclass whose options are numbers, strings or tuples",
        ) from None
    if found := fault_of(likelihood, width):
        raise UserError(found[0], where=where, expected=found[1])
    if units and len(units) < width and not is_separable(likelihood, units, width):
        raise UserError(
            f"{len(units)} of {width} units are observed, and what it says of them depends on the others",
            where=where,
            expected="all units or none, or a likelihood that takes any of its units alone",
        )


@lru_cache(maxsize=256, typed=True)
def fault_of(likelihood: Any, width: int) -> tuple[str, str] | None:
    """What is wrong with a likelihood of so many units, and what was expected; None for nothing."""
    try:
        with jax.ensure_compile_time_eval():
            _try(likelihood, width)
    except Fault as fault:
        return fault.args[0], fault.args[1]
    return None


def _try(likelihood: Any, width: int) -> None:
    logits, vector, other = _made_up(width)
    one = jnp.ones((width,), logits.dtype)

    def called(name: str, *given: Any) -> jax.Array:
        return _call(getattr(likelihood, name), name, width, *given)

    data = called("sample", jax.random.key(0), logits).astype(logits.dtype)
    called("mean", logits)
    terms = called("energy_terms", logits, data, one)
    slope = jax.grad(lambda at: jnp.sum(likelihood.energy_terms(at, data, one)))
    _call(slope, "the gradient of energy_terms", width, logits)
    pushed = called("push_root", logits, one, vector)
    pulled = called("pull_root", logits, one, other)
    for gain, factor in ((jnp.ones(()), 1), (4 * one, 4)):
        told = "one gain for all units" if factor == 1 else "four times the gain"
        scaled = [
            ("energy_terms", called("energy_terms", logits, data, gain), factor, terms),
            (
                "push_root",
                called("push_root", logits, gain, vector),
                factor**0.5,
                pushed,
            ),
            (
                "pull_root",
                called("pull_root", logits, gain, other),
                factor**0.5,
                pulled,
            ),
        ]
        for name, found, wanted, at_one in scaled:
            if not _near(found, wanted * at_one):
                raise Fault(
                    f"{told} does not give {wanted:g} times what {name} gives for ones",
                    "energy_terms of -gain log p, and roots of gain times the Fisher information",
                )
    ends = float(jnp.sum(pushed * other)), float(jnp.sum(vector * pulled))
    size = float(jnp.linalg.norm(pushed) * jnp.linalg.norm(other))
    if abs(ends[0] - ends[1]) > SLACK * size:
        raise Fault(
            "push_root and pull_root are not transposes of each other",
            "A' v and A v of one matrix A, with A A' = gain times the Fisher information in the logits",
        )


def _made_up(width: int) -> list[jax.Array]:
    draws = np.random.default_rng(0)
    return [jnp.asarray(draws.uniform(-1.5, 1.5, width)) for _ in range(3)]


def _call(method: Callable[..., Any], name: str, width: int, *given: Any) -> jax.Array:
    """What a method returns; a fault unless it is one finite number per unit."""
    expected = f"one finite number for each of the {width} units, shape ({width},)"
    try:
        found = jnp.asarray(method(*given))
    except Exception as error:  # a user's code may raise anything
        lines = str(error).splitlines() or [""]
        raise Fault(
            f"{name} fails with {type(error).__name__}: {lines[0]}", expected
        ) from None
    if found.shape != (width,):
        raise Fault(f"{name} returns the shape {found.shape}", expected)
    if not bool(jnp.all(jnp.isfinite(found))):
        raise Fault(f"{name} returns {short(np.asarray(found))}", expected)
    return found


def _near(one: jax.Array, other: jax.Array) -> bool:
    return bool(jnp.allclose(one, other, rtol=SLACK, atol=SLACK * _size(other)))


def _size(array: jax.Array) -> float:
    return float(jnp.max(jnp.abs(array)))


@lru_cache(maxsize=256, typed=True)
def is_separable(likelihood: Any, units: tuple[int, ...], width: int) -> bool:
    """Whether a likelihood says of some units alone what it says of them among all."""
    some, size = np.asarray(units), len(units)
    with jax.ensure_compile_time_eval():
        logits, vector, _ = _made_up(width)
        one = jnp.ones((width,), logits.dtype)
        data = likelihood.sample(jax.random.key(0), logits).astype(logits.dtype)
        apart = jnp.zeros((width,), logits.dtype).at[some].set(vector[some])
        calls = {
            "mean": (logits,),
            "energy_terms": (logits, data, one),
            "push_root": (logits, one, apart),
            "pull_root": (logits, one, apart),
        }
        try:
            return all(
                _near(
                    _call(method, name, size, *(each[some] for each in given)),
                    method(*given)[some],
                )
                for name, given in calls.items()
                if (method := getattr(likelihood, name))
            )
        except Fault:
            return False
