"""LSD alone, and with ketanserin after and before it: the same people three times."""

import numpy as np

from pcmodel.neuromodulation import Course, Dose, Participant

SESSION_HOURS = np.linspace(0, 30, 301)
KETANSERIN = 40.0
LSD = Dose("LSD", 0.1)
SESSIONS = {
    "alone": (LSD, Dose("ketanserin", 0.0, 1.0)),
    "after": (LSD, Dose("ketanserin", KETANSERIN, 1.0)),
    "before": (Dose("ketanserin", KETANSERIN), Dose("LSD", 0.1, 1.0)),
}

Session = tuple[Course, Participant]


def remaining(alone: Session, before: Session) -> np.ndarray:
    """Largest effect with ketanserin before, over each one's peak alone; 1 where nothing is felt alone."""
    peak, left = (np.asarray(each[0].effect_2a).max(1) for each in (alone, before))
    feels = peak > np.asarray(alone[1].physiology.least)
    return np.where(feels, left / np.where(feels, peak, 1), 1.0)


def abolished(alone: Session, before: Session) -> float:
    """Share of people in whom ketanserin before leaves less than a tenth of the peak alone."""
    return float(np.mean(remaining(alone, before)[1:] < 0.1))
