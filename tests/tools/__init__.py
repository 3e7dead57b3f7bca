"""A client that reads HTML strictly, and what is compiled once for all tests."""
