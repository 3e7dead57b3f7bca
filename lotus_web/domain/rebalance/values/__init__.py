"""The values of a rebalance: request, options, intents, states, diagnostics and result."""
