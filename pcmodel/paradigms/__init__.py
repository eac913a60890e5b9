"""Evidence streams, and what is measured of a belief that meets them.

May import: `inputs`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""

from pcmodel.paradigms.belief_course import BeliefCourse as BeliefCourse
from pcmodel.paradigms.belief_course import believe as believe
from pcmodel.paradigms.revision import Revision as Revision
from pcmodel.paradigms.revision import revise as revise
