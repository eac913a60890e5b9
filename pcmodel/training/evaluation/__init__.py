"""Evaluation of a trained network: accuracy, calibration, out-of-distribution images, generated images, speed."""
