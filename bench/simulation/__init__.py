"""The market of `bench/money_simulation.py`: its time and faults, its people, and what they are due.

Import it after `django.setup()`.
"""

from bench.simulation.market import Market

__all__ = ["Market"]
