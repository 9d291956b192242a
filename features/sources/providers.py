"""Every sender whose webhooks are read here; the next one is one file and one line."""

from collections.abc import Mapping

from features.sources.adyen import ADYEN
from features.sources.braintree import BRAINTREE
from features.sources.chargebee import CHARGEBEE
from features.sources.checkout import CHECKOUT
from features.sources.gocardless import GOCARDLESS
from features.sources.killbill import KILLBILL
from features.sources.provider import Provider
from features.sources.recurly import RECURLY
from features.sources.stripe import STRIPE

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (STRIPE, ADYEN, BRAINTREE, GOCARDLESS, CHECKOUT, CHARGEBEE, RECURLY, KILLBILL)
}
