"""Spontaneous and driven activity of a modular hierarchy of brain networks.

- `plan`             modules: levels, parents, regions, time constants
- `teaching`         the world that teaches a hierarchy, and learning from its streams
- `brain_hierarchy`  the hierarchy
- `conditions`       eyes closed, fixed stimulus, film, task
- `modulating`       what an account of a drug does to the modules
- `expansion`        derivatives of a posed problem
- `linear_activity`  Langevin inference of a linear hierarchy: an Ornstein-Uhlenbeck process, its stationary law
- `sampling`         its samples, at any step; lagged covariances, correlation times
- `langevin`         the same for any hierarchy, step by step
- `haemodynamics`    what fMRI shows of it, and the covariance of that
- `read_out`         regions
- `self_hold`        the self's share in the other modules

May import: what `brain` may.
"""

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy as BrainHierarchy
from pcmodel.brain.dynamics.brain_hierarchy import brain_hierarchy as brain_hierarchy
from pcmodel.brain.dynamics.conditions import EyesClosed as EyesClosed
from pcmodel.brain.dynamics.conditions import Film as Film
from pcmodel.brain.dynamics.conditions import FixedStimulus as FixedStimulus
from pcmodel.brain.dynamics.conditions import Task as Task
from pcmodel.brain.dynamics.haemodynamics import (
    HaemodynamicResponse as HaemodynamicResponse,
)
from pcmodel.brain.dynamics.haemodynamics import haemodynamic as haemodynamic
from pcmodel.brain.dynamics.haemodynamics import (
    haemodynamic_covariance as haemodynamic_covariance,
)
from pcmodel.brain.dynamics.langevin import LangevinOptions as LangevinOptions
from pcmodel.brain.dynamics.langevin import langevin as langevin
from pcmodel.brain.dynamics.linear_activity import LinearActivity as LinearActivity
from pcmodel.brain.dynamics.linear_activity import linear_activity as linear_activity
from pcmodel.brain.dynamics.modulating import brain_anatomy as brain_anatomy
from pcmodel.brain.dynamics.modulating import brain_modulation as brain_modulation
from pcmodel.brain.dynamics.plan import MODULES as MODULES
from pcmodel.brain.dynamics.plan import BrainPlan as BrainPlan
from pcmodel.brain.dynamics.plan import Module as Module
from pcmodel.brain.dynamics.read_out import RegionReadOut as RegionReadOut
from pcmodel.brain.dynamics.read_out import as_correlation as as_correlation
from pcmodel.brain.dynamics.read_out import read_regions as read_regions
from pcmodel.brain.dynamics.read_out import without_global as without_global
from pcmodel.brain.dynamics.sampling import correlation_times as correlation_times
from pcmodel.brain.dynamics.sampling import lagged_covariances as lagged_covariances
from pcmodel.brain.dynamics.sampling import sample_activity as sample_activity
from pcmodel.brain.dynamics.self_hold import SelfHold as SelfHold
from pcmodel.brain.dynamics.self_hold import self_hold as self_hold
