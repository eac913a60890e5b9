"""Does sulpiride make beliefs about others more volatile in a trust game?

Mikus et al. 2023: 75 people, sulpiride or placebo (between people), a good and a bad trustee, 25 investments
each from 0 to 10. A two-level filter with a step size for each trustee; ratings are censored at their ends.

Prediction that could fail: the drug's main effect on omega2, the log variance of the belief's steps, is positive.

Reference: Mikus et al. 2023, Nat Commun 14:4049

Time: half an hour on two idle cores; a minute or two with --smoke
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from pcmodel.behaviour.workflow import Plan, WorkflowResults, run_workflow
from pcmodel.errors import UserError
from pcmodel.report import Report, Verdict

from ._published import data_file, effect_draws, fit_report, judge_effect

FORMULAS = (
    "omega2 ~ drug + trustee + (1 | participant)",
    "rating_bias ~ trustee + drug + (1 | participant)",
    "mu2_0 ~ 1 + (1 | participant)",
)
REFERENCE = "Mikus et al. 2023, Nat Commun 14:4049"


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
        data=str(data_file(config.data, "mikus2023_trustgame_sulpiride")),
        task="rating",
        model="hgf2",
        formulas=FORMULAS,
        columns=("outcome=backtransfer", "rating=investment"),
        series_by=("trustee",),
        scale=(0.0, 10.0),
        num_warmup=config.warmup,
        num_samples=config.samples,
        num_chains=config.chains,
        max_tree_depth=config.depth,
    )
    return run_workflow(plan, seed=seed, progress=progress)


def analyse(config: Config, results: WorkflowResults) -> Summary:
    """The drug's effect on the step size of the belief."""
    verdict = judge_effect(
        "Sulpiride raises belief volatility",
        "main effect on omega2 above zero (published; the genotype interaction is not required)",
        effect_draws(results, "omega2", 1),
        trusted=not results.complaints,
    )
    return Summary((verdict,))


def report(config: Config, results: WorkflowResults, summary: Summary) -> Report:
    """The page."""
    return fit_report(
        title="Sulpiride in a trust game",
        question="Does sulpiride make beliefs about others more volatile in a trust game?",
        answer=f"Sulpiride minus placebo: {summary.verdicts[0].observed} in log variance of a step.",
        results=results,
        verdicts=summary.verdicts,
        limitations=(
            "The authors fit an ordered logit with free cutpoints; here they are evenly spaced.",
        ),
        references=(REFERENCE,),
    )
