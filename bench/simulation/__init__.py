"""The market of `bench/money_simulation.py`: its time and faults, its people, their dues.

Import it after `django.setup()`.
"""

from bench.simulation.market import Market

__all__ = ["Market"]
