"""Waiting for a condition with a deadline; nothing in the tests waits for a time."""

import time
from typing import Callable, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Polls until the condition's result is true and returns it; past the deadline, says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(POLL_SECONDS)
