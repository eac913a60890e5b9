"""Inference of the latents: solvers for the mode, and the posterior around it.

May import: `inputs`, `model`.
"""

from pcmodel.inference.infer import InferenceResult as InferenceResult
from pcmodel.inference.infer import infer_one as infer_one
from pcmodel.inference.linear.block_tridiagonal import (
    BlockTridiagonal as BlockTridiagonal,
)
from pcmodel.inference.linear.dual_primal import ConjugateGradient as ConjugateGradient
from pcmodel.inference.linear.dual_primal import Dual as Dual
from pcmodel.inference.linear.dual_primal import Primal as Primal
from pcmodel.inference.posterior import free_energy as free_energy
from pcmodel.inference.posterior import moments as moments
from pcmodel.inference.posterior import sample_latents as sample_latents
from pcmodel.inference.solvers.descent import ErrorDescent as ErrorDescent
from pcmodel.inference.solvers.descent import StateDescent as StateDescent
from pcmodel.inference.solvers.descent import trajectory as trajectory
from pcmodel.inference.solvers.exact import Exact as Exact
from pcmodel.inference.solvers.gauss_newton import GaussNewton as GaussNewton
from pcmodel.inference.solvers.solver import Solver as Solver
from pcmodel.inference.solvers.solver import SolverResult as SolverResult
from pcmodel.inference.solvers.truncated_newton import (
    TruncatedNewton as TruncatedNewton,
)
