"""Write side of accounts: people, their roles, service accounts and API tokens."""
