"""Which codes nobody knows."""

from dataclasses import replace

from features.decline import Decline
from features.declines.unknown import is_unknown
from features.vocabulary import DeclineCategory, Network


def test_a_code_whose_title_is_known_is_not_unknown_however_little_it_says() -> None:
    nobody = Decline(Network.VISA, "QX")
    assert is_unknown(nobody)
    assert not is_unknown(replace(nobody, title="Do not honor"))
    assert not is_unknown(replace(nobody, category=DeclineCategory.LOST_OR_STOLEN))
    assert not is_unknown(replace(nobody, code=None))
    assert not is_unknown(None)
