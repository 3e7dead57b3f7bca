"""Scheduled work: what runs, how often, and which process runs it."""
