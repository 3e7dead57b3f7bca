"""Charts drawn on the server: bars and loads."""
