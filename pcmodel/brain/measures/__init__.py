"""Measures of regions' activity over time, and their statistics over people.

Every function takes one person's `series`, regions by time, as numpy arrays (float32 is computed in
float64), or a matrix made of it. What is not defined for some data is NaN, with the reason in the field
`undefined` of the result; input that is wrong raises UserError.

- `series`             reading and standardising a series; regression of the global signal
- `connectivity`       correlations; Fisher z within and between networks; segregation
- `graph`              modularity, participation coefficient
- `gradient`           range of the principal gradient
- `dwell`              how long a quantity stays below a threshold
- `entropies`          normalised entropy of the eigenspectrum; entropy of a Gaussian
- `complexity`         Lempel-Ziv complexity, relative to surrogates
- `transfer_entropy`   Gaussian, of series and of a model's covariances
- `person`             all of them, with and without global-signal regression
- `group`              of many people and conditions, and their contrasts
- `paired`             statistics over people
- `random_numbers`     numpy's, from a key

May import: what `brain` may.
"""

from pcmodel.brain.measures.complexity import LempelZiv as LempelZiv
from pcmodel.brain.measures.complexity import lempel_ziv as lempel_ziv
from pcmodel.brain.measures.complexity import lempel_ziv_count as lempel_ziv_count
from pcmodel.brain.measures.connectivity import NetworkCoupling as NetworkCoupling
from pcmodel.brain.measures.connectivity import correlations as correlations
from pcmodel.brain.measures.connectivity import mean_coupling as mean_coupling
from pcmodel.brain.measures.connectivity import network_coupling as network_coupling
from pcmodel.brain.measures.dwell import Dwell as Dwell
from pcmodel.brain.measures.dwell import gaussian_dwell as gaussian_dwell
from pcmodel.brain.measures.dwell import series_dwell as series_dwell
from pcmodel.brain.measures.entropies import (
    eigenspectrum_entropy as eigenspectrum_entropy,
)
from pcmodel.brain.measures.entropies import gaussian_entropy as gaussian_entropy
from pcmodel.brain.measures.gradient import principal_gradient as principal_gradient
from pcmodel.brain.measures.graph import modularity as modularity
from pcmodel.brain.measures.graph import modularity_of as modularity_of
from pcmodel.brain.measures.graph import participation as participation
from pcmodel.brain.measures.group import Contrast as Contrast
from pcmodel.brain.measures.group import GroupMeasures as GroupMeasures
from pcmodel.brain.measures.group import contrast as contrast
from pcmodel.brain.measures.group import measure_group as measure_group
from pcmodel.brain.measures.paired import PairedStatistics as PairedStatistics
from pcmodel.brain.measures.paired import paired_statistics as paired_statistics
from pcmodel.brain.measures.person import MEASURES as MEASURES
from pcmodel.brain.measures.person import BrainMeasures as BrainMeasures
from pcmodel.brain.measures.person import MeasureOptions as MeasureOptions
from pcmodel.brain.measures.person import PersonMeasures as PersonMeasures
from pcmodel.brain.measures.person import measure_person as measure_person
from pcmodel.brain.measures.series import regress_global_signal as regress_global_signal
from pcmodel.brain.measures.transfer_entropy import (
    covariance_transfer_entropy as covariance_transfer_entropy,
)
from pcmodel.brain.measures.transfer_entropy import transfer_entropy as transfer_entropy
