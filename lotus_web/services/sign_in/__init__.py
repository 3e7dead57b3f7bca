"""Write side of sign-in: passwords, attempts and sessions."""
