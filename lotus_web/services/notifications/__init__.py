"""Write side of notifications: storing deliveries, sending them, and marking notices read."""
