"""The read side, a room a feature: nothing here writes."""
