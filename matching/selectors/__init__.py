"""Reads: documents for the engine, matches for pages, and what is out of date."""
