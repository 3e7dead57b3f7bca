"""Read side of traces: summary, order and timeline."""
