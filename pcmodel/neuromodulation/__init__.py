"""From a dose to a modulation of the hierarchy, and to the body.

dose -> plasma -> effect site -> occupancy -> response -> second stage -> excitability -> `Modulation`.
The evidence for the links differs: it is good for kinetics, for occupancy of psilocin only, the
second stage is a fit, and that from excitability to precision is hardly known (its sign is disputed).
Every number has a source, and every rival account is a strategy.  After the session a window of plasticity
is open for days (`plasticity`).

Nothing here is clinical advice.

May import: `inputs`, `runtime`, `model`.
"""

from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS as ACCOUNTS
from pcmodel.neuromodulation.accounts.accounts import Dimmer as Dimmer
from pcmodel.neuromodulation.accounts.accounts import Effects as Effects
from pcmodel.neuromodulation.accounts.accounts import NmdaBlock as NmdaBlock
from pcmodel.neuromodulation.accounts.accounts import Noise as Noise
from pcmodel.neuromodulation.accounts.accounts import Oneirogen as Oneirogen
from pcmodel.neuromodulation.accounts.accounts import Rebus as Rebus
from pcmodel.neuromodulation.accounts.accounts import Sebus as Sebus
from pcmodel.neuromodulation.accounts.accounts import Sensory as Sensory
from pcmodel.neuromodulation.accounts.accounts import Together as Together
from pcmodel.neuromodulation.accounts.accounts import Uniform as Uniform
from pcmodel.neuromodulation.accounts.accounts import effects as effects
from pcmodel.neuromodulation.accounts.compatibility import (
    check_account as check_account,
)
from pcmodel.neuromodulation.accounts.maps import CORTEX as CORTEX
from pcmodel.neuromodulation.accounts.maps import Anatomy as Anatomy
from pcmodel.neuromodulation.accounts.maps import anatomy as anatomy
from pcmodel.neuromodulation.body import Signs as Signs
from pcmodel.neuromodulation.body import vital_signs as vital_signs
from pcmodel.neuromodulation.carried import Carried as Carried
from pcmodel.neuromodulation.checking import check_times as check_times
from pcmodel.neuromodulation.compounds import Compound as Compound
from pcmodel.neuromodulation.compounds import Library as Library
from pcmodel.neuromodulation.compounds import load_compounds as load_compounds
from pcmodel.neuromodulation.course import Course as Course
from pcmodel.neuromodulation.course import duration as duration
from pcmodel.neuromodulation.course import is_over as is_over
from pcmodel.neuromodulation.course import simulate as simulate
from pcmodel.neuromodulation.course import threshold_of as threshold_of
from pcmodel.neuromodulation.course import transducer_of as transducer_of
from pcmodel.neuromodulation.dosing import Bolus as Bolus
from pcmodel.neuromodulation.dosing import Dose as Dose
from pcmodel.neuromodulation.dosing import Infusion as Infusion
from pcmodel.neuromodulation.dosing import Oral as Oral
from pcmodel.neuromodulation.dosing import regimen as regimen
from pcmodel.neuromodulation.group import Group as Group
from pcmodel.neuromodulation.group import carry as carry
from pcmodel.neuromodulation.group import simulate_group as simulate_group
from pcmodel.neuromodulation.participant import Participant as Participant
from pcmodel.neuromodulation.participant import draw_participants as draw_participants
from pcmodel.neuromodulation.participant import typical as typical
from pcmodel.neuromodulation.pharmacology.exchange import AtOnce as AtOnce
from pcmodel.neuromodulation.pharmacology.exchange import WithRates as WithRates
from pcmodel.neuromodulation.plasticity.constants import (
    PlasticityTable as PlasticityTable,
)
from pcmodel.neuromodulation.plasticity.constants import (
    closing_time_constant as closing_time_constant,
)
from pcmodel.neuromodulation.plasticity.constants import (
    load_plasticity as load_plasticity,
)
from pcmodel.neuromodulation.plasticity.drive import Administrations as Administrations
from pcmodel.neuromodulation.plasticity.drive import Drive as Drive
from pcmodel.neuromodulation.plasticity.drive import administrations as administrations
from pcmodel.neuromodulation.plasticity.drive import (
    group_administrations as group_administrations,
)
from pcmodel.neuromodulation.plasticity.routes import PlasticityRoute as PlasticityRoute
from pcmodel.neuromodulation.plasticity.routes import TrkbDirect as TrkbDirect
from pcmodel.neuromodulation.plasticity.routes import Via2A as Via2A
from pcmodel.neuromodulation.plasticity.routes import ViaNmda as ViaNmda
from pcmodel.neuromodulation.plasticity.routes import ViaSerotonin as ViaSerotonin
from pcmodel.neuromodulation.plasticity.window import Window as Window
from pcmodel.neuromodulation.plasticity.window import modulation_on as modulation_on
from pcmodel.neuromodulation.plasticity.window import (
    plasticity_window as plasticity_window,
)
