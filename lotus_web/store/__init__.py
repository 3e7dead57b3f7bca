"""The engine, column types, transactions, upserts, new ids, the clock, and what counts as the store being away."""
