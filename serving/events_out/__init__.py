"""Events for a merchant's own systems: signed, sent until they are accepted."""
