"""Rules of deadlines: due times, the sweep, the board and moving late work."""
