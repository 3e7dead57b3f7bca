"""Write side of events: the append-only log, its projection and its rebuild."""
