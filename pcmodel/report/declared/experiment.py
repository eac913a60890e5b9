"""An experiment as a declaration, from which its run, analysis, figures and page follow.

`experiments/README.md` says how one is written.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import jax

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import read_text
from pcmodel.report.content import Report, Table, Verdict
from pcmodel.report.declared.asking import asked, call, declared_fields
from pcmodel.report.declared.claims import (
    Claim,
    Examined,
    examine,
    verdict,
)
from pcmodel.report.declared.page import parse_page
from pcmodel.report.declared.sensitivity import sensitivity
from pcmodel.report.declared.writing import check_page, write_report

ARGUMENTS = ("config", "results", "summary")
"""Possible arguments of figures, tables and words."""
RESERVED = (*ARGUMENTS, "tables", "sensitivity")

Words = str | Sequence[str] | Callable[..., str | Sequence[str]]


class Verdicts(NamedTuple):
    """The summary of an experiment that declares none.

    verdicts: on its claims.
    """

    verdicts: tuple[Verdict, ...]


@checked_arguments
@dataclass(frozen=True)
class Experiment:
    """A declaration.

    config: the dataclass of its options.
    simulate: `simulate(config, *, seed, progress)`, which returns a named tuple of arrays.  With simulated
        claims that tuple has a field `tested: Examined = NOT_EXAMINED`, and `simulate` has a return annotation.
    claims: see `Claim`.
    summarise: a function of config and results to a named tuple with a field `verdicts`, () by default;
        the content of result.json.
    figures: functions that draw a matplotlib figure, by the names used on the page.
    tables: functions that return a `Table`, by the names used on the page.
    words: texts, or functions that return them, by the names of their placeholders.
    page: the name of a file beside the experiment, see `pcmodel.report.declared.page`.
    float64: always compute in double precision, whatever the command line says.

    Functions are called with those of config, results and summary that are their arguments.
    Raises UserError for parts that do not fit together, when it is declared or, on its page, when it is loaded.
    """

    config: Callable[..., Any]
    simulate: Callable[..., Any]
    _: KW_ONLY
    claims: Sequence[Claim] = ()
    summarise: Callable[..., Any] | None = None
    figures: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    tables: Mapping[str, Callable[..., Table]] = field(default_factory=dict)
    words: Mapping[str, Words] = field(default_factory=dict)
    page: str = ""
    float64: bool = False

    def __post_init__(self):
        names = [claim.name for claim in self.claims]
        for name in names:  # their numbers are stored by name
            if (number := names.count(name)) > 1:
                raise UserError(f"is the name of {number} claims", where=repr(name))
        given = {f"figure {n!r}": f for n, f in self.figures.items()}
        given |= {f"table {n!r}": f for n, f in self.tables.items()}
        given |= {f"word {n!r}": f for n, f in self.words.items() if callable(f)}
        for where, function in given.items():
            asked(function, ARGUMENTS, where=where)
        for name in RESERVED:
            if name in self.words:
                raise UserError("is taken; name it otherwise", where=f"word {name!r}")
        if self.summarise is not None:
            asked(self.summarise, ("config", "results"), where="summarise")
            _check_field(self.summarise, "verdicts", "summarise")
        if self._simulated:
            _check_field(self.simulate, "tested", "simulate")

    def parts(self, *, question: str, folder: Path) -> dict[str, Any]:
        """The functions of the experiment, by name.

        question: what it asks.
        folder: where `page` is read.
        """
        return {
            "config": self.config,
            "run": self._run(),
            "analyse": self._analyse,
            "plot": self._plot if self.figures else None,
            "report": self._reporter(folder, question) if self.page else None,
        }

    @property
    def _simulated(self) -> list[Claim]:
        return [claim for claim in self.claims if claim.is_simulated]

    def _run(self) -> Callable[..., Any]:
        @wraps(self.simulate)  # callers inspect its keyword arguments
        def run(config: Any, *, seed: int, progress: Any, **others: Any) -> Any:
            with jax.enable_x64(True) if self.float64 else nullcontext():
                options = {"seed": seed, "progress": progress, **others}
                results = self.simulate(config, **options)
                if not self._simulated:
                    return results
                values = {"config": config, "seed": seed}
                name = "claims, and what overturns them"
                tested = {
                    claim.name: examine(claim, values)
                    for claim in progress.track(self._simulated, name)
                }
                return results._replace(tested=tested)

        return run

    def _examined(self, config: Any, results: Any, summary: Any) -> Examined:
        """The stored numbers of simulated claims, and those measured from the results."""
        values = {"config": config, "results": results, "summary": summary}
        return {
            claim.name: results.tested[claim.name]
            if claim.is_simulated
            else examine(claim, values)
            for claim in self.claims
        }

    def _analyse(self, config: Any, results: Any) -> Any:
        values = {"config": config, "results": results}
        summary = call(self.summarise, values) if self.summarise else Verdicts(())
        examined = self._examined(config, results, summary)
        return summary._replace(
            verdicts=tuple(
                verdict(claim, examined[claim.name].as_set, config)
                for claim in self.claims
            )
        )

    def _plot(self, config: Any, results: Any, summary: Any) -> dict[str, Any]:
        values = {"config": config, "results": results, "summary": summary}
        return {name: call(draw, values) for name, draw in self.figures.items()}

    def _reporter(self, folder: Path, question: str) -> Callable[..., Report]:
        page = parse_page(read_text(folder / self.page), where=self.page)
        check_page(
            page,
            where=self.page,
            figures=self.figures,
            tables=self.tables,
            words=self.words,
            fields={
                "config": [
                    *dir(self.config),
                    *getattr(self.config, "__dataclass_fields__", ()),
                ],
                "results": declared_fields(self.simulate),
                "summary": declared_fields(self.summarise) or Verdicts._fields,
            },
        )

        def report(config: Any, results: Any, summary: Any) -> Report:
            values = {"config": config, "results": results, "summary": summary}
            words = {
                name: call(each, values) if callable(each) else each
                for name, each in self.words.items()
            }
            examined = self._examined(config, results, summary)
            return write_report(
                page,
                where=self.page,
                question=question,
                verdicts=summary.verdicts,
                values={**values, **words},
                tables={name: call(each, values) for name, each in self.tables.items()},
                overturned=sensitivity(self.claims, examined),
            )

        return report


def _check_field(function: Callable[..., Any], name: str, where: str) -> None:
    """Raise UserError unless a function's return annotation is a named tuple with this field."""
    known = declared_fields(function)
    if known is None or name not in known:
        raise UserError(
            f"does not say that it returns a named tuple with a field {name!r}",
            where=where,
            expected=f"'-> Results', and in that class '{name}' with a default",
        )
