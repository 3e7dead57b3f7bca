"""Write side of analyses: several scenarios of one portfolio, computed together."""
