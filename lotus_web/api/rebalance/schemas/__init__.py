"""The declared answers of the rebalance routes, a file a feature."""
