"""Beliefs about discrete levels: refused where the data are not known, and a constant where they are."""

import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Belief, Bernoulli, Categorical, Clamp, Level, UserError


def network():
    return pcmodel.hierarchy(
        {
            "image": Level(
                4, Bernoulli(), parents=["top"], parts={"left": 2, "right": 2}
            ),
            "label": Level(3, Categorical(), parents=["shapes", "top"]),
            "shapes": Level(2, parents=["top"]),
            "top": Level(2),
        },
        rngs=nnx.Rngs(0),
    )


IMAGE, LABEL = np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0])
SOME = Clamp(IMAGE, np.array([True, True, False, True]))
ABOUT = {
    "label": Belief.of(np.ones(3), 2.0, level="label"),
    "image": Belief.of(np.ones(4), np.ones(4), level="image"),
    "left": Belief.of(np.ones(2), 2.0, level="image/left"),
    "both": Belief.of(np.ones(7), np.eye(7), level=["image", "label"]),
    "with the top": Belief.of(np.ones(5), np.eye(5), level=["label", "top"]),
    "of a batch": Belief.of(np.ones((5, 3)), 2.0, level="label"),
}


@pytest.mark.parametrize(
    "about, seen, words",
    [
        ("label", {}, ["level 'label'", "unit 0", "(shapes, top)"]),
        ("label", {"image": IMAGE}, ["level 'label'", "unit 0"]),
        ("of a batch", {"image": IMAGE}, ["level 'label'", "unit 0"]),
        ("image", {"label": LABEL}, ["level 'image'", "unit 0", "(top)"]),
        ("image", {"image": SOME}, ["level 'image'", "unit 2"]),
        ("left", {"image": Clamp(IMAGE, np.arange(4) > 0)}, ["'image'", "unit 0"]),
        ("both", {"image": IMAGE}, ["level 'label'", "unit 0"]),
        ("with the top", {"image": IMAGE}, ["level 'label'", "unit 0"]),
    ],
)
@pytest.mark.parametrize("ask", [pcmodel.infer, pcmodel.posterior])
def test_a_belief_about_data_that_are_not_observed_is_refused(ask, about, seen, words):
    """Prevents the mean of a prediction from being pulled like a latent, which has no joint density."""
    with pytest.raises(UserError) as told:
        ask(network(), seen, prior=ABOUT[about])
    for word in ["discrete and not observed", *words]:
        assert word in str(told.value)


@pytest.mark.parametrize(
    "about, seen",
    [
        ("label", {"label": LABEL}),
        ("image", {"image": IMAGE}),
        ("left", {"image": SOME}),
        ("both", {"image": IMAGE, "label": LABEL}),
    ],
)
def test_a_belief_about_data_that_are_observed_moves_nothing(about, seen):
    made = network()
    plain = pcmodel.infer(made, seen)
    believing = pcmodel.infer(made, seen, prior=ABOUT[about])
    for one, other in zip(plain.latents, believing.latents, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
