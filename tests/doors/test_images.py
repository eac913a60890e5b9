"""Images and labels are checked by whatever road they come."""

import numpy as np
import pytest

import pcmodel
from pcmodel import ImageData, UserError
from pcmodel.training.examples import load_split
from pcmodel.training.plan import DataPlan

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 5, 5, 1)).astype(np.uint8)
LABELS = np.arange(12) % 3
SETS = {
    "already in [0, 1]": ({"train_images": IMAGES / 255}, "np.round"),
    "grey levels 0 to 16": ({"train_images": IMAGES // 16}, "white may be 15"),
    "float32 in [0, 1]": ({"test_images": np.float32(IMAGES) / 255}, "np.round"),
    "bytes of 0 and 1": ({"train_images": IMAGES // 128}, "np.round"),
    "standardised": ({"train_images": IMAGES - 128.0}, "go from -128"),
    "beyond white": ({"train_images": IMAGES + 100.0}, "0 to 255"),
    "fractions": ({"train_images": IMAGES + 0.0 * IMAGES + 0.5}, "255"),
    "NaN": ({"train_images": np.where(IMAGES > 3, IMAGES, np.nan)}, "NaN"),
    "no channels": ({"train_images": IMAGES[..., 0]}, "None"),
    "flat": ({"train_images": IMAGES.reshape(12, -1)}, "reshape"),
    "channels first": (
        {"train_images": np.moveaxis(np.repeat(IMAGES, 3, -1), -1, 1)},
        "moveaxis",
    ),
    "another size in the test": ({"test_images": IMAGES[:, :4]}, "5 x 5 x 1"),
    "none": ({"train_images": IMAGES[:0], "train_labels": LABELS[:0]}, "one image"),
    "no test images": ({"test_images": IMAGES[:0]}, "one image"),
    "fewer labels": ({"train_labels": LABELS[:9]}, "9 labels for 12"),
    "fewer test labels": ({"test_labels": LABELS[:9]}, "9 labels for 12"),
    "label -1": ({"train_labels": LABELS - 1}, "label -1"),
    "label too high": ({"test_labels": LABELS + 1}, "label 3"),
    "one-hot labels": ({"train_labels": np.eye(3)[LABELS]}, "argmax"),
    "labels in a column": ({"train_labels": LABELS[:, None]}, "ravel"),
    "float labels": ({"train_labels": LABELS * 1.0}, "astype"),
    "masked labels": ({"train_labels": np.ma.array(LABELS, mask=LABELS == 1)}, "mask"),
    "no classes": ({"num_classes": 0}, "num_classes"),
}
MINE = ImageData(IMAGES, LABELS, IMAGES, LABELS, "mine", 3)


@pytest.mark.parametrize("name", SETS)
def test_images_are_checked_by_whatever_road_they_come(name):
    """Prevents images in [0, 1] from being divided by 255 again, or labels from being shifted."""
    changed, said = SETS[name]
    data = MINE._replace(**changed)
    with pytest.raises(UserError, match=said):
        load_split(DataPlan(validation=2), data)
    with pytest.raises(UserError, match=said):
        pcmodel.run_training(
            pcmodel.TrainingPlan(data=DataPlan(validation=2)), data=data
        )


def test_whole_numbers_of_any_type_are_grey_levels():
    expected = load_split(DataPlan(validation=2), MINE)
    for dtype in (np.int64, np.float32, np.float64, np.uint16):
        data = MINE._replace(train_images=IMAGES.astype(dtype))
        found = load_split(DataPlan(validation=2), data)
        np.testing.assert_array_equal(found.train.images, expected.train.images)
        assert found.train.images.dtype == np.uint8
