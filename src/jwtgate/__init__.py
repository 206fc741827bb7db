"""A JWT gateway and toolkit."""
