"""Read side of notifications: what each person was told, and deliveries that are not done."""
