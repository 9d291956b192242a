"""The ledger: what was attempted, told and reserved, kept in SQLite or PostgreSQL so that no count is ever wrong."""
