"""Claims: what is measured, when a prediction holds, and how it is described.

A claim's verdict and its sensitivity to parameters (`pcmodel.report.declared.sensitivity`) come from the same
measured numbers: with all parameters as set, and with one of them halved and doubled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

import numpy as np

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.report.content import Kind, Verdict
from pcmodel.report.declared.asking import asked, call, declared_fields
from pcmodel.report.declared.placeholders import fill, placeholders

SIMULATED = ("config", "seed", "perturbation")
"""Possible arguments of a measure that simulates."""
FROM_RESULTS = ("config", "results", "summary", "perturbation")
"""Possible arguments of a measure that reads the results."""


class Perturbation(NamedTuple):
    """One parameter times a factor.

    path: of the parameter, "ligands.k_2a"; empty: all parameters as set.
    owner: what the parameter belongs to, such as a compound; empty where there is only one.
    factor: that it is multiplied by.
    """

    path: str = ""
    owner: str = ""
    factor: float = 1.0

    def factor_of(self, path: str) -> float:
        """The factor of the parameter at a path without an owner; 1 for others."""
        return self.factor if self.path == path else 1.0

    def restricted_to(self, *owners: str) -> "Perturbation":
        """The same perturbation; none if its owner is not among these."""
        return self if not self.owner or self.owner in owners else UNPERTURBED


UNPERTURBED = Perturbation()


class Parameter(NamedTuple):
    """A parameter that is halved and doubled.

    label: its name for readers.
    path: see `Perturbation`.
    owner: see `Perturbation`.
    inverse: the value at the path is its reciprocal, as a rate is of a time.
    """

    label: str
    path: str
    owner: str = ""
    inverse: bool = False

    def times(self, factor: float) -> Perturbation:
        """The perturbation that multiplies this parameter."""
        exact = 1 / factor if self.inverse else factor
        return Perturbation(self.path, self.owner, exact)


@checked_arguments
@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of an experiment.

    name: its heading.
    prediction: what was predicted beforehand; may hold placeholders `{config.field}`.
    kind: "theorem", "calibrated" or "predicted", see `Verdict`.
    measure: a function that returns a named tuple of numbers or arrays.  With an argument `results` or
        `summary` it is called when the results are analysed; else it simulates, during the run, and may
        have arguments `config`, `seed` and `perturbation`; its numbers are stored with the results.
    holds: a function from that tuple to whether the claim holds; None is inconclusive.  It is not called
        if a number is NaN, which is inconclusive.
    observed: the tuple in words, with its fields as placeholders: "removes {low:+.3f} SD"; or a function.
    parameters: those that are halved and doubled; `measure` then has an argument `perturbation`.

    Raises UserError for an unknown kind, an argument of `measure` that is not available, and a placeholder
    that is not a field in the return annotation of `measure`.
    """

    name: str
    prediction: str
    kind: str
    measure: Callable[..., Any]
    holds: Callable[[Any], bool | None]
    observed: str | Callable[[Any], str]
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self):
        if self.kind not in get_args(Kind):
            raise unknown_name("kind", self.kind, get_args(Kind), where=self.where)
        wanted = asked(
            self.measure,
            SIMULATED if self.is_simulated else FROM_RESULTS,
            where=f"{self.where}: measure",
        )
        if self.parameters and "perturbation" not in wanted:
            raise UserError(
                "its measure asks for no 'perturbation', so its parameters change nothing",
                where=self.where,
            )
        fields = declared_fields(self.measure)
        if fields is not None and isinstance(self.observed, str):
            for name in placeholders(self.observed, where=self.where):
                if name[0] not in fields:
                    raise unknown_name("field", name[0], fields, where=self.where)

    @property
    def where(self) -> str:
        """The claim's name in errors."""
        return f"claim {self.name!r}"

    @property
    def is_simulated(self) -> bool:
        """Whether it is measured during the run, not from the results."""
        return not {"results", "summary"} & set(signature(self.measure).parameters)


class Examination(NamedTuple):
    """A claim's measured numbers; all fields are named tuples of the measure's type.

    as_set: with all parameters as set.
    halved: with one parameter halved; its fields have a leading axis, one row for each parameter.
    doubled: with one parameter doubled; likewise.
    """

    as_set: Any
    halved: Any
    doubled: Any


Examined = Mapping[str, Examination]
"""Examinations by the names of their claims."""
NOT_EXAMINED: Examined = MappingProxyType({})


def examine(claim: Claim, values: dict[str, Any]) -> Examination:
    """Measure a claim as set, and with each of its parameters halved and doubled."""
    as_set = _measured(claim, values, UNPERTURBED)
    halved, doubled = (
        [_measured(claim, values, each.times(factor)) for each in claim.parameters]
        for factor in (0.5, 2.0)
    )
    return Examination(as_set, _stacked(as_set, halved), _stacked(as_set, doubled))


def _measured(claim: Claim, values: dict[str, Any], perturbation: Perturbation):
    record = call(claim.measure, {**values, "perturbation": perturbation})
    if not hasattr(record, "_fields"):
        raise UserError(
            f"its measure returned a {type(record).__name__}",
            where=claim.where,
            expected="a named tuple of numbers",
        )
    pairs = zip(record._fields, record, strict=True)
    return type(record)(*(_numbers(claim, *pair) for pair in pairs))


def _numbers(claim: Claim, name: str, value: Any):
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise UserError(
            f"{name} is a {type(value).__name__}", where=claim.where, expected="numbers"
        )
    return array[()] if array.dtype.kind == "b" else array.astype(float)[()]


def _stacked(as_set: Any, records: list[Any]):
    """One record whose fields have a leading axis over the records."""
    shaped = (
        np.reshape([r[i] for r in records], (len(records), *np.shape(one)))
        for i, one in enumerate(as_set)
    )
    return type(as_set)(*shaped)


def rows(stacked: Any) -> list[Any]:
    """The records of each parameter: the inverse of stacking."""
    return [type(stacked)(*fields) for fields in zip(*stacked, strict=True)]


def outcome(claim: Claim, record: Any) -> str:
    """ "holds", "fails" or "inconclusive"."""
    if any(np.isnan(field).any() for field in record):
        return "inconclusive"
    answer = claim.holds(record)
    if answer is not None and not isinstance(answer, bool | np.bool_):
        raise UserError(
            f"holds returned a {type(answer).__name__}",
            where=claim.where,
            expected="True, False or None",
        )
    return "inconclusive" if answer is None else "holds" if answer else "fails"


def observed(claim: Claim, record: Any) -> str:
    """The measured numbers in words."""
    if callable(claim.observed):
        return claim.observed(record)
    return fill(claim.observed, record._asdict(), where=claim.where)


def verdict(claim: Claim, record: Any, config: Any = None) -> Verdict:
    """The verdict on a claim from its measured numbers."""
    return Verdict(
        claim.name,
        fill(claim.prediction, {"config": config}, where=claim.where),
        observed(claim, record),
        outcome(claim, record),
        claim.kind,
    )
