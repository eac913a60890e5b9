"""Does sulpiride make beliefs about others more volatile in a trust game?

Mikus et al. 2023: 75 people, sulpiride or placebo (between people), a good and a bad trustee, 25 investments
each from 0 to 10. A two-level filter with a step size for each trustee; ratings are censored at their ends.

Prediction that could fail: the drug's main effect on omega2, the log variance of the belief's steps, is positive.

Reference: Mikus et al. 2023, Nat Commun 14:4049

Time: five minutes on two idle cores; a minute or two with --smoke
"""

from ._published import drug_experiment

EXPERIMENT = drug_experiment(
    "mikus2023_trustgame_sulpiride",
    effect="omega2[drug[sulpiride]]",
    claim="Sulpiride raises belief volatility",
    prediction="main effect on omega2 above zero (published; the genotype interaction is not required)",
    words={
        "title": "Sulpiride in a trust game",
        "drug": "Sulpiride",
        "limitation": "The authors fit an ordered logit with free cutpoints; here they are evenly spaced.",
        "reference": "Mikus et al. 2023, Nat Commun 14:4049",
    },
    plan={
        "formulas": (
            "omega2 ~ drug + trustee + (1 | participant)",
            "rating_bias ~ trustee + drug + (trustee || participant)",
            # The same for all: a person with a negative gain and a low first belief rates as one
            # with a positive gain and a high one does, and chains do not cross between the two.
            "mu2_0 ~ 1",
        ),
        "columns": ("outcome=backtransfer", "rating=investment"),
        "series_by": ("trustee",),
        "scale": (0.0, 10.0),
    },
)
