"""Does sulpiride make beliefs about others more volatile in a trust game?

Mikus et al. 2023: 75 people, sulpiride or placebo (between people), a good and a bad trustee, 25 investments
each from 0 to 10. A two-level filter with a step size for each trustee; ratings are censored at their ends.

Prediction that could fail: the drug's main effect on omega2, the log variance of the belief's steps, is positive.

Reference: Mikus et al. 2023, Nat Commun 14:4049

Time: five minutes on two idle cores; a minute or two with --smoke
"""

from typing import Any

from pcmodel.behaviour.studies.fit import WorkflowResults
from pcmodel.report import Report

from ._published import (
    Config,
    Summary,
    describe_checks,
    effect_draws,
    fit_published,
    fit_report,
    judge_effect,
    keep_nothing,
)

FORMULAS = (
    "omega2 ~ drug + trustee + (1 | participant)",
    "rating_bias ~ trustee + drug + (trustee || participant)",
    # The same for all: a person with a negative gain and a low first belief rates as one
    # with a positive gain and a high one does, and chains do not cross between the two.
    "mu2_0 ~ 1",
)
REFERENCE = "Mikus et al. 2023, Nat Commun 14:4049"


def run(
    config: Config, *, seed: int, progress: Any, open_store: Any = keep_nothing
) -> WorkflowResults:
    """Fit the two-level filter with a censored, stepped rating."""
    return fit_published(
        config,
        "mikus2023_trustgame_sulpiride",
        task="rating",
        model="hgf2",
        formulas=FORMULAS,
        columns=("outcome=backtransfer", "rating=investment"),
        series_by=("trustee",),
        scale=(0.0, 10.0),
        seed=seed,
        progress=progress,
        open_store=open_store,
    )


def analyse(config: Config, results: WorkflowResults) -> Summary:
    """The drug's effect on the step size of the belief."""
    verdict = judge_effect(
        "Sulpiride raises belief volatility",
        "main effect on omega2 above zero (published; the genotype interaction is not required)",
        effect_draws(results, "omega2", 1),
        trusted=not results.complaints,
        checked=describe_checks(results.diagnostics),
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
