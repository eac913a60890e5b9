"""The page of a comparison: whether the models are told apart, before which is best."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.cli.comparison.tables import model_rows, person_rows, scores_of
from pcmodel.report import Panel, Report, Section, Table, Verdict

SURE = 0.95
MOST_SHOWN = 100  # people in the page's table
WORDS = {
    "left_out_people": "people it has not seen",
    "leave_one_out": "responses it has not seen",
    "later_trials": "later trials from earlier ones",
}


class ComparisonSummary(NamedTuple):
    """Content of result.json.

    distinguished: whether the best model is told apart from all others by people left out.
    best: the model that predicts left-out people best.
    models: a line for each model, as in comparison.csv.
    verdicts: on predictions and on frequencies.
    """

    distinguished: bool
    best: str
    models: tuple[Any, ...]
    verdicts: tuple[Verdict, ...]


def analyse(plan: Any, results: Any) -> ComparisonSummary:
    """Whether models are told apart."""
    from pcmodel.behaviour.comparison.scores import are_told_apart

    scores = scores_of(results)
    doubt = any(results.complaints) or not results.trusted.all()
    verdicts = [_predicts(kind, found, results) for kind, found in scores.items()]
    verdicts.append(_frequent(results, doubt))
    people = scores["left_out_people"]
    rows = tuple({k: _plain(v) for k, v in row.items()} for row in model_rows(results))
    return ComparisonSummary(
        are_told_apart(people) and not doubt, people[0].model, rows, tuple(verdicts)
    )


def _plain(value: Any) -> Any:
    """A number as JSON can hold it; None for one that is not known."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def _predicts(kind: str, found: Any, results: Any) -> Verdict:
    """Whether the best model predicts better than the next."""
    from pcmodel.behaviour.comparison.scores import are_told_apart

    best, second = found[0], found[1]
    error = second.standard_error
    said = f"{-second.difference:.1f} nats better than {second.model}"
    said += f", standard error {error:.1f}" if np.isfinite(error) else ", one person"
    places = [results.models.index(s.model) for s in (best, second)]
    if kind == "leave_one_out":
        trusted = not results.num_untrusted[places].any()
    else:
        trusted = kind == "later_trials" or bool(results.trusted[:, places].all())
    trusted = trusted and not any(results.complaints[i] for i in places)
    holds = are_told_apart(found) and trusted
    return Verdict(
        f"{best.model} predicts {WORDS[kind]} best",
        "by more than two standard errors and 4 nats before every other",
        said if trusted else f"{said}; not trusted",
        "holds" if holds else "inconclusive",
        "predicted",
    )


def _frequent(results: Any, doubt: bool) -> Verdict:
    """Whether one model is the most frequent in the population."""
    found = results.frequencies
    best = int(np.argmax(found.protected_exceedance))
    chance = float(found.protected_exceedance[best])
    sure = chance > SURE and found.converged and not doubt
    return Verdict(
        f"{results.models[best]} is the most frequent model",
        f"protected exceedance probability above {SURE:g}",
        f"{chance:.2f}; omnibus risk {found.omnibus_risk:.2f}",
        "holds" if sure else "inconclusive",
        "predicted",
    )


def plot(plan: Any, results: Any, summary: ComparisonSummary) -> dict[str, Any]:
    """The pictures."""
    from pcmodel.cli.comparison.figures import draw_all

    return draw_all(results)


def report(plan: Any, results: Any, summary: ComparisonSummary) -> Report:
    """The page."""
    return Report(
        title=f"Comparison of {len(results.models)} models of the {plan.fits[0].task} task",
        question=f"Which of {', '.join(results.models)} predicts these people best?",
        answer=_answer(results, summary),
        verdicts=summary.verdicts,
        key_panel=Panel(
            "differences",
            "Log densities relative to the best model, with two standard errors over people.",
            "Differences of models in what they predict.",
        ),
        sections=(
            _models(plan, results),
            Section(
                "Frequencies in the population",
                (_frequencies_in_words(results),),
                (
                    Panel(
                        "frequencies",
                        "Expected share of people who follow each model, and the probability that it is the largest.",
                        "Frequencies of models.",
                    ),
                ),
            ),
            _people(results),
            Section(
                "Where in the task",
                ("Leave-one-out densities of the two best, by trial.",),
                (
                    Panel(
                        "pointwise",
                        "Mean over responses at each trial, and their sum from the first trial on.",
                        "Differences by trial.",
                    ),
                ),
            ),
        ),
        assumptions=(
            "Every person follows one of these models, throughout.",
            "A person left out has parameters from the population that the others are from.",
        ),
        limitations=(
            "The best of these models may still predict badly: see the posterior predictive checks of its own fit.",
            "Predicting best is no evidence for a mechanism beyond what the models differ in.",
        ),
        references=(
            "Stephan et al. 2009, NeuroImage 46:1004; Rigoux et al. 2014, NeuroImage 84:971 (frequencies).",
            "Yao et al. 2018, Bayesian Anal 13:917 (stacking, pseudo-BMA+).",
            "Merkle et al. 2019, Psychometrika 84:802 (people left out).",
        ),
        provenance={"Precision": "float64", "Trials": results.trials_sha256[:16]},
    )


def _answer(results: Any, summary: ComparisonSummary) -> str:
    people = scores_of(results)["left_out_people"]
    second = people[1]
    size = f"{len(results.people)} people, {len(results.trial)} responses."
    gap = f"{-second.difference:.1f} nats before {second.model}"
    error = second.standard_error
    gap += f" (standard error {error:.1f})" if np.isfinite(error) else ""
    doubt = _doubts(results)
    if summary.distinguished:
        return f"{size} **{summary.best} predicts left-out people best**, {gap}."
    told = (
        f"{size} **The models are not distinguished**: {summary.best} is best by {gap}."
    )
    return f"{told} {doubt}".strip()


def _doubts(results: Any) -> str:
    """What makes the numbers unreliable, in sentences."""
    names = [
        n for n, said in zip(results.models, results.complaints, strict=True) if said
    ]
    found = []
    if names:
        found.append(
            f"**The fits of {', '.join(names)} cannot be trusted** (see Models)."
        )
    count = int((~results.trusted.all(axis=1)).sum())
    if count:
        found.append(
            f"For {count} of {len(results.people)} people the left-out density is unreliable under some model."
        )
    return " ".join(found)


def _frequencies_in_words(results: Any) -> str:
    found, told = results.frequencies, results.selection
    risk = (
        f"By the published variational approximation the risk is {told.omnibus_risk:.2f} and the "
        f"protected exceedance of {results.models[int(np.argmax(told.protected_exceedance))]} "
        f"{told.protected_exceedance.max():.2f}; where the evidence of single persons is weak that "
        "approximation is too certain of frequencies and its risk too high."
    )
    return (
        f"From left-out densities of people. Probability that all models are equally frequent "
        f"(Bayes omnibus risk): {found.omnibus_risk:.2f}, by {found.effective_draws:.0f} effective draws. {risk}"
    )


def _models(plan: Any, results: Any) -> Section:
    rows = [
        (
            row["model"],
            row["left_out_people"],
            _gap(row, "left_out_people"),
            _gap(row, "leave_one_out"),
            _gap(row, "later_trials"),
            f"{row['protected_exceedance']:.2f}",
            f"{row['stacking_weight']:.2f}",
            f"{row['pseudo_bma_weight']:.2f}",
            f"{row['untrusted_people']} / {row['untrusted_responses']}",
        )
        for row in model_rows(results)
    ]
    columns = (
        *("Model", "People left out (nats)", "Difference (SE)", "Responses left out"),
        *("Later trials", "Protected exceedance", "Stacking", "Pseudo-BMA+"),
        "Not trusted",
    )
    share = f" Later trials: the last {1 - plan.share:.0%} of each series." * (
        plan.share > 0
    )
    caption = (
        "Differences from the best model in nats, standard errors over people. Not trusted: people / "
        f"responses whose importance weights are too heavy-tailed.{share} All in comparison.csv."
    )
    return Section(
        "Models", _notes(plan, results), (), (Table(columns, rows, caption, 5),)
    )


def _gap(row: dict[str, Any], kind: str) -> str:
    if kind not in row:
        return ""
    error = row[f"{kind}_se"]
    if row[f"{kind}_difference"] == 0.0:
        return "best"
    return f"{row[f'{kind}_difference']:.1f}" + (
        f" ({error:.1f})" if np.isfinite(error) else ""
    )


def _notes(plan: Any, results: Any) -> tuple[str, ...]:
    """What makes the models differ besides themselves."""
    every = dict.fromkeys(text for own in plan.fits for text in own.formulas)
    found = [
        f"{label} was fitted without {'; '.join(left)}."
        for label, own in zip(plan.labels, plan.fits, strict=True)
        if (left := [text for text in every if text not in own.formulas])
    ]
    found += [
        f"The fit of {name} cannot be trusted: {said}."
        for name, said in zip(results.models, results.complaints, strict=True)
        if said
    ]
    return tuple(found)


def _people(results: Any) -> Section:
    rows = [
        (
            row["participant"],
            row["responses"],
            row["best"],
            row["second"],
            row["difference"],
            f"{row['standard_error']:.2f}"
            if np.isfinite(row["standard_error"])
            else "",
            "yes" if row["distinguished"] else "no",
        )
        for row in person_rows(results)
    ]
    columns = ("Person", "Responses", "Best", "Next", "Nats", "SE", "Told apart")
    told = sum(choice.distinguished for choice in results.choices)
    more = "" if len(rows) <= MOST_SHOWN else f" The first {MOST_SHOWN} are shown."
    return Section(
        "People",
        (
            f"For {told} of {len(rows)} people the best model is told apart from the next by their own "
            f"responses (more than two standard errors). All in people.csv.{more}",
        ),
        (
            Panel(
                "people",
                "Each person left out: log density relative to the model that predicts them best.",
                "People by model.",
            ),
        ),
        (
            Table(
                columns, rows[:MOST_SHOWN], "Leave-one-out, over a person's responses."
            ),
        ),
    )
