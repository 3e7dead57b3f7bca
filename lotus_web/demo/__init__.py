"""The demo tenant: real closes and exchange rates, portfolios that drifted with them, and what people decided."""
