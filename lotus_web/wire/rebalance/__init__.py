"""The parts of a rebalance request and of its result, each as it goes over the wire."""
