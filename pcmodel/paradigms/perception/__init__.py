"""Perceptual phenomena of a hierarchy with precisions: contextual size, bistable depth, rivalry, end-stopping.

May import: `inputs`, `runtime`, `model`, `inference`, `networks`, `api`, `neuromodulation`.
"""

from pcmodel.paradigms.perception.alternation import Alternation as Alternation
from pcmodel.paradigms.perception.alternation import Fatigue as Fatigue
from pcmodel.paradigms.perception.alternation import alternation as alternation
from pcmodel.paradigms.perception.end_stopping import Stopping as Stopping
from pcmodel.paradigms.perception.end_stopping import Strip as Strip
from pcmodel.paradigms.perception.end_stopping import bar_responses as bar_responses
from pcmodel.paradigms.perception.end_stopping import rows as rows
from pcmodel.paradigms.perception.hollow_mask import HollowMask as HollowMask
from pcmodel.paradigms.perception.hollow_mask import Percept as Percept
from pcmodel.paradigms.perception.hollow_mask import flip_precision as flip_precision
from pcmodel.paradigms.perception.hollow_mask import hollow_mask as hollow_mask
from pcmodel.paradigms.perception.rivalry import Rivalry as Rivalry
from pcmodel.paradigms.perception.rivalry import Switching as Switching
from pcmodel.paradigms.perception.rivalry import rivalry as rivalry
from pcmodel.paradigms.perception.size_illusion import MECHANISMS as MECHANISMS
from pcmodel.paradigms.perception.size_illusion import Illusion as Illusion
from pcmodel.paradigms.perception.size_illusion import SizeIllusion as SizeIllusion
from pcmodel.paradigms.perception.size_illusion import size_illusion as size_illusion
