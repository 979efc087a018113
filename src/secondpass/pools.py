"""Pools of threads that answer to the last: while the program ends, too."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from secondpass.forking import reset_after_fork

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
    try:
        return pool.submit(call, *positional, **named)
    except RuntimeError:
        return _done(call, *positional, **named)


def _done(
    call: Callable[Arguments, Result], /, *positional: Arguments.args, **named: Arguments.kwargs
) -> "Future[Result]":
    future: Future[Result] = Future()
    try:
        future.set_result(call(*positional, **named))
    except Exception as exc:  # whatever it is, it is the future's, as it would be in the pool
        future.set_exception(exc)
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
    try:
        own = _done(calls[last])
    finally:  # what was interrupted here goes on there
        wait(futures.values())
    return futures | {last: own}
