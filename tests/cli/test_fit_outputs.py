"""The files of a fit, each column of which is explained, and what its page says of them."""

import csv
import json

import jax
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import find_model
from pcmodel.behaviour.outputs.told import tell
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import draw_prior
from pcmodel.behaviour.studies.fit import Plan
from pcmodel.cli import main
from pcmodel.cli.pages import fit_outputs
from pcmodel.cli.parser import Parser
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of
from pcmodel.cli.running import outputs
from pcmodel.cli.running.outputs import FILES, write_outputs
from pcmodel.errors import UserError
from pcmodel.record.folder import OWN_FILES
from pcmodel.report import Report, render_html
from pcmodel.report.style import figure_style, to_png
from tests.behaviour.gaussian import make_series

BAD = Diagnostics(1.2, 30.0, 4, 0.5, 0.9, 800)


def fitted(*priors, diagnostics=None):
    """Draws of the prior stand for a posterior: two people, placebo and drug."""
    rng = np.random.default_rng(0)
    series = make_series(
        (rng.random((4, 5)) < 0.5).astype(float),
        people=[0, 0, 1, 1],
        drug=["placebo", "drug"] * 2,
    )
    series.values["outcome"] = (rng.random((4, 5)) < 0.5).astype(float)
    series.values["response"][1, 2] = np.nan
    hierarchy = build_hierarchy(
        find_model("binary", "rescorla_wagner"),
        series,
        formulas=["learning_rate_logit ~ drug"],
        priors=priors,
    )
    sites = {
        k: np.asarray(v, float).reshape(2, 50, *v.shape[1:])
        for k, v in draw_prior(jax.random.key(0), hierarchy, 100).items()
    }
    stats = {"diverging": np.zeros((2, 50))}
    return Posterior(hierarchy, sites, stats, diagnostics, "NUTS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit")
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        posterior = fitted(diagnostics=BAD)
        write_outputs(posterior, tell(posterior), path, seed=3)
    return path


def test_every_file_is_there_and_every_column_is_explained(folder):
    assert {file.name for file in folder.iterdir()} == set(FILES)
    assert set(FILES) <= set(OWN_FILES)  # what a restarted run deletes
    columns = json.loads((folder / "columns.json").read_text())
    sizes = {"participants.csv": 4, "trials.csv": 20, "effects.csv": 5}
    for name, told in columns.items():
        with open(folder / name, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == list(told)
        assert all(own["about"] for own in told.values())
        assert all(len(row) == len(rows[0]) for row in rows)
        assert len(rows) == 1 + sizes.get(name, len(rows) - 1)
        place = rows[0].index("trusted")
        assert {row[place] for row in rows[1:]} == {"false"}


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    """Prevents half a table, or half of the draws, after a failure."""
    posterior = fitted()

    def fail(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pcmodel.behaviour.posterior.datatree.write_netcdf", fail)
    with pytest.raises(OSError, match="No space"):
        outputs._write_draws(posterior, tmp_path / "posterior.nc", jax.random.key(0))
    assert list(tmp_path.iterdir()) == []


class Results:
    """What the page needs of the results."""

    def __init__(self, posterior):
        self.told = tell(posterior)
        self.posterior = posterior.sites


def page(posterior, *, refused):
    results = Results(posterior)
    sections = fit_outputs.sections(results, refused=refused)
    plan = Plan("d.csv", "binary", "rescorla_wagner")
    with figure_style():
        figure = fit_outputs.draw_priors(plan, results, refused=refused)
        png = {"priors": to_png(figure)}
    text = render_html(Report("A title", "Q?", "A.", sections=sections), png)
    return [section.title for section in sections], text, figure


def test_the_page_tells_natural_units_priors_sensitivity_and_files():
    posterior = fitted("log_zeta ~ Normal(0, 0.5)")
    titles, text, figure = page(posterior, refused=False)
    assert titles == [
        "In natural units",
        "Priors",
        "Sensitivity to the priors",
        "Files",
    ]
    assert all(name in text for name in FILES)
    assert "Normal(0, 0.5)" in text and "HalfNormal(0.7)" in text
    assert (
        len(figure.axes) == 2
        and figure.axes[0].get_title(loc="left") == "learning_rate"
    )
    assert [len(own.lines) for own in figure.axes] == [1, 1]


def test_a_refused_fit_shows_priors_and_no_posterior():
    titles, text, figure = page(fitted(diagnostics=BAD), refused=True)
    assert titles == ["Priors", "Files"] and "is false in every row" in text
    assert [len(own.lines) for own in figure.axes] == [0, 0]


def read(*words):
    parser = Parser(prog="pcmodel fit")
    add_prior_arguments(parser)
    return priors_of(parser.parse_args(list(words)))


def test_priors_come_from_a_file_and_the_line_alike(tmp_path):
    file = tmp_path / "priors.yaml"
    file.write_text(
        "# mine\n- omega2 ~ Normal(-3, 4)  # wide\n\n- 'omega2_sd ~ HalfNormal(.5)'\n"
    )
    found = read("--prior-file", str(file), "--prior", "log_zeta~normal(0,1)")
    assert found == (
        "omega2 ~ Normal(-3, 4)",
        "omega2_sd ~ HalfNormal(0.5)",
        "log_zeta ~ Normal(0, 1)",
    )
    with pytest.raises(UserError, match="two priors"):
        read("--prior-file", str(file), "--prior", "omega2 ~ Normal(0, 1)")
    with pytest.raises(UserError, match=r"nowhere\.txt"):
        read("--prior-file", "nowhere.txt")


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "no.csv", "--task", "binary", "--model", "hgf2"),
        ("check", "no.csv", "--task", "binary", "--model", "hgf2"),
        ("recover", "binary", "hgf2"),
        ("calibrate", "binary", "hgf2"),
        ("design", "binary", "hgf2", "--effect", "omega2=-1"),
    ],
)
@pytest.mark.parametrize(
    ("prior", "part"),
    [
        ("omga2 ~ Normal(0, 1)", "did you mean 'omega2'"),
        ("omega2 ~ Gamma(1, 1)", "Gamma is no family that can be set here"),
        ("omega2 ~ Normal(0, 0)", "SD is 0"),
    ],
)
def test_a_wrong_prior_is_one_sentence_wherever_it_is_said(words, prior, part, capsys):
    assert main([*words, "--prior", prior]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said and said.count("\n") == 1


def test_a_models_trials_are_listed(capsys):
    assert main(["models", "binary", "hgf3"]) == 0
    said = capsys.readouterr().out
    assert "weighted_error_level3" in said and "learning_rate" in said
