"""From an attempt history to a registered model: load, label, split, fit, calibrate, evaluate, gate."""
