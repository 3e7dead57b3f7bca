"""Runs, people, events and histories that tests build on."""
