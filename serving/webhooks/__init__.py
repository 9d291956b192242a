"""Webhooks in: verified, kept as they came, read into the ledger, and read again where that failed."""
