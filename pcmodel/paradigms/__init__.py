"""What is measured of a belief that meets evidence: revision, and from a dose to a belief.

May import: `inputs`, `runtime`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""

from pcmodel.paradigms.belief_course import BeliefCourse as BeliefCourse
from pcmodel.paradigms.belief_course import believe as believe
from pcmodel.paradigms.revision import Revision as Revision
from pcmodel.paradigms.revision import revise as revise
