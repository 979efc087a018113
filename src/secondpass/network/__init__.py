"""Calls to servers: each attempt within a wall-clock limit, repeated where that helps, and stopped at once."""

from secondpass.network.attempts import OutOfTimeError, within
from secondpass.network.failures import CallError
from secondpass.network.retries import Retries
from secondpass.network.stop import Slots, Stop, StoppedError, side_by_side

__all__ = [
    "CallError",
    "OutOfTimeError",
    "Retries",
    "Slots",
    "Stop",
    "StoppedError",
    "side_by_side",
    "within",
]
