"""Whether predictions and likelihood are about as smooth as tanh, from their traced operations.

A program counts as smooth if every operation in it is smooth and no product in it has more than three factors that
depend on the units: x * x * x * x, flat at zero and steep nearby, is a fourth power and is not smooth.
"""

from jax.extend.core import Jaxpr, JaxprEqn, Literal

from pcmodel.inference.certificates.kinks import CALLS, energy_programs, operations
from pcmodel.model.problem import Problem

BOUNDED = frozenset({"tanh", "logistic", "erf", "erfc", "sin", "cos"})
"""Functions with values of order one, which count as one factor of a product."""
PRODUCTS = frozenset({"mul", "dot_general", "conv_general_dilated"})
SMOOTH = BOUNDED | frozenset(
    {
        *("add", "add_any", "sub", "neg", "reduce_sum", "mul", "dot_general"),
        *("conv_general_dilated", "reshape", "broadcast_in_dim", "transpose", "slice"),
        *("squeeze", "concatenate", "convert_element_type", "dynamic_slice", "copy"),
        *("jit", "pjit", "closed_call", "gather", "rev", "pad", "iota", "split"),
        *("integer_pow", "div"),
    }
)
"""Operations about as smooth as tanh while their degree is low (`gather` with constant indices)."""
PROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters that hold the inner program of an operation."""
MOST_FACTORS = 3
"""Largest degree of a smooth program, that of GELU."""


def is_smooth(problem: Problem) -> bool:
    """Whether predictions and likelihood contain only smooth operations, of low degree."""
    return all(
        all(each.primitive.name in SMOOTH for each in operations(traced.program))
        and degree(traced.program, traced.num_inputs) <= MOST_FACTORS
        for traced in energy_programs(problem)
    )


def degree(program: Jaxpr, num_inputs: int = 1) -> int:
    """Largest number of factors of the last inputs in any product of a program of smooth operations."""
    fixed = [0] * (len(program.invars) - num_inputs)
    return _largest(program, [*fixed, *([1] * num_inputs)])[0]


def _largest(program: Jaxpr, inputs: list[int]) -> tuple[int, list[int]]:
    """The largest degree within the program, and the degrees of its outputs."""
    known = dict(zip(program.invars, inputs, strict=True))

    def of(variable) -> int:
        return 0 if isinstance(variable, Literal) else known.get(variable, 0)

    largest = max(inputs, default=0)
    for equation in program.eqns:
        reached, outputs = _degrees(equation, [of(each) for each in equation.invars])
        known.update(zip(equation.outvars, outputs, strict=True))
        largest = max(largest, reached)
    return largest, [of(each) for each in program.outvars]


def _degrees(equation: JaxprEqn, inputs: list[int]) -> tuple[int, list[int]]:
    name, params = equation.primitive.name, equation.params
    if name in CALLS:
        inner = [params[name] for name in PROGRAMS if name in params]
        if not inner:
            return MOST_FACTORS + 1, [MOST_FACTORS + 1] * len(equation.outvars)
        return _largest(getattr(inner[0], "jaxpr", inner[0]), inputs)
    if name in BOUNDED:
        here = min(max(inputs), 1)
    elif name in PRODUCTS:
        here = sum(inputs)
    elif name == "integer_pow":
        # A negative power, like division by a unit, has unbounded curvature.
        power = params["y"]
        here = inputs[0] * (power if power > 0 else MOST_FACTORS + 1)
    elif name == "div":
        here = MOST_FACTORS + 1 if inputs[1] else inputs[0]
    else:
        here = max(inputs, default=0)
    return here, [here] * len(equation.outvars)
