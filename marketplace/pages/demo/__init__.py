"""A small believable market, built through the same services a user would use."""
