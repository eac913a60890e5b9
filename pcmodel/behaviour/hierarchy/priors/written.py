"""Priors that a user sets, written as `omega2 ~ Normal(-3, 4)`.

What may be set is what the hierarchy holds exactly: a normal prior of the group's mean (`omega2`) and of each coefficient
(`omega2[drug[haloperidol]]`), and a half-normal one of each standard deviation over people (`omega2_sd`,
`omega2_sd[drug[haloperidol]]`). All are on the parameter's own scale, the real line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.numerals import to_finite

SPREAD = "_sd"
FAMILIES = {"Normal": ("mean", "SD"), "HalfNormal": ("scale",)}
WRITTEN = re.compile(r"(?P<target>.*?)~\s*(?P<family>\w+)\s*\((?P<numbers>[^()]*)\)")
EXPECTED = '"NAME ~ Normal(MEAN, SD)" or "NAME_sd ~ HalfNormal(SCALE)"'
SMALLEST, LARGEST = 1e-8, 1e8  # of an SD or scale


@dataclass(frozen=True)
class SetPrior:
    """A prior that was set.

    Attributes:
        target: the number of the group, as it was written: `omega2`, `omega2[drug]`, `omega2_sd`.
        mean: of a normal prior; 0 for a half-normal one.
        sd: of a normal prior, or the scale of a half-normal one.
        is_half: whether it is half-normal.
    """

    target: str
    mean: float
    sd: float
    is_half: bool

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.target} ~ {law(self.mean, self.sd, is_half=self.is_half)}"


def law(mean: float, sd: float, *, is_half: bool) -> str:
    """The distribution in words of a formula.

    >>> law(-3.0, 4.0, is_half=False), law(0.0, 0.5, is_half=True)
    ('Normal(-3, 4)', 'HalfNormal(0.5)')
    """
    return f"HalfNormal({sd:.10g})" if is_half else f"Normal({mean:.10g}, {sd:.10g})"


@checked_arguments
def parse_prior(text: str) -> SetPrior:
    """A prior from its text; UserError that says what may be written.

    >>> parse_prior("omega2 ~ Normal(-3, 4)")
    SetPrior(target='omega2', mean=-3.0, sd=4.0, is_half=False)
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
            "Normal(MEAN, SD) for a mean or an effect, HalfNormal(SCALE) for an SD over people",
        )
    wanted = FAMILIES[family]
    numbers = [to_finite(word) for word in found["numbers"].split(",")]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or len(known) != len(wanted):
        raise _error(
            f"{family}({found['numbers'].strip()}) does not give {' and '.join(wanted)}, "
            f"in {text.strip()!r}",
            f"{family}({', '.join(wanted).upper()}), finite numbers",
        )
    *mean, sd = known
    if not SMALLEST <= sd <= LARGEST:
        raise _error(
            f"{wanted[-1]} is {sd:g} in {text.strip()!r}",
            f"a number from {SMALLEST:g} to {LARGEST:g}",
        )
    return SetPrior(target, mean[0] if mean else 0.0, sd, family == "HalfNormal")


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
    if prior.is_half == is_spread:
        return
    if is_spread:
        raise _error(
            f"{prior.target} is an SD over people, which is positive: {prior.text!r}",
            f"{prior.target} ~ HalfNormal(SCALE)",
        )
    raise _error(
        f"{prior.target} may be negative: {prior.text!r}",
        f"{prior.target} ~ Normal(MEAN, SD)",
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
        own = found[parameter.name]
        found[parameter.name] = (
            replace(own, spread=prior.sd)
            if is_spread
            else replace(own, mean=prior.mean, sd=prior.sd)
        )
    return tuple(found.values())


def _error(what: str, expected: str) -> UserError:
    return UserError(what, where="prior", expected=expected)
