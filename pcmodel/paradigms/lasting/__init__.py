"""A belief followed over days: what sessions teach (`learning`), what time keeps of it (`retention`), and both in turn
(`following`)."""

from pcmodel.paradigms.lasting.following import Followed as Followed
from pcmodel.paradigms.lasting.following import follow as follow
from pcmodel.paradigms.lasting.learning import LinearLearning as LinearLearning
from pcmodel.paradigms.lasting.learning import TopLearning as TopLearning
from pcmodel.paradigms.lasting.learning import Training as Training
from pcmodel.paradigms.lasting.probing import Probe as Probe
from pcmodel.paradigms.lasting.retention import Retention as Retention
from pcmodel.paradigms.lasting.retention import Trace as Trace
from pcmodel.paradigms.lasting.retention import after_days as after_days
from pcmodel.paradigms.lasting.retention import begin as begin
from pcmodel.paradigms.lasting.retention import labile_part as labile_part
from pcmodel.paradigms.lasting.sessions import Session as Session
from pcmodel.paradigms.lasting.sessions import modulation_at as modulation_at
