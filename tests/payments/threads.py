"""Several people at once, each with a connection of their own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def together(act: Callable[[int], Any], count: int) -> list[str]:
    """Run `act(number)` in so many threads that start at once; "ok" or the error's name of each."""
    outcomes = ["never ran"] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait(120)
        try:
            act(number)
        except Exception as error:  # noqa: BLE001 - the outcome is what the test looks at
            outcomes[number] = type(error).__name__
        else:
            outcomes[number] = "ok"
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes
