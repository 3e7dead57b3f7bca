"""JSON of proposals: simulation requests and results."""
