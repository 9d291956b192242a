"""On which rails each network's attempts run."""

from collections.abc import Mapping

from features.vocabulary import Network, Rail

_CARDS = (Rail.CARD, Rail.WALLET)
_DEBITS = (Rail.BANK_DEBIT,)
_TRANSFERS = (Rail.ACCOUNT_TO_ACCOUNT,)

RAILS: Mapping[Network, tuple[Rail, ...]] = {
    Network.VISA: _CARDS,
    Network.MASTERCARD: _CARDS,
    Network.AMERICAN_EXPRESS: _CARDS,
    Network.DISCOVER: _CARDS,
    Network.DINERS: _CARDS,
    Network.JCB: _CARDS,
    Network.UNIONPAY: _CARDS,
    Network.ELO: _CARDS,
    Network.HIPERCARD: _CARDS,
    Network.INTERAC: _CARDS,
    Network.CARTES_BANCAIRES: _CARDS,
    Network.RUPAY: _CARDS,
    Network.MADA: _CARDS,
    Network.ACH: _DEBITS,
    Network.SEPA_CORE: _DEBITS,
    Network.SEPA_B2B: _DEBITS,
    Network.BACS: _DEBITS,
    Network.PAD: _DEBITS,
    Network.AUTOGIRO: _DEBITS,
    Network.BETALINGSSERVICE: _DEBITS,
    Network.BECS_AU: _DEBITS,
    Network.BECS_NZ: _DEBITS,
    Network.NACH: _DEBITS,
    Network.DOMICILIACION: _DEBITS,
    Network.UPI_AUTOPAY: _TRANSFERS,
    Network.PIX_AUTOMATICO: _TRANSFERS,
    Network.PAYTO: _TRANSFERS,
    Network.OPEN_BANKING: _TRANSFERS,
    Network.BOLETO: (Rail.VOUCHER,),
    Network.UNKNOWN: tuple(Rail),
}
