"""`Posterior`: the Laplace posterior of one example or a batch, computed by `pcmodel.inference.posterior`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import Array

from pcmodel.api.batching import keys_of, run_over_examples
from pcmodel.api.diagnosis import Diagnosis, diagnose, refuse_tempered
from pcmodel.api.pose import Posed
from pcmodel.api.posing.places import (
    called_as,
    check_all_free,
    check_any_free,
    chosen_block,
    sorted_places,
)
from pcmodel.inference import posterior as core
from pcmodel.inference.infer import InferenceResult
from pcmodel.inference.level_evidence import LevelEvidence, evidence_about
from pcmodel.inference.linear.equation import is_quadratic
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import is_traced
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.belief import Belief
from pcmodel.model.levels import LevelName, find_units
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.runtime.memory import check_fits


@dataclass(frozen=True)
class Posterior:
    """Gauss-Newton Laplace posterior (exact for linear-Gaussian networks).

    posed: inference problem.
    result: mode, and diagnostics of the solver.

    Arrays have a leading batch axis if `result` has one.
    """

    posed: Posed
    result: InferenceResult

    @property
    def mean(self) -> Latents:
        """The mode, one array per level, bottom first (the posterior mean for linear-Gaussian networks)."""
        return self.result.latents

    @property
    def variances(self) -> Latents:
        """Marginal variance of every unit, one array per level (0 where clamped, and at discrete levels)."""
        return self._map(_variances)

    @property
    def log_evidence(self) -> Array:
        """-F: log p(data) under the Laplace approximation, nats.

        Raises UserError for a modulated discrete level 0: a tempered likelihood is not normalised and has no evidence.
        """
        refuse_tempered(self.posed)
        return -self._map(core.free_energy)

    @checked_arguments
    def covariance(self, first: LevelName, second: LevelName) -> Array:
        """Covariance between two levels or parts, ([batch,] units of first, units of second); 0 for clamped units and
        discrete levels."""
        model = self.posed.problem.structure.model
        rows, columns = find_units(first, model), find_units(second, model)
        whole = self._map(core.covariance, first=rows.level, second=columns.level)
        return chosen_block(whole, rows, columns)

    @checked_arguments
    def diagnose(self, key: Array, num_samples: int = 1000) -> Diagnosis:
        """Accuracy of the Laplace posterior, from importance ratios of its draws.

        The result has the Pareto k, the effective share of the draws, evidence and moments corrected by the ratios if
        k is within its limit, and otherwise the advice to use a sampler.  Nothing is drawn if the posterior is exact:
        for a linear network with Gaussian data whose mode was found.
        Raises UserError for fewer than 25 draws and inside jit, vmap or grad.
        """
        problem = self.posed.problem
        exact = None
        converged = self.result.converged
        found = not is_traced(converged) and bool(np.all(np.asarray(converged)))
        if is_quadratic(problem) and found:
            exact = self.mean, self.variances, self.log_evidence
        return diagnose(self.posed, self.result.whitened, key, num_samples, exact)

    @checked_arguments
    def sample(self, key: Array, num_samples: int) -> Latents:
        """Draws by perturb-and-solve: one array per level, ([batch,] num_samples, width)."""
        key, num_samples = check_key(key), whole_number(num_samples, "num_samples")
        size = self.posed.batch_size
        check_fits(size or 1, num_samples, self._num_units, what="num_samples draws")
        return self._map(
            core.sample_latents, keys_of(self.posed, key), num_samples=num_samples
        )

    @checked_arguments
    def belief(self, *levels: LevelName) -> Belief:
        """The joint belief about some levels or parts ("top" by default), by level and in their own order.

        Raises UserError for clamped units, without levels where there are several tops, and for a unit that two of them have.
        """
        structure = self.posed.problem.structure
        places = sorted_places(levels or ("top",), structure.model)
        check_all_free(places, structure)
        mean, log_precision = self._map(core.joint_belief, places=places)
        called = (called_as(place, structure.model) for place in places)
        return Belief(mean, log_precision, tuple(called))

    @checked_arguments
    def evidence(self, *levels: LevelName) -> LevelEvidence:
        """The evidence about one level or part, or jointly about several ("top" by default), apart from their prior.

        The prior is that of their free units without any data, by level and in their own order; a belief about tops is
        part of it, one about levels below them counts as evidence, also about the levels that it speaks of;
        `pcmodel.paradigms.revision_index` of the result tells the share of the way from it to the evidence that the
        belief has gone.
        Raises UserError for a level or part whose units are all clamped, and for a unit that two of them have.
        """
        structure = self.posed.problem.structure
        places = sorted_places(levels or ("top",), structure.model)
        check_any_free(places, structure)
        return self._map(evidence_about, levels=places)

    @property
    def _num_units(self) -> int:
        return sum(self.posed.problem.structure.model.widths)

    def _map(self, function: Callable, *extra: Array, **options: Any):
        return run_over_examples(
            function,
            self.posed.problem,
            self.result.whitened,
            *extra,
            batching=self.posed.batching,
            **options,
        )


def _variances(problem: Problem, whitened: Array) -> Latents:
    return core.moments(problem, whitened).variances
