"""`classical`: learning as most predictive-coding libraries do it, as one call.

They hold every precision at its value, represent the posterior by one point (where a fixed number of descent steps ends,
or the mode), let every weight move, and begin inference at the feedforward pass.  The defaults of `Learning` differ in each.
"""

import optax

from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.learning.e_step import PointEstimate
from pcmodel.learning.em import Learning, Rule
from pcmodel.learning.gauge import FixedHiddenPrecision
from pcmodel.learning.precisions.m_step import Frozen
from pcmodel.learning.rules import Equilibrium

OPTIMISER = optax.adam(1e-3)
EQUILIBRIUM = Equilibrium()


@checked_arguments
def classical(
    optimiser: optax.GradientTransformation = OPTIMISER,
    *,
    solver: Solver | None = None,
    rule: Rule = EQUILIBRIUM,
) -> Learning:
    """Options of learning with frozen precisions, one point for the posterior, and free weights.

    Where every top level is clamped as a whole, inference begins at the top-down sweep (the feedforward pass of a classifier).

    optimiser: optax transformation for the weights.
    solver: finds the latents. None: the mode, by at most five Gauss-Newton steps. The T steps of another library are
        `StateDescent(optax.sgd(rate), tolerance=0, max_steps=T)`, and `ErrorDescent(...)` is error-based.
    rule: `Equilibrium()`, or `Incremental(...)`, `Nudged(...)`, `NudgedLoss(...)` and `Backpropagation()`.

    Energies of `LearningCurve` include the (constant) normalisers.
    """
    mode = GaussNewton(max_iterations=5, tolerance=1e-2, checked=False)
    return Learning(
        optimiser,
        precision_step=Frozen(),
        e_step=PointEstimate(solver or mode, at_sweep=True),
        gauge=FixedHiddenPrecision(),
        rule=rule,
    )
