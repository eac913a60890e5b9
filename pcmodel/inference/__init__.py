"""Inference: one problem, several solvers, and the posterior at the mode."""

from pcmodel.inference.block_tridiagonal import BlockTridiagonal as BlockTridiagonal
from pcmodel.inference.descent import ErrorDescent as ErrorDescent
from pcmodel.inference.descent import StateDescent as StateDescent
from pcmodel.inference.descent import trajectory as trajectory
from pcmodel.inference.exact import Exact as Exact
from pcmodel.inference.gauss_newton import GaussNewton as GaussNewton
from pcmodel.inference.infer import InferenceResult as InferenceResult
from pcmodel.inference.infer import infer_one as infer_one
from pcmodel.inference.linear_solve import ConjugateGradient as ConjugateGradient
from pcmodel.inference.linear_solve import Dual as Dual
from pcmodel.inference.linear_solve import Primal as Primal
from pcmodel.inference.posterior import free_energy as free_energy
from pcmodel.inference.posterior import moments as moments
from pcmodel.inference.posterior import sample_latents as sample_latents
from pcmodel.inference.solver import Solver as Solver
from pcmodel.inference.solver import SolverResult as SolverResult
from pcmodel.inference.truncated import TruncatedNewton as TruncatedNewton
