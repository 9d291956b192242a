"""Intervals by resampling customers, as `experiments.resamples` makes them for models and policies alike."""

from experiments.resamples import Estimate, Floats, Resamples, percentile_interval, pivot_interval

__all__ = ["Estimate", "Floats", "Resamples", "percentile_interval", "pivot_interval"]
