"""Pools of threads that answer to the last: while the program ends, too."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

__all__ = ["submit"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def submit(
    pool: Executor, call: Callable[Arguments, Result], /, *positional: Arguments.args, **named: Arguments.kwargs
) -> "Future[Result]":
    """Run a call in a pool; where the pool takes no more calls, run it here and now.

    Once the main thread has ended, no pool of the program takes any, but other threads may still wait for scores.
    """
    try:
        return pool.submit(call, *positional, **named)
    except RuntimeError:
        future: Future[Result] = Future()
    try:
        future.set_result(call(*positional, **named))
    except Exception as exc:  # whatever it is, it is the future's, as it would be in the pool
        future.set_exception(exc)
    return future
