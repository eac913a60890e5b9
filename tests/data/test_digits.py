"""The embedded digits: what the split promises."""

import numpy as np

from pcmodel.data.digits import load_digits_split, one_hot


def test_no_image_is_both_learned_from_and_tested_on():
    """Prevents held-out accuracy from being memory."""
    data = load_digits_split()
    count = len(data.train_images) + len(data.test_images)
    assert count == 1797 and abs(len(data.test_images) - count / 3) < 1
    seen = {image.tobytes() for image in data.train_images}
    assert not any(image.tobytes() in seen for image in data.test_images)


def test_every_digit_has_its_share_of_both_halves():
    """Prevents an accuracy that depends on which digits happened to be held out."""
    data = load_digits_split()
    parts = (data.train_labels, data.test_labels)
    shares = [np.bincount(labels, minlength=10) / len(labels) for labels in parts]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.005)


def test_the_split_is_the_same_every_time_and_pixels_are_shares_of_white():
    """Prevents networks of one experiment from being trained on different images."""
    one, other = load_digits_split(), load_digits_split()
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)
    assert one.train_images.min() == 0.0 and one.train_images.max() == 1.0
    np.testing.assert_array_equal(np.unique(one.train_images * 16), np.arange(17))


def test_labels_become_rows_of_the_identity():
    """Prevents training on shifted labels."""
    labels = np.array([3, 0, 9])
    np.testing.assert_array_equal(np.argmax(one_hot(labels), axis=1), labels)
    np.testing.assert_array_equal(one_hot(labels).sum(axis=1), 1.0)
