"""Published data sets: where they lie, what is claimed of a fitted effect, and a drug's effect in one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pcmodel.behaviour.studies.fit import Plan, WorkflowResults, digest, run_workflow
from pcmodel.errors import UserError
from pcmodel.report import Claim, Experiment, Table

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_file(
    given: str, folder: str, name: str = "trials.csv", *, shelf: str = "behaviour"
) -> Path:
    """The file in the folder that was given, or beside the repository on its shelf."""
    path = (Path(given) if given else SHARED / shelf / folder) / name
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


class FittedEffect(NamedTuple):
    """Mean and 95 % interval of an effect; is_trusted: the fit's diagnostics complain of nothing."""

    mean: float
    low: float
    high: float
    is_trusted: bool


def is_above_zero(found: Any) -> bool | None:
    """Its 95 % interval decides; an untrusted fit decides nothing."""
    if not found.is_trusted or found.low <= 0.0 <= found.high:
        return None
    return found.low > 0.0


def effect_in_words(found: Any, checked: str) -> str:
    """The effect; `checked` says how the fit's diagnostics stand."""
    said = f"{found.mean:.2f} (95 % {found.low:.2f} to {found.high:.2f}); {checked}"
    return said if found.is_trusted else said + "; the fit cannot be trusted"


class SampledEffect(NamedTuple):
    """A `FittedEffect` of NUTS with the `Diagnostics` of the fit."""

    mean: float
    low: float
    high: float
    is_trusted: bool
    rhat: float
    people_rhat: float
    ess: float
    num_divergent: int
    num_draws: int
    deepest_share: float


def sampled_effect(results: WorkflowResults, name: str) -> SampledEffect:
    """The effect of that name, "omega2[drug[sulpiride]]"."""
    effect = next(each for each in results.effects if each.name == name)
    fit: Any = results.diagnostics
    return SampledEffect(
        mean=effect.mean,
        low=effect.low,
        high=effect.high,
        is_trusted=not results.complaints,
        rhat=fit.rhat,
        people_rhat=fit.people_rhat,
        ess=fit.ess,
        num_divergent=fit.num_divergent,
        num_draws=fit.num_draws,
        deepest_share=fit.deepest_share,
    )


def sampled_in_words(found: SampledEffect) -> str:
    """The effect and the fit's diagnostics in a line."""
    checked = (
        f"R-hat {found.rhat:.3f} (participants {found.people_rhat:.3f}), effective draws {found.ess:.0f}, "
        f"{found.num_divergent:.0f} of {found.num_draws:.0f} divergent, {found.deepest_share:.1%} at the depth limit"
    )
    return effect_in_words(found, checked)


def keep_nothing(name: str) -> dict[int, Any]:
    """The `open_store` of one who calls an experiment from Python and waits for its end."""
    return {}


def fit(
    config: Config,
    *,
    folder: str,
    plan: Mapping[str, Any],
    seed: int,
    progress: Any,
    open_store: Any = keep_nothing,
) -> WorkflowResults:
    """Fit a two-level filter with a censored, stepped rating by NUTS; `plan` says the rest (see `Plan`).

    Chunks are kept by `open_store` (see `run_workflow`) under the model and the data's content.
    """
    file = data_file(config.data, folder)
    version = digest(file)
    whole = Plan(
        data=str(file),
        data_sha256=version,
        task="rating",
        model="hgf2",
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


def distrust(results: WorkflowResults) -> list[str]:
    """A paragraph where the fit cannot be trusted."""
    complaints = "; ".join(results.complaints)
    return [f"**Do not trust these numbers:** {complaints}."] if complaints else []


def notes(results: WorkflowResults) -> tuple[str, ...]:
    """What a reader has to know of this very fit."""
    return results.notes


def effects(results: WorkflowResults) -> Table:
    """Every effect, and what the data say about it."""
    rows = [
        (e.name, e.mean, f"{e.low:.2f} to {e.high:.2f}", f"{e.contraction:.2f}", v.word)
        for e, v in zip(results.effects, results.verdicts, strict=True)
    ]
    return Table(("Effect", "Mean", "95 %", "Contraction", "Verdict"), rows)


def checks(results: WorkflowResults) -> Table:
    """Whether replicated data look like the observed ones."""
    rows = [
        (c.name, c.observed, f"{c.low:.3g} to {c.high:.3g}")
        for c in results.posterior_checks
    ]
    return Table(("Posterior predictive check", "Observed", "90 % replicated"), rows)


def drug_experiment(
    folder: str,
    *,
    effect: str,
    claim: str,
    prediction: str,
    words: Mapping[str, str],
    plan: Mapping[str, Any],
) -> Experiment:
    """Whether a drug's effect in a published data set is above zero.

    effect: its name in the fit.  words: title, drug, limitation and reference of the page.
    """
    return Experiment(
        Config,
        partial(fit, folder=folder, plan=plan),
        claims=(
            Claim(
                name=claim,
                prediction=prediction,
                kind="predicted",
                measure=partial(sampled_effect, name=effect),
                holds=is_above_zero,
                observed=sampled_in_words,
            ),
        ),
        tables={"effects": effects, "checks": checks},
        words={**words, "distrust": distrust, "notes": notes},
        page="_published.md",
    )
