"""Priors that a user sets, written as `omega2 ~ Normal(-3, 4)`.

What may be set is what the hierarchy holds exactly (`families`): a prior of the group's mean (`omega2`) and of each coefficient
(`omega2[drug[haloperidol]]`), such as a normal or Student's t one, and one of each standard deviation over people (`omega2_sd`,
`omega2_sd[drug[haloperidol]]`), such as a half-normal or exponential one. All are on the parameter's own scale, the real line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.hierarchy.priors.families import DEGREES, FAMILIES, Law
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.numerals import to_finite

SPREAD = "_sd"
WRITTEN = re.compile(r"(?P<target>.*?)~\s*(?P<family>\w+)\s*\((?P<numbers>[^()]*)\)")
EXPECTED = '"NAME ~ Normal(MEAN, SD)" or "NAME_sd ~ HalfNormal(SCALE)"'
SMALLEST, LARGEST = 1e-8, 1e8  # of an SD, scale or rate
LEAST_DEGREES = 1.0  # of freedom; below, tails are wider than a Cauchy's


@dataclass(frozen=True)
class SetPrior:
    """A prior that was set.

    Attributes:
        target: the number of the group, as it was written: `omega2`, `omega2[drug]`, `omega2_sd`.
        law: the distribution.
    """

    target: str
    law: Law

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.target} ~ {self.law.text}"


def written_families(*, is_spread: bool) -> str:
    """Those that a mean or effect, or an SD over people, may have, as they are written.

    >>> written_families(is_spread=True)
    'HalfNormal(SCALE), HalfStudentT(DF, SCALE), HalfCauchy(SCALE) or Exponential(RATE)'
    """
    *first, last = [
        f"{name}({', '.join(own.numbers).upper()})"
        for name, own in FAMILIES.items()
        if own.is_spread == is_spread
    ]
    return f"{', '.join(first)} or {last}"


@checked_arguments
def parse_prior(text: str) -> SetPrior:
    """A prior from its text; UserError that says what may be written.

    >>> parse_prior("omega2 ~ Normal(-3, 4)")
    SetPrior(target='omega2', law=Law(family='Normal', centre=-3.0, scale=4.0, degrees=0.0))
    """
    found = WRITTEN.fullmatch(text.strip())
    target = found["target"].strip() if found else ""
    if found is None or not target:
        raise _error(f"cannot be read: {text.strip()!r}", EXPECTED)
    names = {name.lower(): name for name in FAMILIES}
    family = names.get(found["family"].lower())
    if family is None:
        raise _error(
            f"{found['family']} is no family that can be set here, in {text.strip()!r}",
            f"{written_families(is_spread=False)} for a mean or an effect, "
            f"{written_families(is_spread=True)} for an SD over people",
        )
    wanted = FAMILIES[family].numbers
    numbers = [to_finite(word) for word in found["numbers"].split(",")]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or len(known) != len(wanted):
        raise _error(
            f"{family}({found['numbers'].strip()}) does not give {' and '.join(wanted)}, "
            f"in {text.strip()!r}",
            f"{family}({', '.join(wanted).upper()}), finite numbers",
        )
    said = dict(zip(wanted, known, strict=True))
    for name in {DEGREES, wanted[-1]} & said.keys():
        least = LEAST_DEGREES if name == DEGREES else SMALLEST
        if not least <= said[name] <= LARGEST:
            raise _error(
                f"{name} is {said[name]:g} in {text.strip()!r}",
                f"a number from {least:g} to {LARGEST:g}",
            )
    scale = 1.0 / known[-1] if wanted[-1] == "rate" else known[-1]
    centre = 0.0 if FAMILIES[family].is_spread else known[-2]
    return SetPrior(target, Law(family, centre, scale, said.get(DEGREES, 0.0)))


def parse_priors(texts: Sequence[str]) -> tuple[SetPrior, ...]:
    """Priors from their texts; UserError for a number that is given two."""
    found = tuple(parse_prior(text) for text in texts)
    targets = [prior.target for prior in found]
    for target in targets:
        if targets.count(target) > 1:
            raise _error(f"{target!r} has two priors", "one for each number")
    return found


def split_target(
    target: str, parameters: Sequence[Parameter]
) -> tuple[Parameter, bool, str]:
    """The parameter, whether it is the spread, and the column of a target; UserError for no such parameter."""
    name, bracket, rest = target.partition("[")
    column = rest.removesuffix("]") if bracket else INTERCEPT
    if bracket and not rest.endswith("]"):
        raise _error(f"cannot be read: {target!r}", "NAME[COLUMN]")
    known = {n: p for p in parameters for n in (p.name, *p.names)}
    if name in known:
        return known[name], False, column
    stem = name.removesuffix(SPREAD)
    if stem != name and stem in known:
        return known[stem], True, column
    free = [n for n, p in known.items() if p.free]
    names = [*free, *(f"{n}{SPREAD}" for n in free)]
    raise unknown_name("parameter of this model", name, names, where="prior")


def has_target(prior: SetPrior, parameters: Sequence[Parameter]) -> bool:
    """Whether one of the parameters is that of the prior."""
    try:
        split_target(prior.target, parameters)
    except UserError:
        return False
    return True


def of_term(
    prior: SetPrior,
    parameters: Sequence[Parameter],
    columns: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> tuple[str, bool, int]:
    """The parameter, whether it is a spread, and the place of its column, for a prior of a hierarchy.

    columns: by parameter that is estimated the names of the common and the varying columns.
    UserError for a parameter that is held fixed, for a column that is not there, and for the family
        of the other kind.
    """
    parameter, is_spread, column = split_target(prior.target, parameters)
    _check_family(prior, is_spread)
    name = parameter.name
    if name not in columns:
        raise _error(
            f"{name} is held at {parameter.mean:g}",
            f"a formula that estimates it, such as '{name} ~ 1'",
        )
    known = columns[name][int(is_spread)]
    if not known:
        raise _error(
            f"nobody differs in {name}, which has no SD over people",
            f"a formula with '(1 | participant)', or a prior of {name}",
        )
    if column not in known:
        end = SPREAD if is_spread else ""
        names = [_target(f"{name}{end}", own) for own in known]
        raise unknown_name("number of this fit", prior.target, names, where="prior")
    return name, is_spread, known.index(column)


def _target(name: str, column: str) -> str:
    return name if column == INTERCEPT else f"{name}[{column}]"


def _check_family(prior: SetPrior, is_spread: bool) -> None:
    """UserError for a family that the number cannot have."""
    if prior.law.is_spread == is_spread:
        return
    what = "is an SD over people, which is positive" if is_spread else "may be negative"
    raise _error(
        f"{prior.target} {what}: {prior.text!r}",
        f"{prior.target} ~ {written_families(is_spread=is_spread)}",
    )


def set_parameters(
    parameters: Sequence[Parameter], priors: Sequence[SetPrior]
) -> tuple[Parameter, ...]:
    """The parameters with these priors, for studies of people without conditions; UserError for others."""
    found = {p.name: p for p in parameters}
    for prior in priors:
        parameter, is_spread, column = split_target(prior.target, parameters)
        _check_family(prior, is_spread)
        if column != INTERCEPT:
            raise _error(
                f"{prior.target} is an effect, and this study has none",
                f"a prior of {parameter.name}, or of {parameter.name}{SPREAD}",
            )
        if not parameter.free:
            raise _error(
                f"{parameter.name} is held at {parameter.mean:g}",
                "a parameter that this study estimates",
            )
        law, own = prior.law, found[parameter.name]
        if law.family not in ("Normal", "HalfNormal"):
            raise _error(
                f"{prior.text!r} cannot be set here, where people are drawn one by one",
                f"{prior.target} ~ {'HalfNormal(SCALE)' if is_spread else 'Normal(MEAN, SD)'}",
            )
        found[parameter.name] = (
            replace(own, spread=law.scale)
            if is_spread
            else replace(own, mean=law.centre, sd=law.scale)
        )
    return tuple(found.values())


def _error(what: str, expected: str) -> UserError:
    return UserError(what, where="prior", expected=expected)
