"""Countries by their two letters, ISO 3166-1 alpha-2, as our own data names them and as others write them."""

import re

_LETTERS = re.compile(r"[A-Z]{2}")
# Reserved for the United Kingdom, which the standard calls GB; many write it all the same.
_UNITED_KINGDOM = "UK"


def is_country(code: str) -> bool:
    """Whether a code has a country's form.

    >>> is_country("DE"), is_country("UK"), is_country("de")
    (True, False, False)
    """
    return _LETTERS.fullmatch(code) is not None and code != _UNITED_KINGDOM


def country_of(text: str | None) -> str | None:
    """The country that somebody else's data names; None where it is none.

    >>> country_of("de"), country_of("UK"), country_of("Germany")
    ('DE', 'GB', None)
    """
    if text is None or not text.isascii():  # capitals of other letters may be two of these
        return None
    code = text.upper()
    code = "GB" if code == _UNITED_KINGDOM else code
    return code if is_country(code) else None


def country_of_market(market: str | None) -> str | None:
    """The country that a merchant's own label of a market names, which it does in capitals only.

    >>> country_of_market("FR"), country_of_market("UK"), country_of_market("eu")
    ('FR', 'GB', None)
    """
    return country_of(market) if market is not None and market.isupper() else None


def country_or_market(country: str | None, market: str | None) -> str | None:
    """The issuer's country; where it is not known, the market if that is a country.

    >>> country_or_market(None, "BR"), country_or_market("PT", "BR"), country_or_market(None, "LATAM")
    ('BR', 'PT', None)
    """
    return country if country is not None else country_of_market(market)
