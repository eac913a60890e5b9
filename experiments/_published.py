"""Published data sets: where they lie, and how a claim about a fitted effect is judged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pcmodel.behaviour.studies.fit import Plan, WorkflowResults, digest, run_workflow
from pcmodel.errors import UserError
from pcmodel.report import Report, Section, Table, Verdict

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "behaviour"


def data_file(given: str, folder: str, name: str = "trials.csv") -> Path:
    """The file in the folder that was given, or beside the repository."""
    path = (Path(given) if given else SHARED / folder) / name
    if not path.exists():
        raise UserError(
            f"there is no {name}",
            where=str(path.parent),
            expected=f"the data set {folder}; name its folder with --data",
        )
    return path


@dataclass(frozen=True)
class Config:
    """`data` is the folder of the data set; empty: beside the repository."""

    data: str = ""
    warmup: int = 400
    samples: int = 1500
    chains: int = 4
    depth: int = 8
    accept: float = 0.9

    def __post_init__(self) -> None:
        if min(self.warmup, self.chains, self.depth) < 1 or self.samples < 50:
            raise UserError("sizes must be 1 or more, and samples 50 or more")
        if not 0.5 <= self.accept < 1.0:
            raise UserError(
                f"cannot be {self.accept}",
                where="accept",
                expected="0.5 or more, and less than 1",
            )

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(warmup=5, samples=50, chains=2, depth=2)


class Summary(NamedTuple):
    """What result.json holds."""

    verdicts: tuple[Verdict, ...]


def keep_nothing(name: str) -> dict[int, Any]:
    """The `open_store` of one who calls an experiment from Python and waits for its end."""
    return {}


def fit_published(
    config: Config,
    folder: str,
    *,
    seed: int,
    progress: Any,
    open_store: Any,
    **plan: Any,
) -> WorkflowResults:
    """Fit a data set by NUTS; `plan` says what (see `Plan`).

    Chunks are kept by `open_store` (see `run_workflow`) under the model and the data's content.
    """
    file = data_file(config.data, folder)
    version = digest(file)
    whole = Plan(
        data=str(file),
        data_sha256=version,
        num_warmup=config.warmup,
        num_samples=config.samples,
        num_chains=config.chains,
        max_tree_depth=config.depth,
        target_accept=config.accept,
        **plan,
    )
    return run_workflow(
        whole,
        seed=seed,
        progress=progress,
        open_store=lambda name: open_store(f"{name}-{version[:8]}"),
    )


def judge_effect(
    name: str,
    prediction: str,
    draws: np.ndarray,
    *,
    trusted: bool = True,
    checked: str = "",
) -> Verdict:
    """Whether an effect is above zero: its 95 % interval decides.

    `checked` says how the fit's diagnostics stand. An untrusted fit decides nothing.
    """
    low, high = np.quantile(draws, (0.025, 0.975))
    outcome = "holds" if low > 0.0 else "fails" if high < 0.0 else "inconclusive"
    said = f"{draws.mean():.2f} (95 % {low:.2f} to {high:.2f})"
    if checked:
        said += f"; {checked}"
    if not trusted:
        outcome, said = "inconclusive", said + "; the fit cannot be trusted"
    return Verdict(name, prediction, said, outcome, "predicted")


def describe_checks(found: Any) -> str:
    """A sampled fit's diagnostics in a line."""
    return (
        f"R-hat {found.rhat:.3f} (participants {found.people_rhat:.3f}), "
        f"effective draws {found.ess:.0f}, {found.num_divergent} of {found.num_draws} "
        f"divergent, {found.deepest_share:.1%} at the depth limit"
    )


def judge_difference(
    name: str, prediction: str, observed: str, difference: float, error: float
) -> Verdict:
    """Whether a difference of means is above zero: two standard errors decide."""
    clear = abs(difference) > 2.0 * error
    outcome = "inconclusive" if not clear else "holds" if difference > 0.0 else "fails"
    return Verdict(name, prediction, observed, outcome, "predicted")


def fit_report(
    *,
    title: str,
    question: str,
    answer: str,
    results: WorkflowResults,
    verdicts: tuple[Verdict, ...],
    limitations: tuple[str, ...],
    references: tuple[str, ...],
) -> Report:
    """A page with every effect, what the data say about it, and the fit's checks."""
    rows = [
        (e.name, e.mean, f"{e.low:.2f} to {e.high:.2f}", f"{e.contraction:.2f}", v.word)
        for e, v in zip(results.effects, results.verdicts, strict=True)
    ]
    checks = [
        (c.name, c.observed, f"{c.low:.3g} to {c.high:.3g}")
        for c in results.posterior_checks
    ]
    complaints = "; ".join(results.complaints)
    return Report(
        title=title,
        question=question,
        answer=answer,
        verdicts=verdicts,
        sections=(
            Section(
                "Estimates",
                (
                    *(
                        (f"**Do not trust these numbers:** {complaints}.",)
                        if complaints
                        else ()
                    ),
                    results.varies,
                ),
                tables=(
                    Table(("Effect", "Mean", "95 %", "Contraction", "Verdict"), rows),
                    Table(
                        ("Posterior predictive check", "Observed", "90 % replicated"),
                        checks,
                    ),
                ),
            ),
        ),
        limitations=(
            "A dopamine drug: nothing here bears on psychedelics.",
            *results.notes,
            *limitations,
        ),
        references=references,
    )


def effect_draws(results: WorkflowResults, parameter: str, column: int) -> np.ndarray:
    """Draws of one common effect."""
    return results.posterior[parameter][..., column].ravel()
