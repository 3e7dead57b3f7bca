"""Read side of deliveries: what is not delivered, and the callback of an operation."""
