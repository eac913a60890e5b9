"""Generated formulas over generated tables: right, refused in a sentence, or wrong in silence.

Each formula is given to the formula library itself, on the table as it is. Right: the same columns by
the same names, those of numbers shifted to the average person; the fitted values and slopes of a plain
least squares the same. Terms that the library would misname are computed by hand. A formula that the
library cannot build, or builds as something else than it says, must be refused. Run as a program for the
counts, of all formulas and of those with terms of several columns:

    python -m tests.behaviour.hierarchy.formula_battery 2000 0
"""

import argparse
import io
import re
import warnings
from collections import Counter
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas
from formulae.environment import Environment
from formulae.matrices import DesignMatrices
from formulae.model_description import model_description
from formulae.terms import Model

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.errors import UserError
from tests.behaviour.gaussian import GaussianModel, make_series

REFERENCES = ("placebo", "control", "baseline", "sham", "none")
# Name, as written in a formula, of each term; what must be refused whatever the library makes of it.
GOOD = (
    "drug", "group", "site", "sex", "age", "dose", "ill", "score", "mg",
    "C(mg)", "C(mg, Treatment(10))", "T(mg, 20)", "C(mg, Sum)",
    "C(group, Sum)", "C(site, Sum)", "S(site)", "C(drug, Treatment('halo'))",
    "T(sex, 'm')", "T(drug, \"ldopa\")", "C(half)", "C(site)",
    "I(age**2)", "{age**2}", "I(age * 2)", "I(age > 30)", "I(dose / 10)", "I(2 * age + dose)",
    "poly(age, 2)", "poly(age, 3)", "poly(dose, 2, raw=True)", "poly(score, degree=2)",
    "np.log(age)", "np.exp(dose / 10)", "np.exp(dose)", "np.sqrt(age)", "np.log(score)",
    "np.log(mg)", "np.log1p(mg)", "np.abs(score)", "np.power(age, 2)",
    "center(age)", "scale(age)", "standardize(dose)", "bs(age, df=4)", "binary(sex, 'm')",
    "`two words`", "age:dose", "drug:age", "drug*age", "group*drug", "ill*dose", "(age + dose)**2",
    "(drug + group + age)**2", "site/age", "drug/dose", "drug:dose", "group:np.log(age)", "C(mg):age",
    "C(group, Sum):age", "C(group, Sum)*C(sex, Sum)", "I(age - 30)", "age + I(age**2)",
    "drug - drug", "age - 1", "0 + drug", "-1 + age", "1 + age", "group*sex*drug",
    "poly(age, 2)*sex", "poly(dose, 2):group", "poly(age, 2, raw=True)*dose", "poly(dose, 2)*poly(score, 2)",
    "sex/poly(dose, 2)", "(poly(dose, 2) + sex + ill)**2", "C(ill)*poly(dose, 3)", "drug:poly(score, 2)",
    "cr(dose, df=3)", "tp(dose, df=3)", "cc(dose, df=3)", "bs(dose, df=3, degree=2)", "poly(age, 1)*ill",
    "I(dose**2)*sex", "np.log(age):group:sex", "age*sex - age:sex", "np.minimum(age, 40)*ill",
    "(age*ill)**2", "age:drug + drug:age", "ill*age:ill",
)  # fmt: skip
REFUSED = (
    "age % group", "age**2", "dose**3", "age*age", "age:age", "offset(age)", "age + 2", "age*2", "2*age",
    "drug['placebo']", "drug[halo]", "age ~ drug", "age > 30", "ages", "log(age)", "np.lg(age)",
    "(age", "age)", "age +* dose", "age ^ 2", "age // 2", "drug & sex", "I(age % 2)", "age $ dose",
    "const", "clabel", "hole", "np.log(hole)", "Sum", "True", "'drug'", "T(sex, 'x')", "poly(age)2",
    "I(const)", "np.random", "np.mean(age)", "proportion(ill, mg)", "-age", "I(age*1e3)", "a = age",
    "I(-age**2)", "I(2**2**score)", "I(3 > dose > age)", "np.exp(-score**2)", "age - const", "I(age - np.mean(age))",
    "np.cumsum(age)", "np.diff(age)", "np.random.permutation(age)", "np.add.accumulate(age)", "np.log(age, dose)",
    "np.log(age, out=dose)", "np.save('x', age)", "bs(age, df=4)*sex", "cr(dose, df=3):age", "center(poly(age, 2))",
    "I(poly(age, 2) * dose)", "age*1", "age:1", "(1 + age)*dose", "_x", "participant", "np.log(participant)",
    "I(drug > 'halo')", "I(sex == 'x')", "I(age == '30')", "np.log(sex)", "I(age:dose)", "I(age = 3)", "age +",
    "T(sex, \"m'n\")", "poly(age, 0)", "I(7)",
)  # fmt: skip
# Term, the name it must have, and its column, computed by hand.
BY_HAND = {
    "I((age-30)**2)": ("I((age - 30) ** 2)", lambda t: (t["age"] - 30) ** 2),
    "I(age - 30**2)": ("I(age - 30 ** 2)", lambda t: t["age"] - 900),
    "I(-(score**2))": ("I(-(score ** 2))", lambda t: -(t["score"] ** 2)),
    "I((-score)**3)": ("I((-score) ** 3)", lambda t: -(t["score"] ** 3)),
    "I((2**3)**score)": ("I((2 ** 3) ** score)", lambda t: 8.0 ** t["score"]),
    "I(2**(score**2))": ("I(2 ** (score ** 2))", lambda t: 2.0 ** (t["score"] ** 2)),
    "I(dose-(age-dose))": ("I(dose - (age - dose))", lambda t: 2 * t["dose"] - t["age"]),
    "I((age>40) + (dose>9))": (
        "I((age > 40) + (dose > 9))", lambda t: 1.0 * (t["age"] > 40) + (t["dose"] > 9)),
    "I((dose>9) * (sex=='m'))": (
        "I((dose > 9) * (sex == 'm'))", lambda t: 1.0 * ((t["dose"] > 9) & (t["sex"] == "m"))),
    "np.maximum(dose,10)": ("np.maximum(dose, 10)", lambda t: np.maximum(t["dose"], 10)),
    "np.log(`two words`)": ("np.log(`two words`)", lambda t: np.log(t["two words"])),
    "I(np.log(age)*dose)": ("I(np.log(age) * dose)", lambda t: np.log(t["age"]) * t["dose"]),
}  # fmt: skip
VARYING = (
    None, None, None, "(1 | participant)", "(0 | participant)", "(drug | participant)", "(dose || participant)",
    "(dose | participant)", "(0 + drug | participant)", "(0 + dose | participant)", "(I(dose**2) | participant)",
    "(C(mg) | participant)", "(drug + dose | participant)", "(np.exp(dose / 10) | participant)",
    "(np.log(mg) | participant)", "(np.log(dose) | participant)", "(poly(dose, 2) | participant)",
    "(poly(dose, 2)*drug | participant)", "(poly(dose, 2):sex || participant)", "(0 + poly(dose, 2) | participant)",
)  # fmt: skip
BAD_VARYING = (
    "(age | participant)", "(dose**2 | participant)", "(dose % drug | participant)", "(1 | site)", "| participant",
    "(hole | participant)", "(drug | participant) + (dose | participant)", "(dose | participant | site)",
)  # fmt: skip
# The library copies what it finds functions in, and cannot copy a module.
UFUNCS = {
    name: getattr(np, name)
    for name in np.__all__
    if isinstance(getattr(np, name), np.ufunc)
}
NUMPY = Environment([{"np": SimpleNamespace(**UFUNCS)}])
WITH_INTERCEPT = ("age - 1", "0 + drug", "-1 + age", "1 + age")
KINDS = ("right", "refused rightly", "refused wrongly", "silently wrong", "raw error")


class Case(NamedTuple):
    """A formula on a table, and whether it has to be refused whatever the library says."""

    built: str  # what the library builds of the common part
    by_hand: tuple[str, ...]  # and what follows it
    varying: str | None
    refuse: bool
    table: dict[str, np.ndarray]
    people: np.ndarray

    @property
    def formula(self):
        parts = [self.built, *self.by_hand, self.varying]
        return "level ~ " + " + ".join(part for part in parts if part is not None)

    @property
    def has_several(self):
        """Whether a term of several columns meets another term."""
        return (
            re.search(r"poly\([^)]*\) ?[*:/)+]|[*:/+(] ?poly", self.formula) is not None
        )


def make_table(rng):
    """A few people with a session or more each; traits between them, conditions within."""
    num_people = int(rng.integers(4, 24))
    people = np.repeat(np.arange(num_people), rng.integers(1, 5, num_people))
    size = len(people)
    own = lambda values: np.asarray(values)[people]  # noqa: E731
    choose = lambda labels, n: rng.choice(labels, n)  # noqa: E731
    integers = rng.random() < 0.5
    table = {
        "drug": choose(["placebo", "halo", "ldopa"], size),
        "group": own(choose(["control", "patient"], num_people)),
        "site": own(choose(["a", "b", "c"], num_people)),
        "sex": own(choose(["f", "m"], num_people)),
        "age": own(rng.integers(18, 70, num_people).astype(float)),
        "dose": rng.integers(0, 30, size).astype(float)
        if integers
        else rng.uniform(0, 30, size),
        "mg": rng.choice([0.0, 10.0, 20.0], size),
        "half": rng.choice([0.0, 0.5, 1.0], size),
        "ill": own(rng.integers(0, 2, num_people).astype(float)),
        "score": own(rng.normal(size=num_people)),
        "two words": own(rng.normal(50, 5, num_people)),
        "const": np.full(size, 3.0),
        "clabel": np.full(size, "one"),
        "hole": np.where(np.arange(size) == size - 1, np.nan, rng.normal(size=size)),
    }
    return table, people


def make_bad_case(rng):
    """One thing to be refused beside a term that is not."""
    table, people = make_table(rng)
    terms, varying = [str(rng.choice(["drug", "dose", "dose + I(dose**2)"]))], None
    if rng.random() < 0.1:
        varying = str(rng.choice(BAD_VARYING))
    else:
        terms.insert(int(rng.integers(2)), str(rng.choice(REFUSED)))
    return Case(" + ".join(terms), (), varying, True, table, people)


def make_case(rng):
    if rng.random() < 0.25:
        return make_bad_case(rng)
    table, people = make_table(rng)
    terms = list(rng.choice(GOOD, int(rng.integers(1, 4)), replace=False))
    varying = VARYING[int(rng.integers(len(VARYING)))]
    # Of two such, one says that there is an intercept and the other that there is none.
    says = sum(term in WITH_INTERCEPT for term in terms) > 1
    size = int(rng.choice([0, 0, 0, 1, 2]))
    by_hand = tuple(map(str, rng.choice(list(BY_HAND), size, replace=False)))
    return Case(" + ".join(terms), by_hand, varying, says, table, people)


def in_library(side, table):
    """Names, columns and which of them hold numbers; None where the library refuses or is not finite."""
    frame = {}
    for name, values in table.items():
        if values.dtype.kind == "f":
            frame[name] = values
        else:
            labels = sorted(set(values), key=lambda v: (v not in REFERENCES, v))
            frame[name] = pandas.Categorical(values, labels, ordered=True)
    try:
        with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            model = once(model_description(side))
            built = DesignMatrices(model, pandas.DataFrame(frame), NUMPY).common
    except Exception:
        return None
    if built is None or 1 in _levels(built):
        return None
    names, columns, numeric = [], [], []
    for term in built.terms.values():
        own = np.asarray(term.data, float).reshape(len(built.design_matrix), -1)
        kinds = [part.kind for part in getattr(term, "components", ())]
        names += [label.replace(".0]", "]") for label in term.labels]
        columns += list(own.T)
        numeric += ["numeric" in kinds] * own.shape[1]
    columns = np.stack(columns, axis=1)
    return (names, columns, numeric) if np.isfinite(columns).all() else None


def once(model):
    """The terms of a side, where a:b is b:a."""
    found = {}
    for term in model.common_terms:
        parts = getattr(term, "components", (term,))
        found.setdefault(frozenset(part.name for part in parts), term)
    return Model(*found.values())


def _levels(built):
    """How many levels each label has; of one with one level nothing can be said."""
    for term in built.terms.values():
        for part in getattr(term, "components", ()):
            if part.kind == "categoric":
                yield len(part.levels)


def is_full(columns):
    sizes = np.linalg.norm(columns, axis=0)
    return np.linalg.matrix_rank(columns / np.where(sizes > 0, sizes, 1.0)) == len(
        sizes
    )


def raw(side, by_hand, table):
    """Names, columns, and which hold numbers, of the library and by hand; None as above."""
    found = in_library(side, table)
    same = [name for name, values in table.items() if len(set(values)) == 1]
    if found is None or any(name in term for name in same for term in by_hand):
        return None
    names, columns, numeric = found
    more = [BY_HAND[term] for term in by_hand]
    columns = np.column_stack([columns, *(column(table) for _, column in more)])
    names = [*names, *(name for name, _ in more)]
    return names, columns, [*numeric, *(True for _ in more)]


def expected(side, case, by_hand=()):
    """What the library builds, centred on the average person; None where it has to be refused."""
    if side == "1":
        return ["Intercept"], np.ones((len(case.people), 1))
    found = raw(side, by_hand, case.table)
    if found is None:
        return None
    names, columns, numeric = found
    if "Intercept" in names:
        for j, values in enumerate(columns.T):
            if numeric[j] and not set(values) <= {0.0, 1.0}:
                means = [values[case.people == who].mean() for who in set(case.people)]
                columns[:, j] = values - np.mean(means)
                if np.ptp(values) <= 1e-12 * np.abs(values).max():
                    return None
    return (names, columns) if is_full(columns) else None


def varying_side(case):
    """The effects before the bar, "" where there are none."""
    if case.varying is None:
        return ""
    side = case.varying.split("|")[0].strip("( )") if case.varying[0] == "(" else ""
    side = case.varying[1:].split("|")[0].strip() if case.varying[0] == "(" else side
    return "" if side == "0" else side


def is_constant_within(columns, people):
    first = columns[np.unique(people, return_index=True)[1]][people]
    return (columns == first).all(axis=0)


def expectations(case):
    """Of the common and the varying part; None where the formula has to be refused."""
    if case.refuse:
        return None
    common = expected(case.built, case, case.by_hand)
    if common is None or "Intercept" not in common[0]:
        return None
    side = varying_side(case)
    if not side:
        return common, None
    varying = expected(side, case)
    if varying is None:
        return None
    same = is_constant_within(varying[1], case.people)
    if "Intercept" in varying[0] and same.sum() > 1:
        return None
    return common, varying


def same_columns(names, columns, wanted):
    """Names count where the library has as many as columns; of `a / b` it has more."""
    if columns.shape != wanted[1].shape:
        return False
    if len(wanted[0]) == len(columns.T) and list(names) != list(wanted[0]):
        return False
    size = np.maximum(np.abs(wanted[1]).max(axis=0), 1e-300)
    return bool(np.all(np.abs(columns - wanted[1]) <= 1e-9 * size))


def same_regression(case, columns, rng):
    """Plain least squares on the table as it is: the same slopes and fitted values."""
    names, plainly, _ = raw(case.built, case.by_hand, case.table)
    y = rng.normal(size=len(plainly))
    scale = np.linalg.norm(plainly, axis=0)
    if np.linalg.cond(plainly / scale) > 1e6:
        return True
    plain = np.linalg.lstsq(plainly / scale, y, rcond=None)[0] / scale
    own = np.linalg.norm(columns, axis=0)
    ours = np.linalg.lstsq(columns / own, y, rcond=None)[0] / own
    slopes = np.arange(len(ours)) != names.index("Intercept")
    return np.allclose(columns @ ours, plainly @ plain, atol=1e-6) and np.allclose(
        ours[slopes] * scale[slopes],
        plain[slopes] * scale[slopes],
        rtol=1e-4,
        atol=1e-5,
    )


def judge(case, rng):
    """What came of one case, and of what was said."""
    wanted = expectations(case)
    series = make_series(
        np.zeros((len(case.people), 2)), people=case.people, **case.table
    )
    try:
        design = (
            build_hierarchy(GaussianModel(), series, formulas=[case.formula])
            .terms[0]
            .design
        )
    except UserError as error:
        return ("refused rightly" if wanted is None else "refused wrongly"), str(error)
    except Exception as error:
        return "raw error", f"{type(error).__name__}: {error}"
    if wanted is None:
        return "silently wrong", f"taken for {design.common_names}"
    common, varying = wanted
    right = same_columns(design.common_names, design.common, common)
    right = right and (
        common[0] == ["Intercept"] or same_regression(case, design.common, rng)
    )
    if varying is not None:
        right = right and same_columns(design.varying_names, design.varying, varying)
    return ("right" if right else "silently wrong"), f"taken for {design.common_names}"


def run(num_cases, seed):
    """Counts by kind, of several columns too, and every case that is neither right nor refused rightly."""
    rng = np.random.default_rng(seed)
    counts, faults = Counter(dict.fromkeys(KINDS, 0)), []
    for _ in range(num_cases):
        case = make_case(rng)
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            kind, said = judge(case, rng)
        counts[kind] += 1
        counts[f"{kind}, several columns"] += case.has_several
        if kind not in ("right", "refused rightly"):
            faults.append((kind, case.formula, said))
    return counts, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=int, nargs="?", default=500)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--show", type=int, default=10, help="faults to print")
    options = parser.parse_args()
    counts, faults = run(options.cases, options.seed)
    for kind in KINDS:
        several = counts[f"{kind}, several columns"]
        print(f"{kind:16s} {counts[kind]:6d}   of several columns {several:6d}")
    for kind, formula, said in faults[: options.show]:
        print(f"  {kind}: {formula}\n    {said}")


if __name__ == "__main__":
    main()
