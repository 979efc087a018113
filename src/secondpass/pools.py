"""Pools of threads that answer to the last: while the program ends, too."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from secondpass.forking import reset_after_fork
from secondpass.interruptible import Future

__all__ = ["at_once", "submit"]

Arguments = ParamSpec("Arguments")
Key = TypeVar("Key")
Result = TypeVar("Result")

_MOST_THREADS = 2**31  # none waits for another, or calls within calls would wait for each other


def submit(
    pool: Executor, call: Callable[Arguments, Result], /, *positional: Arguments.args, **named: Arguments.kwargs
) -> "Future[Result]":
    """Run a call in a pool; where the pool takes no more calls, run it here and now.

    Once the main thread has ended, no pool of the program takes any, but other threads may still wait for scores.
    """
    future: Future[Result] = Future()
    work = partial(call, *positional, **named)
    try:
        pool.submit(future.answer, work)
    except RuntimeError:
        future.answer(work, catch=Exception)  # what interrupts the caller is the caller's
    return future


class _Shared:
    """The threads of all calls that run at once. They stay for later calls: as many as were ever busy together."""

    def __init__(self) -> None:
        self.reset()
        reset_after_fork(self, _Shared.reset)

    def reset(self) -> None:
        self.pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="secondpass-member")


_shared = _Shared()


def at_once(calls: Mapping[Key, Callable[[], Result]]) -> "dict[Key, Future[Result]]":
    """Run calls at once, each in a thread with the caller's context variables, the last one in the caller's own.

    Returns:
        Their futures, in the same order; all of them are done.
    """
    *others, last = calls
    futures = {key: submit(_shared.pool, copy_context().run, calls[key]) for key in others}
    own: Future[Result] = Future()
    try:
        own.answer(calls[last], catch=Exception)
    finally:  # what was interrupted here goes on there
        for future in futures.values():
            future.wait()
    return futures | {last: own}
