"""The write side, a room a feature: each command checks, changes and flushes; its caller commits."""
