"""Databases for tests, of both kinds, and the processes that hold them."""
