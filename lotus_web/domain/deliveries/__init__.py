"""Deliveries: what leaves Lotus Web by itself, when it is tried again, and where it may go."""
