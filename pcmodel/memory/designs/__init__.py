"""Designs of conditioning experiments that read like their protocols, and the published ones.

May import: as `memory`.
"""

from pcmodel.memory.designs.design import Design as Design
from pcmodel.memory.designs.phases import Acquisition as Acquisition
from pcmodel.memory.designs.phases import Days as Days
from pcmodel.memory.designs.phases import Extinction as Extinction
from pcmodel.memory.designs.phases import Interval as Interval
from pcmodel.memory.designs.phases import Phase as Phase
from pcmodel.memory.designs.phases import Reinstatement as Reinstatement
from pcmodel.memory.designs.phases import Retrieval as Retrieval
from pcmodel.memory.designs.phases import Test as Test
from pcmodel.memory.designs.read import read_design as read_design
from pcmodel.memory.designs.schedules import draw_schedule as draw_schedule
from pcmodel.memory.designs.schedules import reinforced_at as reinforced_at
