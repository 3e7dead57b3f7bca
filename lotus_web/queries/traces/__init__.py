"""Read side of traces: one trace: its summary, order and timeline."""
