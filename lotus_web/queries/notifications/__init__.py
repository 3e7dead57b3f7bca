"""Read side of notifications: what people are told, its delivery and whether it was read."""
