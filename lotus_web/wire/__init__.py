"""JSON shapes: what is parsed and what is written."""
