"""Pure rules: the standard library only, no framework, no clock, no randomness."""
