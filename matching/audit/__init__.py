"""The audit of fairness: a market whose truth is known, metrics, and twins that must be caught."""
