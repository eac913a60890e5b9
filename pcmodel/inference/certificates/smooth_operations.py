"""Whether predictions and likelihood bend no more sharply than tanh does, read from the operations they are made of.

Names of functions are not trusted: a program is smooth where every operation in it is, and where no product in it
has more than three factors of the units, so that x * x * x * x, flat at zero and steep close by, counts as the
fourth power that it is.
"""

from jax.extend.core import Jaxpr, JaxprEqn, Literal

from pcmodel.inference.certificates.kinks import CALLS, energy_programs, operations
from pcmodel.model.problem import Problem

BOUNDED = frozenset({"tanh", "logistic", "erf", "erfc", "sin", "cos"})
"""Functions whose value stays of order one, so that a product with them is one factor more."""
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
"""Operations that bend no more sharply than tanh does while their degree is low (`gather`: of constant places)."""
PROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters under which an operation that is a call keeps its program."""
MOST_FACTORS = 3
"""Gelu's.  The fourth power is a square of squares."""


def is_smooth(problem: Problem) -> bool:
    """Whether predictions and likelihood are made of smooth operations alone, of low degree."""
    return all(
        all(each.primitive.name in SMOOTH for each in operations(program))
        and degree(program) <= MOST_FACTORS
        for program in energy_programs(problem)
    )


def degree(program: Jaxpr) -> int:
    """Most factors of the last input that any product in a program of smooth operations has."""
    inputs = [0] * len(program.invars)
    return _largest(program, [*inputs[:-1], 1])[0]


def _largest(program: Jaxpr, inputs: list[int]) -> tuple[int, list[int]]:
    """The largest degree on the way, and the degrees of the outputs."""
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
        # A negative power, as division by a unit, has no bound on its bend.
        power = params["y"]
        here = inputs[0] * (power if power > 0 else MOST_FACTORS + 1)
    elif name == "div":
        here = MOST_FACTORS + 1 if inputs[1] else inputs[0]
    else:
        here = max(inputs, default=0)
    return here, [here] * len(equation.outvars)
