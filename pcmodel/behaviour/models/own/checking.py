"""Does a user's model do what a fit needs? Asked once, on a few trials, before any data are read."""

import traceback
from collections.abc import Callable
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.behaviour.models.interface import Parameter
from pcmodel.behaviour.models.own.perceptual import OwnPerception, own_filter
from pcmodel.behaviour.perception import make_inputs, perceive
from pcmodel.errors import UserError

METHODS = ("init", "predict", "update")
OUTCOMES = (1.0, 0.0, 0.0, 1.0, 1.0, 1.0, np.nan, 0.0, 1.0, 0.0)
NOT_JAX = (
    jax.errors.ConcretizationTypeError,  # `if`, `float`, `range` of a traced number
    jax.errors.TracerArrayConversionError,  # a function of numpy
    jax.errors.TracerBoolConversionError,
    jax.errors.TracerIntegerConversionError,
)
IN_JAX = "jax.numpy in place of numpy and math, and jnp.where(a, b, c) in place of if"


def check_model(own: Any, *, where: str, file: str) -> None:
    """UserError for a class without a part, numbers of another shape, code that JAX cannot trace, and NaN."""
    for name in METHODS:
        if not callable(getattr(own, name, None)):
            raise UserError(
                f"has no method {name}",
                where=where,
                expected="init(values), predict(values, state) and update(values, state, outcome)",
            )
    _check_parameters(getattr(own, "parameters", None), where)
    model = own_filter(own)
    _run(lambda: _check_shapes(own, model.build, where), where, file)
    _run(lambda: _check_numbers(model, where), where, file)


def _check_parameters(parameters: Any, where: str) -> None:
    """UserError unless it is a sequence of parameters, each name once."""
    if not isinstance(parameters, tuple | list) or not parameters:
        raise UserError(
            "has no parameters",
            where=where,
            expected="parameters = (Parameter(...), ...), of pcmodel.behaviour.models",
        )
    for i, each in enumerate(parameters):
        if not isinstance(each, Parameter):
            raise UserError(
                f"parameters[{i}] is a {type(each).__name__}",
                where=where,
                expected="a Parameter of pcmodel.behaviour.models",
            )
    names = [n for p in parameters for n in {p.name, p.natural_name, *p.names}]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(
            f"has two parameters called {twice[0]!r}", where=where, expected="one"
        )


def _run(check: Callable[[], None], where: str, file: str) -> None:
    """The check; UserError with the user's line for whatever the model's own code raises."""
    try:
        check()
    except UserError:
        raise
    except NOT_JAX as error:
        raise UserError(
            f"{_line(error, file)}uses the value of a number while JAX only traces it",
            where=where,
            expected=IN_JAX,
        ) from error
    except Exception as error:  # the user's code may raise anything
        text = next(iter(str(error).splitlines()), "")
        raise UserError(
            f"{_line(error, file)}fails ({type(error).__name__}: {text[:200]})",
            where=where,
        ) from error


def _line(error: BaseException, file: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f"line {lines[-1]} " if lines else ""


def _check_shapes(own: Any, build: Callable, where: str) -> None:
    """UserError for a prediction that is no single number, and for a state that changes its parts."""
    values = {p.name: jnp.asarray(float(p.mean)) for p in own.parameters}
    one = OwnPerception(own)

    start = jax.eval_shape(
        lambda v: jax.tree.map(jnp.asarray, own.init(build(v))), values
    )
    if not jax.tree.leaves(start):
        raise UserError(
            "init returns no state",
            where=where,
            expected="numbers with names, such as {'value': values['initial_value']}",
        )

    def trial(values: Any) -> tuple[Any, Any, Any]:
        natural = build(values)
        state = jax.tree.map(jnp.asarray, own.init(natural))
        new = own.update(natural, state, jnp.asarray(1.0))
        said = {"predict": own.predict(natural, state)}
        if hasattr(own, "precision"):
            said["precision"] = own.precision(natural, state)
        return state, jax.tree.map(jnp.asarray, new), said

    before, after, said = jax.eval_shape(trial, values)
    for name, found in said.items():
        if getattr(found, "shape", None) != ():
            raise UserError(
                f"{name} returns {_shape(found)}", where=where, expected="one number"
            )
    one_kind = jax.tree.structure(before), jax.tree.structure(after)
    shapes = [[leaf.shape for leaf in jax.tree.leaves(s)] for s in (before, after)]
    if one_kind[0] != one_kind[1] or shapes[0] != shapes[1]:
        raise UserError(
            f"update returns {_shape(after)}, and init {_shape(before)}",
            where=where,
            expected="a state of the same parts and shapes",
        )
    jax.eval_shape(lambda v: one.init(build(v)), values)


def _shape(found: Any) -> str:
    """What something is, in few words."""
    if isinstance(found, dict):
        inside = ", ".join(f"{key}: {_shape(value)}" for key, value in found.items())
        return f"{{{inside}}}"[:200]
    shape = getattr(found, "shape", None)
    if shape is None:
        return f"a {type(found).__name__}"
    return "a number" if shape == () else f"numbers of shape {shape}"


def _check_numbers(model: Any, where: str) -> None:
    """UserError for predictions, or their slopes, that are not finite at or about the priors' centre."""
    free = [p for p in model.parameters if p.free]
    inputs = make_inputs(np.asarray(OUTCOMES))

    def total(values: Any) -> Any:
        trace = perceive(model.model, model.build(values), inputs)
        return trace.prediction.outcome.sum() + trace.belief.mean[0].sum()

    slopes = jax.jit(jax.value_and_grad(total))
    places = {tuple(0.0 for _ in free)}
    places |= set(product((-2.0, 2.0), repeat=len(free))) if len(free) < 5 else set()
    for place in sorted(places, key=lambda own: sum(map(abs, own))):
        shift = {p.name: p.sd * x for p, x in zip(free, place, strict=True)}
        values = {
            p.name: jnp.asarray(float(p.mean) + shift.get(p.name, 0.0))
            for p in model.parameters
        }
        found = [float(x) for x in jax.tree.leaves(slopes(values))]
        if not np.isfinite(found).all():
            at = ", ".join(f"{n} = {float(v):.3g}" for n, v in values.items())
            what = "predictions" if not np.isfinite(found[0]) else "their slopes"
            raise UserError(
                f"{what} are not finite after the outcomes 1, 0, 0, 1, ... at {at}",
                where=where,
                expected="finite numbers within two SDs of the priors' centre",
            )
