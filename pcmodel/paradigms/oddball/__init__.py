"""Oddball and roving paradigms: errors by level, adaptation and the memory of the standard.

May import: `inputs`, `runtime`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""

from pcmodel.paradigms.oddball.measures import Mismatch as Mismatch
from pcmodel.paradigms.oddball.measures import mismatch as mismatch
from pcmodel.paradigms.oddball.oddball import Oddball as Oddball
from pcmodel.paradigms.oddball.responses import Responses as Responses
from pcmodel.paradigms.oddball.responses import respond as respond
from pcmodel.paradigms.oddball.sequences import oddball_sequence as oddball_sequence
from pcmodel.paradigms.oddball.sequences import roving_sequence as roving_sequence
