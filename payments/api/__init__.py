"""Money as JSON."""
