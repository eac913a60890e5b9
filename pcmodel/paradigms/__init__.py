"""Measures of belief revision by evidence, of beliefs over the course of a drug, and (`lasting`) over days.

May import: `inputs`, `runtime`, `model`, `inference`, `learning`, `networks`, `api`, `neuromodulation`.
"""

from pcmodel.paradigms.belief_course import BeliefCourse as BeliefCourse
from pcmodel.paradigms.belief_course import believe as believe
from pcmodel.paradigms.revision import Revision as Revision
from pcmodel.paradigms.revision import revise as revise
