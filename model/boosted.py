"""Scores retries with a trained artifact: a bag of LightGBM boosters, blended with the prior, then calibrated.

The bag's answer is the mean of its boosters' logits: by convexity its log loss is never above their mean log
loss. The 90 % interval adds two doubts on the logit scale. One is how far the boosters, each fitted without some
of the customers, disagree (delete-a-group jackknife; Kott 2001). The other is how well the rate near that
probability was known from the calibration window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.columns import COLUMNS, WORDS
from features.context import Context
from features.encoders import from_json
from features.errors import InputError
from features.few.framed import Framed
from features.frame import frame
from features.rows import Rows
from features.supposed import Supposed
from features.table import Asked
from model.artifact import Artifact
from model.blend import Blend
from model.calibration import UNREAD, ByCategory, calibrated
from model.contributions import Contribution, by_subject
from model.forest.trees import UnsupportedTreesError
from model.lightgbm_library import Booster, LibraryError
from model.prior_few import prior_logits_of
from model.prior_rows import prior_logits
from model.scorer import Scores, ScoreSource
from model.support import Support, category_of

if TYPE_CHECKING:
    from features.few.frame import FewFrame

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

_NAMES = tuple(column.name for column in COLUMNS)
_TINY = 1e-6
_Z90 = 1.6448536269514722  # 95 % quantile of the normal distribution: a 90 % interval has 5 % on either side


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What the interval is made of.

    Args:
        spread_factor: Turns the spread of the boosters' calibrated logits into a standard error.
        logit: Calibrated logits at which the calibration window's rate was measured, rising, shape (k,).
        standard_error: Of that rate, on the logit scale, shape (k,).
    """

    spread_factor: float
    logit: tuple[float, ...]
    standard_error: tuple[float, ...]

    def to_json(self) -> dict[str, float | list[float]]:
        """As it stands in `model.json`."""
        return {
            "spread_factor": self.spread_factor,
            "logit": list(self.logit),
            "standard_error": list(self.standard_error),
        }


class BoostedScorer:
    """P(approved) by a trained artifact, with a 90 % interval.

    Args:
        artifact: As `read_artifact` gave it.
        threads: For LightGBM; one is best where several requests are scored at once.
        folding: Score with `model.forest`, which gives the same bits much faster, where it knows the model's kind of
            trees. It is prepared here, so that a scorer that is made is ready.
        then: Know approval rates as they stood when the test window began, for replaying what came after.

    Raises:
        InputError: The artifact was trained on other columns than this version computes, or its content is broken.
    """

    def __init__(self, artifact: Artifact, threads: int = 1, *, folding: bool = True, then: bool = False) -> None:
        _check_columns(artifact.columns)
        self._artifact = artifact
        self._version = artifact.version
        self._encoders = from_json(artifact.encoders, then=then)
        self._boosters = boosters_of(artifact.boosters)
        self._uncertainty = _uncertainty(artifact.facts.get("uncertainty"))
        self._known = np.array(self._uncertainty.logit), np.array(self._uncertainty.standard_error)
        self._blend = Blend.from_json(artifact.facts.get("blend"))
        self._support = Support.from_json(artifact.facts.get("support"))
        self._threads = threads
        self._folding = folding
        self._raw_logits, self._parts, self._engine = self._prepared(folding)
        self._frame = self._framing()

    def then(self) -> "BoostedScorer":
        """The same model knowing approval rates as they stood when its test window began."""
        return BoostedScorer(self._artifact, self._threads, folding=self._folding, then=True)

    @property
    def version(self) -> str:
        """The artifact's content hash."""
        return self._version

    @property
    def source(self) -> ScoreSource:
        """Always `model`."""
        return "model"

    @property
    def engine(self) -> str:
        """What adds up the trees: `folded`, or `LightGBM` with the reason in brackets."""
        return self._engine

    @property
    def bag(self) -> tuple[Booster, ...]:
        """The boosters themselves."""
        return self._boosters

    @property
    def facts(self) -> Mapping[str, object]:
        """What the artifact says about itself (`model.json`)."""
        return self._artifact.facts

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """P(approved) of each retry given everything in the context."""
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts: one frame and one prediction for all."""
        if not asked:
            return ()
        return self._scores(self._frame(asked)).split([len(retries) for _, retries in asked])

    def score_supposed(self, supposed: Sequence[Supposed]) -> Scores:
        """The same for every move asked about, after declines that have not happened."""
        return self._scores(self._frame(supposed))

    def _scores(self, framed: Framed) -> Scores:
        return self.score_matrix(framed.matrix, prior_logits_of(framed.facts) if self.needs_prior else None)

    def contributions(self, context: Context, retries: Sequence[Retry]) -> tuple[Contribution, ...]:
        """The parts of each retry's mean log-odds before calibration, averaged over the bag, by subject."""
        return self.contributions_of(self._frame([(context, retries)]).matrix)

    def explained(self, supposed: Supposed, told: Asked) -> tuple[Scores, tuple[Contribution, ...]]:
        """(scores of what is asked, the parts of what is told): one frame for both."""
        asked, rest = self._frame([supposed, told]).parted(len(supposed.asked))
        return self._scores(asked), self.contributions_of(rest.matrix)

    def contributions_of(self, matrix: Matrix) -> tuple[Contribution, ...]:
        """The same for rows that are columns already, shape (n, columns)."""
        return tuple([by_subject(_NAMES, row[:-1], float(row[-1])) for row in self._parts(matrix)])

    def score_rows(self, rows: Rows) -> Scores:
        """P(approved) of every row, of contexts or of a history."""
        prior = None if self._blend.is_model_alone else prior_logits(rows)
        return self.score_matrix(frame(rows, self._encoders), prior)

    @property
    def needs_prior(self) -> bool:
        """Whether `score_matrix` must be given the prior's logits, because the model is blended with it."""
        return not self._blend.is_model_alone

    def score_matrix(self, matrix: Matrix, prior: Floats | None = None) -> Scores:
        """The same for rows that are columns already, shape (n, columns).

        Args:
            prior: `model.prior_rows.prior_logits` of the rows, shape (n,); only a blended model reads it.

        Raises:
            InputError: The model is blended with the prior, and its logits are not given.
        """
        logits = self._raw_logits(matrix)
        if self.needs_prior:
            if prior is None:
                raise InputError("prior: is missing; this model is blended with the shipped prior and needs its logits")
            logits = self._blend.apply(logits, prior)
        level, error = self._calibrated(logits, matrix)
        lowered, kept = self._support.beyond(matrix)
        middle, doubt = level - lowered, _Z90 * error
        ends = np.empty((3, len(matrix)))
        ends[0] = middle
        np.subtract(middle, doubt, out=ends[1])
        np.add(middle, doubt, out=ends[2])
        chances = _sigmoid(ends)
        chances[:2] *= np.maximum(kept, _TINY)
        return Scores(chances[0], chances[1], chances[2], self._version, "model")

    def _calibrated(self, logits: Floats, matrix: Matrix) -> tuple[Floats, Floats]:
        """(calibrated logit, its standard error) of each row, shape (n,) both.

        Args:
            logits: The boosters', shape (n, boosters).
        """
        calibrator, doubt = self._artifact.calibrator, self._uncertainty
        category = category_of(matrix) if isinstance(calibrator, ByCategory) else UNREAD
        alone = logits.shape[1] == 1
        mean = logits[:, 0] if alone else logits.mean(axis=1)
        level = _logit(calibrated(calibrator, _sigmoid(mean), category))
        known: Floats = np.interp(level, *self._known)
        if alone:
            return level, known
        each = _logit(calibrated(calibrator, _sigmoid(logits), category))
        return level, np.hypot(doubt.spread_factor * each.std(axis=1, ddof=1), known)

    def _framing(self) -> "FewFrame":
        from features.few.frame import FewFrame  # loads the compiler, which whoever starts workers does without

        return FewFrame(self._encoders)

    def _prepared(self, folding: bool) -> tuple[Callable[[Matrix], Floats], Callable[[Matrix], Floats], str]:
        """(what gives every booster's logit of every row, what gives the parts of their mean, the name of both)."""
        lightgbm = partial(raw_logits, self._boosters, threads=self._threads)
        parts = partial(mean_parts, self._boosters, threads=self._threads)
        if not folding:
            return lightgbm, parts, "LightGBM (asked for)"
        from model.forest.bag import FoldedBag  # loads the compiler, which training does without

        try:
            bag = FoldedBag(self._artifact.boosters, lightgbm, len(COLUMNS))
        except UnsupportedTreesError as error:
            return lightgbm, parts, f"LightGBM ({error})"
        return bag.logits, bag.parts, "folded"


def boosters_of(texts: Sequence[str]) -> tuple[Booster, ...]:
    """The boosters of their texts.

    Raises:
        InputError: LightGBM cannot read a text.
    """
    boosters = []
    for number, text in enumerate(texts):
        try:
            boosters.append(Booster(text))
        except LibraryError as error:
            raise InputError(f"booster_{number}.txt: LightGBM cannot read it ({error})") from None
    return tuple(boosters)


def raw_logits(boosters: Sequence[Booster], matrix: Matrix, threads: int = 1) -> Floats:
    """Every booster's logit of every row, shape (n, boosters)."""
    if not len(matrix):
        return np.zeros((0, len(boosters)))
    return np.stack([booster.raw_score(matrix, threads) for booster in boosters], axis=1)


def mean_parts(boosters: Sequence[Booster], matrix: Matrix, threads: int = 1) -> Floats:
    """What every column adds to each row's mean logit, and the base in the last column, shape (n, columns + 1)."""
    mean: Floats = np.mean([booster.contributions(matrix, threads) for booster in boosters], axis=0)
    return mean


def column_facts() -> tuple[dict[str, object], ...]:
    """What `columns.json` says of the columns this version computes."""
    return tuple(
        {
            "name": column.name,
            "unit": column.unit,
            "kind": column.kind,
            "about": column.about,
            "monotone": column.monotone,
            "words": list(WORDS.get(column.name, ())),
        }
        for column in COLUMNS
    )


def _check_columns(trained: Sequence[Mapping[str, object]]) -> None:
    now = column_facts()
    for ours, theirs in zip(now, trained, strict=False):
        if ours != dict(theirs):
            raise InputError(
                f"columns.json: the model was trained on {theirs.get('name')!r}, this version computes "
                f"{ours['name']!r} in its place or otherwise; train the model again"
            )
    if len(now) != len(trained):
        raise InputError(
            f"columns.json: the model was trained on {len(trained)} columns, this version computes {len(now)}; "
            "train the model again"
        )


def _uncertainty(value: object) -> Uncertainty:
    if not isinstance(value, Mapping):
        raise InputError("model.json: uncertainty must be an object")
    try:
        doubt = Uncertainty(
            float(value["spread_factor"]),
            tuple(float(x) for x in value["logit"]),
            tuple(float(x) for x in value["standard_error"]),
        )
    except (KeyError, TypeError, ValueError):
        raise InputError("model.json: uncertainty must hold spread_factor, logit and standard_error") from None
    if not doubt.logit or len(doubt.logit) != len(doubt.standard_error):
        raise InputError("model.json: uncertainty.logit and uncertainty.standard_error must be of the same length")
    return doubt


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def _sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), with x within 60 of zero; one array for all steps, since most arrays here are small."""
    odds: Floats = np.maximum(x, -60.0)
    np.minimum(odds, 60.0, out=odds)
    np.negative(odds, out=odds)
    np.exp(odds, out=odds)
    odds += 1.0
    return np.divide(1.0, odds, out=odds)
