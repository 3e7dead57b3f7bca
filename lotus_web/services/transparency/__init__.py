"""Write side of the transparency log: its keys, its tiles and its checkpoints."""
