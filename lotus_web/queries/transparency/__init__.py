"""Read side of the transparency log: its state, its proofs, and its verification against the log."""
