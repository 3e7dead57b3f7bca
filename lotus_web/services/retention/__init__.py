"""Write side of retention: purges, their preview, legal holds and housekeeping."""
