"""The rebalance engine: a pure function from a request to a result, one file per step of engine §3."""
