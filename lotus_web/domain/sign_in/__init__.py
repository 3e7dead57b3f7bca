"""Rules of sign-in: how people prove who they are."""
