"""How facts are put in sentences people read: days, percentages, methods, countries. English, whatever the locale."""

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from holidays.registry import COUNTRIES

from features.method import Method
from features.vocabulary import DeclineCategory, Network, Rail

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WITH_ARTICLE = frozenset({"AE", "BS", "GB", "GM", "NL", "PH", "US"})

NETWORK_NAMES = {
    Network.VISA: "Visa",
    Network.MASTERCARD: "Mastercard",
    Network.AMERICAN_EXPRESS: "American Express",
    Network.DISCOVER: "Discover",
    Network.DINERS: "Diners Club",
    Network.JCB: "JCB",
    Network.UNIONPAY: "UnionPay",
    Network.ELO: "Elo",
    Network.HIPERCARD: "Hipercard",
    Network.INTERAC: "Interac",
    Network.CARTES_BANCAIRES: "Cartes Bancaires",
    Network.RUPAY: "RuPay",
    Network.MADA: "mada",
    Network.ACH: "ACH",
    Network.SEPA_CORE: "SEPA",
    Network.SEPA_B2B: "SEPA B2B",
    Network.BACS: "Bacs",
    Network.PAD: "Canadian pre-authorized",
    Network.AUTOGIRO: "Autogiro",
    Network.BETALINGSSERVICE: "Betalingsservice",
    Network.BECS_AU: "BECS",
    Network.BECS_NZ: "New Zealand BECS",
    Network.NACH: "NACH",
    Network.DOMICILIACION: "domiciliación",
    Network.UPI_AUTOPAY: "UPI AutoPay",
    Network.PIX_AUTOMATICO: "Pix Automático",
    Network.PAYTO: "PayTo",
    Network.OPEN_BANKING: "open-banking",
    Network.BOLETO: "boleto",
    Network.UNKNOWN: "",
}

_RAIL_NAMES = {
    Rail.CARD: "card",
    Rail.BANK_DEBIT: "debit",
    Rail.ACCOUNT_TO_ACCOUNT: "account payment",
    Rail.WALLET: "wallet",
    Rail.VOUCHER: "voucher",
    Rail.UNKNOWN: "method",
}

CATEGORY_NAMES = {
    DeclineCategory.INSUFFICIENT_FUNDS: "insufficient funds",
    DeclineCategory.DO_NOT_HONOR: "refused without a reason",
    DeclineCategory.ISSUER_UNAVAILABLE: "issuer not reachable",
    DeclineCategory.PROCESSING_ERROR: "technical fault",
    DeclineCategory.EXPIRED_CARD: "card expired",
    DeclineCategory.INVALID_ACCOUNT: "account or card number not valid",
    DeclineCategory.CLOSED_ACCOUNT: "account closed",
    DeclineCategory.ACCOUNT_CHANGED: "account moved",
    DeclineCategory.LOST_OR_STOLEN: "card reported lost or stolen",
    DeclineCategory.SUSPECTED_FRAUD: "suspected fraud",
    DeclineCategory.RESTRICTED_CARD: "card or account restricted",
    DeclineCategory.VELOCITY_LIMIT: "too many attempts at the issuer",
    DeclineCategory.AMOUNT_LIMIT: "amount over a limit",
    DeclineCategory.AUTHENTICATION_REQUIRED: "payer has to confirm",
    DeclineCategory.INCORRECT_DETAILS: "details incorrect",
    DeclineCategory.REVOKED_AUTHORIZATION: "authorization revoked by the payer",
    DeclineCategory.NOT_PERMITTED: "not permitted for this method",
    DeclineCategory.MANDATE_MISSING: "no valid mandate",
    DeclineCategory.REFER_TO_ISSUER: "payer has to ask the issuer",
    DeclineCategory.DUPLICATE: "taken for a duplicate",
    DeclineCategory.CONFIGURATION_ERROR: "merchant set-up at fault",
    DeclineCategory.UNKNOWN: "unknown reason",
}


def local_date(instant: datetime, zone: str) -> date:
    """The calendar day of the instant on that clock."""
    return instant.astimezone(ZoneInfo(zone)).date()


def day_words(day: date) -> str:
    """`Tue 24 Nov 2026`."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_words(instant: datetime, zone: str) -> str:
    """`Tue 24 Nov 2026 09:00 (Europe/Berlin)`: the instant on that clock."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{day_words(local)} {local:%H:%M} ({zone})"


def percent(probability: float) -> str:
    """`48 %`; one decimal below ten, so that small chances can be told apart, and nothing uncertain is called certain.

    >>> percent(0.482), percent(0.0312), percent(0.9971), percent(0.0002)
    ('48 %', '3.1 %', 'over 99 %', 'under 0.1 %')
    """
    share = probability * 100
    if 99.5 <= share < 100:
        return "over 99 %"
    if 0 < share < 0.05:
        return "under 0.1 %"
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %"


def count_words(number: int, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration_words(length: timedelta) -> str:
    """The length in the unit a person would use: minutes, hours or days, rounded."""
    minutes = round(length.total_seconds() / 60)
    if minutes < 120:
        return count_words(minutes, "minute")
    if minutes < 48 * 60:
        return count_words(round(minutes / 60), "hour")
    return count_words(round(minutes / (24 * 60)), "day")


def method_words(method: Method) -> str:
    """`the Visa card pm_1`, `the SEPA debit pm_2`."""
    parts = ("the", NETWORK_NAMES[method.network], _RAIL_NAMES[method.rail], method.method_id)
    return " ".join(part for part in parts if part)


def capitalized(sentence: str) -> str:
    """The sentence with its first letter in capitals and the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


@cache
def country_words(code: str) -> str:
    """The country in English as it follows "in": `Germany`, `the United States`; the code where it has no name."""
    names = (module.replace("_", " ").title() for module, entry in COUNTRIES.items() if entry[1] == code)
    name = next(names, code)
    return f"the {name}" if code in _WITH_ARTICLE else name
