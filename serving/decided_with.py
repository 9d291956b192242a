"""What a kept decision was made with, found by version: never something else in its place."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InputError, RecoupError
from model.caps.rulebook import Rulebook
from model.decision import CODE_VERSION
from model.economics import Economics
from model.prior import PriorScorer
from model.scheduled import SCHEDULE
from model.scorer import Scorer
from model.versions_json import economics_from_json, rulebook_from_json
from serving.kept_models import folder_of
from serving.ledger.decisions import Headline, maybe_version
from serving.ledger.store import Store
from serving.registry import read_scorer
from serving.service import Service

# The prior and the scorer in use are always at hand, and so many others, those read last.
_ALWAYS = 2
_READ_SCORERS = 2


@dataclass(frozen=True, slots=True)
class DecidedWith:
    """The parts of a decision, each of the version that the decision names."""

    scorer: Scorer
    rulebook: Rulebook
    economics: Economics


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not there any more, one sentence each."""

    sentences: tuple[str, ...]


@dataclass
class Versions:
    """Finds parts by version: those in use now, the kept ones, and nothing else. Read once, few are held.

    Args:
        service: What is in use now.
        models: Where artifacts are kept.
        folder: One more artifact to look at.
    """

    store: Store
    service: Service
    models: Path
    folder: Path | None = None
    _scorers: dict[str, Scorer] = field(default_factory=dict)
    _rulebooks: dict[str, Rulebook] = field(default_factory=dict)
    _economics: dict[str, Economics] = field(default_factory=dict)

    def __post_init__(self) -> None:
        prior, service = PriorScorer(), self.service
        self._scorers |= {prior.version: prior, service.answering.scorer.version: service.answering.scorer}
        self._rulebooks[service.rulebook.version] = service.rulebook
        self._economics[service.economics.version] = service.economics

    def of(self, headline: Headline) -> DecidedWith | Missing:
        """The parts that a decision was made with, or everything that is missing of them."""
        wanted = (
            lambda: _same_code(headline.code),
            lambda: self._scorer(headline.model),
            lambda: self._rulebook(headline.rulebook),
            lambda: self._figures(headline.economics),
        )
        missing = tuple(dict.fromkeys(fault for part in wanted if (fault := _fault_of(part))))
        if missing:
            return Missing(missing)
        return DecidedWith(
            self._scorer(headline.model), self._rulebook(headline.rulebook), self._figures(headline.economics)
        )

    def _scorer(self, version: str) -> Scorer:
        if version == SCHEDULE.name:  # it asks nobody for a chance
            return self._scorers[PriorScorer().version]
        if version not in self._scorers:
            folder = folder_of(version, self.models) or self.folder
            if folder is None:
                raise InputError(f"no artifact of model {version} is kept in {self.models}")
            scorer = read_scorer(folder)
            if scorer.version != version:
                raise InputError(f"no artifact of model {version} is kept in {self.models}, nor is it {folder}")
            for oldest in list(self._scorers)[_ALWAYS : 1 - _READ_SCORERS]:
                del self._scorers[oldest]
            self._scorers[version] = scorer
        return self._scorers[version]

    def _rulebook(self, version: str) -> Rulebook:
        if version not in self._rulebooks:
            self._rulebooks[version] = rulebook_from_json(self._content("rulebook", version), version)
        return self._rulebooks[version]

    def _figures(self, version: str) -> Economics:
        if version not in self._economics:
            self._economics[version] = economics_from_json(self._content("economics", version), version)
        return self._economics[version]

    def _content(self, kind: str, version: str) -> bytes:
        content = maybe_version(self.store, kind, version)
        if content is None:
            raise InputError(f"{kind} {version} is not kept in the ledger")
        try:
            return zlib.decompress(content)
        except zlib.error:
            raise InputError(f"what the ledger keeps as {kind} {version} is damaged and cannot be read") from None


def _same_code(version: str) -> str:
    if version != CODE_VERSION:
        raise InputError(f"it was decided by Recoup {version}, and this is {CODE_VERSION}")
    return version


def _fault_of(part: Callable[[], object]) -> str | None:
    """Why a part cannot be had, as a sentence; None where it can."""
    try:
        part()
    except RecoupError as error:
        sentence = str(error)
        return f"{sentence[:1].upper()}{sentence[1:]}."
    return None
