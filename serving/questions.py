"""POSTs that only read: their answers are of the instant at which they are asked, and none is kept or given again."""

import re

_QUESTIONS = re.compile(r"/v1/(?:reservations/[^/]+/check|decisions/[^/]+/replay)")


def only_reads(path: str) -> bool:
    """Whether a POST to an address changes nothing, so that asking twice does no harm and an old answer may.

    >>> only_reads("/v1/reservations/rsv_1/check"), only_reads("/v1/reservations/rsv_1/settle")
    (True, False)
    """
    return _QUESTIONS.fullmatch(path) is not None
