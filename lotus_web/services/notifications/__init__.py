"""Write side of notifications: what is sent by which channel, and marking notices read."""
