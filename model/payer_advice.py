"""What the payer could do about a failed payment, by the kind of decline."""

from features.attempt import Attempt
from features.context import Context
from features.vocabulary import FAILED, DeclineCategory
from model.failures import category_of

_ANOTHER = "add another payment method"
_NEW_CARD = "add the new card, or update number and expiry date"
_ASK_BANK = "ask their bank to allow the payment, then say so"
_PAY_NOW = "pay this invoice themselves through a payment link"

BY_CATEGORY: dict[DeclineCategory, tuple[str, ...]] = {
    DeclineCategory.INSUFFICIENT_FUNDS: ("name a day on which money will be there", _PAY_NOW, _ANOTHER),
    DeclineCategory.DO_NOT_HONOR: (_ASK_BANK, _ANOTHER),
    DeclineCategory.ISSUER_UNAVAILABLE: (_PAY_NOW,),
    DeclineCategory.PROCESSING_ERROR: (_PAY_NOW,),
    DeclineCategory.EXPIRED_CARD: (_NEW_CARD,),
    DeclineCategory.INVALID_ACCOUNT: ("correct the card or account number", _ANOTHER),
    DeclineCategory.CLOSED_ACCOUNT: (_ANOTHER,),
    DeclineCategory.ACCOUNT_CHANGED: ("give the new card or account number",),
    DeclineCategory.LOST_OR_STOLEN: (_NEW_CARD, _ANOTHER),
    DeclineCategory.SUSPECTED_FRAUD: (_ASK_BANK, _ANOTHER),
    DeclineCategory.RESTRICTED_CARD: (_ASK_BANK, _ANOTHER),
    DeclineCategory.VELOCITY_LIMIT: (_PAY_NOW, _ANOTHER),
    DeclineCategory.AMOUNT_LIMIT: ("ask their bank to raise the limit", _ANOTHER),
    DeclineCategory.AUTHENTICATION_REQUIRED: ("confirm the payment with their bank (3-D Secure or PIN)",),
    DeclineCategory.INCORRECT_DETAILS: ("correct the details that were refused", _ANOTHER),
    DeclineCategory.REVOKED_AUTHORIZATION: ("agree to the payment again, or cancel",),
    DeclineCategory.NOT_PERMITTED: (_ANOTHER,),
    DeclineCategory.MANDATE_MISSING: ("sign a new mandate", _ANOTHER),
    DeclineCategory.REFER_TO_ISSUER: (_ASK_BANK, _ANOTHER),
    DeclineCategory.DUPLICATE: ("nothing: check first whether the payment went through",),
    DeclineCategory.CONFIGURATION_ERROR: ("nothing: the merchant's set-up is at fault",),
    DeclineCategory.UNKNOWN: (_PAY_NOW, _ANOTHER),
}


def payer_could(context: Context) -> tuple[str, ...]:
    """What would help, most helpful first: the remedy for the last decline of each method, latest first."""
    latest: dict[str, Attempt] = {}
    for attempt in reversed(context.own_attempts):
        if attempt.outcome in FAILED:
            latest.setdefault(attempt.method_id, attempt)
    steps = [step for attempt in latest.values() for step in BY_CATEGORY[category_of(attempt)]]
    if not any(method.consented for method in context.methods):
        steps.insert(0, "agree to have one of the methods on file charged")
    return tuple(dict.fromkeys(steps))
