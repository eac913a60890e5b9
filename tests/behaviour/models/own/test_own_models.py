"""A user's own model is a model as any other; what is wrong with it is said in one sentence."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.models.catalogue import TaskFacts, find_parameters, setting_of
from pcmodel.behaviour.models.judged import has_precision, judged
from pcmodel.behaviour.models.own.loading import own_hashes
from pcmodel.behaviour.responses import Scale
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError
from pcmodel.inputs.hashes import hash_text

# Rescorla and Wagner's learner, as a user would write it.
OWN = '''
"""A learner."""

import numpy as np
import jax.numpy as jnp

from pcmodel.behaviour.models import Parameter


class Learner:
    """One value."""

    parameters = (
        Parameter("rate_logit", -1.0, 1.5, 1.0, natural="rate", transform="logistic", about="logit of the rate"),
        Parameter("start", 0.5, 0.25, free=False, unit="probability", about="first value"),
    )

    def init(self, values):
        return {"value": values["start"], "count": 0}

    def predict(self, values, state):
        return state["value"]

    def update(self, values, state, outcome):
        error = outcome - state["value"]
        return {"value": state["value"] + values["rate"] * error, "count": state["count"] + 1}
'''
FACTS = TaskFacts(num_arms=3, scale=Scale(0.0, 10.0))


@pytest.fixture
def written(tmp_path):
    """A function that writes a changed model and returns its name."""

    def write(old="", new="", *, name="own.py", called="Learner"):
        assert old in OWN
        path = tmp_path / name
        path.write_text(OWN.replace(old, new) if old else OWN)
        return f"{path}:{called}"

    return write


def total(model, task, **values):
    """The log likelihoods of a simulated study's first series."""
    series = make_up(task, num_participants=1, num_trials=20, num_arms=3)
    series.values["outcome"][0, 4] = np.nan
    data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    own = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    own |= {name: jnp.asarray(value) for name, value in values.items() if name in own}
    return np.asarray(jax.jit(model.log_likelihood)(own, data))


@pytest.mark.parametrize("task", ["binary", "bandit", "rating", "selection", "offered"])
def test_the_learner_as_a_user_writes_it_is_the_shipped_one(task, written):
    """Also on trials without an outcome, and with a copy for each option."""
    own = find_model(task, written(), FACTS)
    shipped = find_model(task, "rescorla_wagner", FACTS)
    found = total(own, task, rate_logit=-0.4)
    expected = total(shipped, task, learning_rate_logit=-0.4)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(expected).max() > 0.0


def test_values_come_on_their_natural_scales_and_states_are_numbers_with_fractions(
    written,
):
    """A whole number to begin with does not make a state of whole numbers."""
    name = written('"count": state["count"] + 1}', '"count": state["count"] + 0.5}')
    model = find_model("binary", name)
    beliefs = model.filter.model.init(
        model.filter.build({"rate_logit": jnp.asarray(0.0), "start": jnp.asarray(0.3)})
    )
    assert jnp.issubdtype(beliefs.state["count"].dtype, jnp.floating)
    built = model.filter.build(
        {"rate_logit": jnp.asarray(0.0), "start": jnp.asarray(0.3)}
    )
    assert {k: float(v) for k, v in built.items()} == pytest.approx(
        {"rate": 0.5, "start": 0.3}
    )


def test_a_state_may_hold_arrays_also_for_each_option(written):
    name = written('"count": 0}', '"count": jnp.zeros(3)}')
    model = find_model("bandit", name, FACTS)
    assert np.isfinite(total(model, "bandit")).all()


def test_confidence_needs_a_precision(written):
    assert not has_precision(find_model("binary", written()))
    with pytest.raises(UserError, match="no precision that could be judged"):
        judged(find_model("binary", written()), ("confidence",))
    method = "\n    def precision(self, values, state):\n        return 1.0 + state['count']\n\n    def update"
    with_one = find_model("binary", written("\n    def update", method))
    assert has_precision(with_one)
    names = {p.name for p in judged(with_one, ("confidence",)).parameters}
    assert "confidence_slope" in names


STEP = 'values["rate"] * error'
VALUE = 'return state["value"]\n'
WRONG = {
    "rate * error": (
        STEP,
        'values["rat"] * error',
        "line 26 fails .KeyError: 'rat'",
    ),
    "if": (
        'error = outcome - state["value"]\n',
        'error = outcome - state["value"]\n        if error > 0:\n            error *= 2\n',
        "line 26 uses the value of a number .* jnp.where",
    ),
    "float": (
        STEP,
        'float(values["rate"]) * error',
        "line 26 uses the value of a number",
    ),
    "numpy": (
        STEP,
        "np.tanh(error)",
        "line 26 uses the value of a number .* jax.numpy in place",
    ),
    "shape": (
        VALUE,
        'return state["value"] * jnp.ones(2)\n',
        "predict returns numbers of shape .2,.; expected one number",
    ),
    "nothing": (
        VALUE,
        "pass\n",
        "predict returns a NoneType; expected one number",
    ),
    "parts": (
        ', "count": state["count"] + 1}',
        "}",
        "update returns .value: a number., and init .*count: a number",
    ),
    "nan": (
        STEP,
        "jnp.log(-jnp.abs(error))",
        "predictions are not finite",
    ),
    "slope": (
        STEP,
        'jnp.sqrt(values["rate"] * 0.0) * error',
        "slopes are not finite",
    ),
    "no state": (
        'return {"value": values["start"], "count": 0}',
        "return {}",
        "init returns no state",
    ),
    "method": (
        "def predict(",
        "def foresee(",
        "has no method predict",
    ),
    "no parameters": (
        "parameters = (",
        "numbers = (",
        "has no parameters",
    ),
    "a parameter": (
        "    parameters = (",
        "    parameters = (\n        0.5,",
        "parameters.0. is a float; expected a Parameter",
    ),
    "twice": (
        '"start", 0.5, 0.25',
        '"rate", 0.5, 0.25',
        "two parameters called 'rate'",
    ),
    "syntax": (
        "def init(self, values):",
        "def init(self, values)",
        "line 18: SyntaxError",
    ),
    "import": (
        "import numpy as np",
        "import no_such_module",
        "line 4: ModuleNotFoundError",
    ),
    "made": (
        "parameters = (",
        "def __init__(self, size):\n        pass\n\n    parameters = (",
        "cannot be made without arguments",
    ),
    "taken": (
        "rate_logit",
        "log_zeta",
        "a parameter called 'log_zeta', as the responses",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_model_is_said_in_one_sentence(what, written):
    old, new, said = WRONG[what]
    with pytest.raises(UserError, match=said) as caught:
        find_model("binary", written(old, new))
    text = str(caught.value)
    assert "\n" not in text and "own.py" in text and "Traceback" not in text


def test_names_that_lead_to_no_class_are_refused(written, tmp_path):
    for name, said in (
        (written(called="Learned"), "no class is called 'Learned', did you mean 'Learner'"),
        (str(tmp_path / "none.py") + ":Learner", "no such file"),
        (str(tmp_path / "own.py"), "expected FILE.py:CLASS"),
        ("own:Learner", "expected FILE.py:CLASS"),
        (str(tmp_path) + ":Learner", "expected FILE.py:CLASS"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            find_model("binary", name)
    with pytest.raises(UserError, match="takes no perceptual model of your own"):
        find_model("discounting", written())


def test_a_changed_file_is_another_model_and_another_run(written):
    first, name = find_parameters("binary", written()), written()
    before = own_hashes("binary", name, "hgf2")
    assert before == (f"own.py {hash_text(OWN)}",)
    assert find_model("binary", name) == find_model("binary", name)
    written("-1.0, 1.5", "-2.0, 1.5")
    assert find_parameters("binary", name)[0].mean == -2.0 != first[0].mean
    assert own_hashes("binary", name) != before
    assert own_hashes("binary", "hgf2") == ()


def test_it_is_fitted_and_recovered_like_the_shipped_learner(written):
    """The modes of the same people are those of the shipped learner."""
    from pcmodel.behaviour.sampling.map_estimates import fit_modes

    series = make_up("binary", num_participants=2, num_trials=40)
    series.values["response"][:] = series.values["outcome"][:, ::-1]
    found = []
    for name in (written(), "rescorla_wagner"):
        model = find_model("binary", name, setting_of(series))
        with jax.enable_x64(True):
            found.append(fit_modes(model, model.prepare(series)))
    np.testing.assert_allclose(found[0].value, found[1].value, rtol=1e-6)
    np.testing.assert_allclose(found[0].log_evidence, found[1].log_evidence, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["recover", "calibrate", "fit"])
def test_commands_take_own_models_and_tasks(command, written, tmp_path, monkeypatch):
    from pcmodel.cli import main

    monkeypatch.chdir(tmp_path)
    written()
    Path("own.yaml").write_text("like: binary\ncolumns: {outcome: [rain]}\n")
    rows = [f"p{i // 20},{i % 20},{i * 7 % 3 % 2},{i * 5 % 3 % 2}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["subject,trial,rain,response", *rows]))
    words = [command, "own.yaml", "own.py:Learner"]
    if command == "fit":
        words = ["fit", "t.csv", "--task", "own.yaml", "--model", "own.py:Learner"]
    assert main([*words, "--smoke", "--output", "out"]) == 0
    config = Path("out/config.json").read_text()
    assert hash_text(OWN) in config and "own.yaml " in config
    assert "own.py:Learner" in Path("out/report.html").read_text()
