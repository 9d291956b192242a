"""The closed lists of the field; each ends with an explicit word for what is not known."""

from enum import StrEnum


class Rail(StrEnum):
    """How money moves."""

    CARD = "card"
    BANK_DEBIT = "bank_debit"
    ACCOUNT_TO_ACCOUNT = "account_to_account"
    WALLET = "wallet"
    VOUCHER = "voucher"
    UNKNOWN = "unknown"


class Network(StrEnum):
    """Whose rules govern an attempt: a card network or a bank-debit or account-to-account scheme."""

    VISA = "visa"
    MASTERCARD = "mastercard"
    AMERICAN_EXPRESS = "american_express"
    DISCOVER = "discover"
    DINERS = "diners"
    JCB = "jcb"
    UNIONPAY = "unionpay"
    ELO = "elo"
    HIPERCARD = "hipercard"
    INTERAC = "interac"
    CARTES_BANCAIRES = "cartes_bancaires"
    RUPAY = "rupay"
    MADA = "mada"
    ACH = "ach"
    SEPA_CORE = "sepa_core"
    SEPA_B2B = "sepa_b2b"
    BACS = "bacs"
    PAD = "pad"
    AUTOGIRO = "autogiro"
    BETALINGSSERVICE = "betalingsservice"
    BECS_AU = "becs_au"
    BECS_NZ = "becs_nz"
    NACH = "nach"
    DOMICILIACION = "domiciliacion"
    UPI_AUTOPAY = "upi_autopay"
    PIX_AUTOMATICO = "pix_automatico"
    PAYTO = "payto"
    OPEN_BANKING = "open_banking"
    BOLETO = "boleto"
    UNKNOWN = "unknown"


class Funding(StrEnum):
    """Where a card's money comes from."""

    CREDIT = "credit"
    DEBIT = "debit"
    PREPAID = "prepaid"
    UNKNOWN = "unknown"


class Credential(StrEnum):
    """The form of the stored credential; networks count attempts per form."""

    PAN = "pan"
    NETWORK_TOKEN = "network_token"  # noqa: S105 - the form of a credential, not one
    ACCOUNT = "account"
    UNKNOWN = "unknown"


class Initiator(StrEnum):
    """Who started an attempt; some networks count the two apart."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What an attempt came to. `error` never reached the issuer; `unknown` is not final yet."""

    APPROVED = "approved"
    DECLINED = "declined"
    ERROR = "error"
    UNKNOWN = "unknown"


FAILED = frozenset({Outcome.DECLINED, Outcome.ERROR})
"""Final, and not approved: the outcomes of a failed attempt."""


class Precision(StrEnum):
    """How finely a time is known: exports of bank debits often carry only the day."""

    INSTANT = "instant"
    DAY = "day"


class DeclineCategory(StrEnum):
    """Why an attempt failed, across networks and processors (reference: decline code tables)."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    DO_NOT_HONOR = "do_not_honor"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    PROCESSING_ERROR = "processing_error"
    EXPIRED_CARD = "expired_card"
    INVALID_ACCOUNT = "invalid_account"
    CLOSED_ACCOUNT = "closed_account"
    ACCOUNT_CHANGED = "account_changed"
    LOST_OR_STOLEN = "lost_or_stolen"
    SUSPECTED_FRAUD = "suspected_fraud"
    RESTRICTED_CARD = "restricted_card"
    VELOCITY_LIMIT = "velocity_limit"
    AMOUNT_LIMIT = "amount_limit"
    AUTHENTICATION_REQUIRED = "authentication_required"
    INCORRECT_DETAILS = "incorrect_details"
    REVOKED_AUTHORIZATION = "revoked_authorization"
    NOT_PERMITTED = "not_permitted"
    MANDATE_MISSING = "mandate_missing"
    REFER_TO_ISSUER = "refer_to_issuer"
    DUPLICATE = "duplicate"
    CONFIGURATION_ERROR = "configuration_error"
    UNKNOWN = "unknown"


TECHNICAL = (DeclineCategory.ISSUER_UNAVAILABLE, DeclineCategory.PROCESSING_ERROR)
"""Failures of the issuer's or processor's systems, which pass by themselves."""


class Retryability(StrEnum):
    """What may be useful after a decline; the caps say what is allowed."""

    NEVER = "never"
    LATER = "later"
    SOON = "soon"
    AFTER_FIX = "after_fix"
    WITH_AUTHENTICATION = "with_authentication"
    UNKNOWN = "unknown"
