"""Rules of the transparency log: Merkle trees over the entries, tiles, checkpoints, signed notes and the witness protocol."""
