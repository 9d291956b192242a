"""Evidence for a model that deserves promotion, for tests to spoil one part at a time."""

from experiments.resamples import Estimate
from training.evidence import Difference, PolicyEvidence, SliceDifference

GOOD = PolicyEvidence(
    model_version="new",
    unit="EUR a failed payment",
    incumbent=Difference("old", Estimate(0.4, 0.1, 0.7)),
    best_baseline=Difference("best-fixed", Estimate(1.2, 0.8, 1.6)),
    breaches=0,
    slices=(
        SliceDifference("market", "DE", Estimate(0.02, -0.01, 0.05)),
        SliceDifference("category", "do_not_honor", Estimate(-0.02, -0.05, 0.01)),
    ),
)
