"""What a trained network is worth: accuracy, calibration, foreign images, generated images, speed."""
