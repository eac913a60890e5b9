"""Diagnostics of the Laplace posteriors behind a page's numbers, in one sentence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pcmodel.api.diagnosis import Diagnosis, shown_range


class LaplaceSummary(NamedTuple):
    """Diagnostics of several Laplace posteriors, see `Diagnosis`.

    pareto_shape: of each case.
    effective_share: of the draws, of each case.
    correction: added to the log evidence by the importance ratios, nats; NaN where they are not to be trusted.
    limit: of the Pareto shape, above which the ratios are not trusted.
    num_samples: draws for each case.
    """

    pareto_shape: np.ndarray
    effective_share: np.ndarray
    correction: np.ndarray
    limit: float
    num_samples: int

    @classmethod
    def of(cls, diagnoses: Sequence[Diagnosis]) -> "LaplaceSummary":
        """The cases of several diagnoses in one summary."""
        known = [np.where(d.trusted, d.shares.correction, np.nan) for d in diagnoses]
        return cls(
            np.hstack([d.pareto_shape for d in diagnoses]),
            np.hstack([d.effective_share for d in diagnoses]),
            np.hstack(known),
            diagnoses[0].limit,
            diagnoses[0].num_samples,
        )

    def sentence(self) -> str:
        """A sentence with the Pareto k and effective shares, which says that the page's numbers are not corrected."""
        if np.all(self.pareto_shape == -np.inf):
            return "The network is linear with Gaussian data: its posterior is exact."
        cases = self.pareto_shape.size
        bad = int(np.sum(~(self.pareto_shape <= self.limit)))
        known = self.correction[np.isfinite(self.correction)]
        nats = (
            f"; they would correct its log evidence by {shown_range(known)} nats"
            if known.size
            else ""
        )
        heavy = f", above it in {bad}" if bad else ""
        return (
            f"The Gauss-Newton Laplace posterior of a nonlinear network is an approximation: in {cases} cases "
            f"importance ratios of {self.num_samples} of its own draws have Pareto k {shown_range(self.pareto_shape)} "
            f"(limit {self.limit:.2f}{heavy}) and an effective share of {shown_range(self.effective_share)}{nats}. "
            "The numbers shown are not corrected."
        )
