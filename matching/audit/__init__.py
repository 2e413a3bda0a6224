"""The audit of fairness: a market whose truth is known, the metrics, and what must turn them red."""
