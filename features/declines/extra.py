"""Decline codes that a merchant adds: one line a code, read once at the edge and asked before the shipped tables."""

import tomllib

from features.card_number import refuse_card_number
from features.declines import lookup, rewritten, taxonomy
from features.declines.entry import CodeEntry
from features.declines.index import heads_of
from features.declines.lookup import ExtraCodes
from features.declines.reading import entry_of
from features.declines.table import CodeTable
from features.errors import InputError
from features.vocabulary import Network

EXAMPLE = 'processors.acme_pay."E17" = { title = "No funds", category = "insufficient_funds", retryability = "later" }'
_GROUPS = {"processors", "networks"}
_SOURCE = "your own table"


def parse_extra(text: str, source: str) -> ExtraCodes:
    """Codes from a TOML text of lines such as `EXAMPLE`; `networks.visa."…"` adds to a network.

    Raises:
        InputError: Not TOML, or a code is misstated; every fault is named by file, owner and code.
        CardNumberError: A code looks like a card number.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from None
    extra = sorted(raw.keys() - _GROUPS)
    faults = [f"{source}, {name}: is not accepted; expected lines such as {EXAMPLE}" for name in extra]
    processors = {
        heads_of(name)[0]: _table(source, name, codes, faults)
        for name, codes in _owners(raw, "processors", source, faults)
    }
    networks = {
        network: _table(source, network, codes, faults)
        for name, codes in _owners(raw, "networks", source, faults)
        if (network := _network(source, name, faults)) is not None
    }
    if faults:
        raise InputError("; ".join(faults))
    return ExtraCodes(processors, networks)


def use(extra: ExtraCodes) -> None:
    """Ask these tables before the shipped ones from now on; called once at start, before anything is read."""
    lookup.use_extra(extra)
    for remembered in (taxonomy.forget, rewritten.hidden_codes.cache_clear):
        remembered()


def _owners(raw: dict[str, object], group: str, source: str, faults: list[str]) -> list[tuple[str, dict[str, object]]]:
    owners = raw.get(group, {})
    if not isinstance(owners, dict) or not all(isinstance(codes, dict) for codes in owners.values()):
        faults.append(f"{source}, {group}: is not accepted; expected lines such as {EXAMPLE}")
        return []
    faults.extend(f"{source}, {group}.{name!r}: expected a name with letters" for name in owners if not heads_of(name))
    return [(name, codes) for name, codes in owners.items() if heads_of(name)]


def _network(source: str, name: str, faults: list[str]) -> Network | None:
    if name in set(Network):
        return Network(name)
    faults.append(f"{source}, networks.{name}: is not accepted; expected one of {', '.join(Network)}")
    return None


def _table(source: str, owner: str, codes: dict[str, object], faults: list[str]) -> CodeTable:
    entries: list[CodeEntry] = []
    for code, row in codes.items():
        refuse_card_number(f"{source}, {owner}", code)
        try:
            entries.append(entry_of(owner, _row(code, row), _SOURCE, "high"))
        except InputError as error:
            faults.append(f"{source}, {owner}: {error}")
    return CodeTable(owner, f"Own codes of {owner}", None, "high", tuple(entries))


def _row(code: str, row: object) -> dict[str, object]:
    if not isinstance(row, dict):
        raise InputError(f"code {code!r} is not accepted; expected {EXAMPLE.partition('= ')[2]}")
    return {"code": code, **row}
