"""Does haloperidol make attributions of harmful intent more flexible?

Barnby et al. 2024: 28 people under placebo, haloperidol and levodopa (within people), 18 ratings of harmful
intent in each. A two-level filter with correlated effects of the drug that vary over people.

Prediction that could fail: haloperidol raises omega2, the log variance of the belief's steps.

Reference: Barnby et al. 2024, Nat Ment Health 2:562

Time: a quarter of an hour on two idle cores; a minute or two with --smoke
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from pcmodel.behaviour.workflow import Plan, WorkflowResults, run_workflow
from pcmodel.errors import UserError
from pcmodel.report import Report, Verdict

from ._published import data_file, effect_draws, fit_report, judge_effect

FORMULAS = (
    "omega2 ~ drug + (drug | participant)",
    "rating_bias ~ drug + (1 | participant)",
)
REFERENCE = "Barnby et al. 2024, Nat Ment Health 2:562"


@dataclass(frozen=True)
class Config:
    """`data` is the folder of the data set; empty: beside the repository."""

    data: str = ""
    warmup: int = 500
    samples: int = 500
    chains: int = 4
    depth: int = 8

    def __post_init__(self) -> None:
        if min(self.warmup, self.chains, self.depth) < 1 or self.samples < 50:
            raise UserError("sizes must be 1 or more, and samples 50 or more")

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(warmup=5, samples=50, chains=2, depth=2)


class Summary(NamedTuple):
    """What result.json holds."""

    verdicts: tuple[Verdict, ...]


def run(config: Config, *, seed: int, progress: Any) -> WorkflowResults:
    """Fit the two-level filter with a censored, stepped rating."""
    plan = Plan(
        data=str(data_file(config.data, "barnby2024_attribution_haloperidol")),
        task="rating",
        model="hgf2",
        formulas=FORMULAS,
        columns=("outcome=partner_return", "rating=harmful_intent"),
        scale=(0.0, 100.0),
        after_outcome=True,
        num_warmup=config.warmup,
        num_samples=config.samples,
        num_chains=config.chains,
        max_tree_depth=config.depth,
    )
    return run_workflow(plan, seed=seed, progress=progress)


def analyse(config: Config, results: WorkflowResults) -> Summary:
    """The drug's effect on the step size of the belief."""
    verdict = judge_effect(
        "Haloperidol makes beliefs about intent more flexible",
        "effect on omega2 above zero",
        effect_draws(results, "omega2", 1),
        trusted=not results.complaints,
    )
    return Summary((verdict,))


def report(config: Config, results: WorkflowResults, summary: Summary) -> Report:
    """The page."""
    return fit_report(
        title="Haloperidol and attributed intent",
        question="Does haloperidol make attributions of harmful intent more flexible?",
        answer=f"Haloperidol minus placebo: {summary.verdicts[0].observed} in log variance of a step.",
        results=results,
        verdicts=summary.verdicts,
        limitations=(
            "Beliefs may be reset when the partner changes (trials 7 and 13); here they are carried on.",
        ),
        references=(REFERENCE,),
    )
