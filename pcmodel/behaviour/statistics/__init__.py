"""Hierarchical fits of any participant model, by formula, and what they can be trusted with."""

from pcmodel.behaviour.diagnostics import Diagnostics as Diagnostics
from pcmodel.behaviour.statistics.calibration import Calibration as Calibration
from pcmodel.behaviour.statistics.calibration import calibrate as calibrate
from pcmodel.behaviour.statistics.design import build_design as build_design
from pcmodel.behaviour.statistics.formula import parse_formula as parse_formula
from pcmodel.behaviour.statistics.formula import variables_of as variables_of
from pcmodel.behaviour.statistics.hierarchy import Hierarchy as Hierarchy
from pcmodel.behaviour.statistics.hierarchy import build_hierarchy as build_hierarchy
from pcmodel.behaviour.statistics.identifiability import verdicts as verdicts
from pcmodel.behaviour.statistics.modes import Modes as Modes
from pcmodel.behaviour.statistics.modes import fit_modes as fit_modes
from pcmodel.behaviour.statistics.posterior import Effect as Effect
from pcmodel.behaviour.statistics.posterior import Posterior as Posterior
from pcmodel.behaviour.statistics.posterior import UnconvergedError as UnconvergedError
from pcmodel.behaviour.statistics.posterior import summarise as summarise
from pcmodel.behaviour.statistics.predictive import compare as compare
from pcmodel.behaviour.statistics.predictive import draw_prior as draw_prior
from pcmodel.behaviour.statistics.predictive import leave_one_out as leave_one_out
from pcmodel.behaviour.statistics.predictive import (
    predictive_checks as predictive_checks,
)
from pcmodel.behaviour.statistics.predictive import replicate as replicate
from pcmodel.behaviour.statistics.sampling import Nuts as Nuts
from pcmodel.behaviour.statistics.sampling import fit_nuts as fit_nuts
from pcmodel.behaviour.statistics.sampling import num_advances as num_advances
from pcmodel.behaviour.statistics.variational import Variational as Variational
from pcmodel.behaviour.statistics.variational import fit_svi as fit_svi
