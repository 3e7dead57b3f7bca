"""Read side of health: readiness, metrics, the doctor's findings and the store's figures."""
