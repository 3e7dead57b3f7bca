"""The log: its entries and where each tenant's ends, and which rows of other tables are entries of it as well."""
