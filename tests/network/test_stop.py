"""Waits end at once: for a sibling call that failed for good, and for Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from secondpass.errors import ScoringError
from secondpass.llm import CompletionError, Prompt
from secondpass.network import CallError, OutOfTimeError, Retries, Slots, Stop, StoppedError, side_by_side, within
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from tests.network.faults import Connection, faulty

_SOON_S = 30.0  # a guard: what is tested here ends at once, or not for ten minutes
_LONG_S = 600.0


def _respond(connection: Connection, head: str, body: bytes = b"{}") -> None:
    connection.send(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def _ends_soon(call: Callable[[], Any]) -> BaseException | None:
    """Run a call in a thread, and return what it raised."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except BaseException as exc:
            raised.append(exc)
        else:
            raised.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_SOON_S)
    assert raised, "it is still waiting"
    return raised[0]


class TestStop:
    def test_it_wakes_whoever_waits_and_keeps_the_first_reason(self) -> None:
        """A wait that began before, one that begins after, and those who ask to be called."""
        stop, woken = Stop(), threading.Event()
        stop.wait(0.0)
        first = ValueError("first")
        with stop.waking(woken.set):
            timer = threading.Timer(0.05, stop.set, [first])
            timer.start()
            with pytest.raises(StoppedError):
                stop.wait(_LONG_S)
            timer.join()
        assert woken.is_set() and stop.is_set
        stop.set(ValueError("second"))
        assert stop.reason is first
        again = threading.Event()
        with stop.waking(again.set), pytest.raises(StoppedError):
            stop.wait(_LONG_S)
        assert again.is_set()

    def test_who_has_left_is_not_woken(self) -> None:
        """The call stands for the block only."""
        stop, woken = Stop(), threading.Event()
        with stop.waking(woken.set):
            pass
        stop.set(ValueError())
        assert not woken.is_set()


class TestSlots:
    def test_there_are_so_many_and_they_come_back(self) -> None:
        """One that is not free in time is a TimeoutError; one that was given back is taken by who waits."""
        slots, stop = Slots(2), Stop()
        with slots.taken(stop), slots.taken(stop), pytest.raises(TimeoutError), slots.taken(stop, 0.01):
            pass
        with slots.taken(stop), slots.taken(stop, -1.0):
            pass

    def test_a_stop_ends_the_queue(self) -> None:
        """Who waits for a slot, and who comes later, though one is free then."""
        slots, stop = Slots(1), Stop()
        with slots.taken(Stop()):
            threading.Timer(0.05, stop.set, [ValueError()]).start()

            def wait() -> None:
                with slots.taken(stop, _LONG_S):
                    pass

            assert isinstance(_ends_soon(wait), StoppedError)
        with pytest.raises(StoppedError), slots.taken(stop):
            pass

    def test_an_error_gives_the_slot_back(self) -> None:
        """Whatever ends the block."""
        slots = Slots(1)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt), slots.taken(Stop(), 0.0):
                raise KeyboardInterrupt


class TestWithin:
    def test_it_is_as_if_called_here(self) -> None:
        """Results and errors come through."""
        assert within(_SOON_S, lambda: 3, stop=Stop()) == 3
        with pytest.raises(KeyError, match="why"):
            within(_SOON_S, lambda: {}["why"], stop=Stop())

    def test_what_is_late_or_stopped_is_given_up_once(self) -> None:
        """It is told so, to end soon; what was stopped before is not begun."""
        over, given_up = threading.Event(), []
        with pytest.raises(OutOfTimeError):
            within(0.01, lambda: over.wait(_SOON_S), stop=Stop(), give_up=lambda: given_up.append(1))
        cut = threading.Event()

        def fails_when_cut() -> None:
            cut.wait(_SOON_S)
            raise ConnectionError

        def cut_and_wait() -> None:
            cut.set()
            threading.Event().wait(0.05)

        with pytest.raises(OutOfTimeError):  # and not with what came of giving it up
            within(0.01, fails_when_cut, stop=Stop(), give_up=cut_and_wait)
        stop = Stop()
        threading.Timer(0.05, stop.set, [ValueError()]).start()
        with pytest.raises(StoppedError):
            within(_LONG_S, lambda: over.wait(_SOON_S), stop=stop, give_up=lambda: given_up.append(2))
        begun: list[int] = []
        with pytest.raises(StoppedError):
            within(_LONG_S, lambda: begun.append(1), stop=stop)
        assert given_up == [1, 2] and not begun
        over.set()


class TestSideBySide:
    def test_results_come_in_order(self) -> None:
        """However many workers there are."""
        for workers in (1, 3):
            assert side_by_side(lambda n: n * n, [3, 1, 2], workers=workers, stop=Stop()) == [9, 1, 4]

    def test_the_first_failure_in_time_is_raised_and_ends_the_others(self) -> None:
        """Though it is not the first in order; what has not begun does not begin."""
        stop, begun = Stop(), []

        def call(item: int) -> None:
            begun.append(item)
            if item == 1:
                raise ValueError("the reason")
            stop.wait(_LONG_S)

        exc = _ends_soon(lambda: side_by_side(call, range(20), workers=2, stop=stop))
        assert isinstance(exc, ValueError) and str(exc) == "the reason" and len(begun) == 2


class TestRetries:
    def test_waits_double_up_to_a_limit(self) -> None:
        """A wait is at most what the setting says, on top of what the server asked for."""
        retries, waits = Retries(12, 0.5, max_wait_s=8.0), []
        error = CallError("busy", retryable=True, retry_after_s=3.0)

        class Passes(Stop):
            def wait(self, timeout_s: float) -> None:
                waits.append(timeout_s)

        def fail() -> None:
            raise error

        with pytest.raises(CallError, match=r"^busy \(attempt 13\)$"):
            retries.call(fail, stop=Passes(), on_retry=lambda exc, wait_s: None)
        assert len(waits) == 12
        assert all(3.0 <= wait <= 3.0 + min(8.0, 0.5 * 2**n) for n, wait in enumerate(waits))
        assert len(set(waits)) > 6

    @pytest.mark.parametrize(
        ("error", "left_s", "said"),
        [
            (CallError("x"), 99.0, "x"),
            (CallError("x", retryable=True, retry_after_s=10.1), 99.0, "x"),
            (CallError("x", retryable=True, retry_after_s=9.0), 8.0, "x; total_timeout_s leaves no time for another"),
        ],
    )
    def test_when_there_is_no_other_attempt(self, error: CallError, left_s: float, said: str) -> None:
        """A failure for good, a server that asks for too much, a time that is over."""

        def fail() -> None:
            raise error

        with pytest.raises(CallError) as caught:
            Retries(3, 0.1, max_wait_s=10.0).call(
                fail, stop=Stop(), on_retry=lambda exc, wait_s: pytest.fail("no retry"), left_s=lambda: left_s
            )
        assert str(caught.value).startswith(said) and caught.value.retryable is error.retryable


class TestSiblings:
    def test_one_that_waits_for_its_retry_stops(self) -> None:
        """One of two calls is to come back in ten minutes; the other one is refused for good."""
        waits = threading.Event()

        def act(connection: Connection) -> None:
            connection.read_request()
            if not waits.is_set():
                waits.set()
                _respond(connection, f"429 Busy\r\nRetry-After: {_LONG_S}")
            else:
                threading.Event().wait(0.1)
                _respond(connection, "403 Forbidden")
            connection.for_ever()

        with faulty(act) as server:
            reranker = RemoteReranker(server.url, shape="tei", batch_size=1, max_wait_s=_LONG_S, timeout_s=_LONG_S)
            exc = _ends_soon(lambda: reranker.score("q", ["a", "b"]))
            assert isinstance(exc, ScoringError) and "HTTP 403" in str(exc)

    @pytest.mark.parametrize("kind", ["remote", "llm", "queries"])
    def test_one_that_is_on_its_way_stops(self, kind: str) -> None:
        """One call is never answered, the other one refused: its connection is closed at once."""
        taken = threading.Lock()

        def act(connection: Connection) -> None:
            connection.read_request()
            if not taken.acquire(blocking=False):
                _respond(connection, "401 Unauthorized")
            connection.for_ever()

        limits: dict[str, Any] = {"timeout_s": _LONG_S, "max_retries": 0}
        with faulty(act) as server:
            llm = LLMReranker("m", mode="graded", base_url=server.url, total_timeout_s=_LONG_S, **limits)
            calls: dict[str, Callable[[], Any]] = {
                "remote": lambda: RemoteReranker(server.url, shape="tei", batch_size=1, **limits).score(
                    "q", ["a", "b"]
                ),
                "llm": lambda: llm.score("q", ["a", "b"]),
                "queries": lambda: llm.rerank_many([("q", ["a"]), ("r", ["b"])]),
            }
            exc = _ends_soon(calls[kind])
            assert isinstance(exc, ScoringError) and "HTTP 401" in str(exc)
            assert server.left.acquire(timeout=_SOON_S)

    def test_a_function_of_the_users_is_left_behind(self) -> None:
        """One that still runs when another call has failed for good is not waited for."""
        begun, over = threading.Event(), threading.Event()

        def ask(prompt: Prompt, timeout_s: float) -> str:
            if "\nslow\n" in prompt.user:
                begun.set()
                over.wait(_LONG_S)
            begun.wait(_SOON_S)
            raise CompletionError("for good")

        llm = LLMReranker("m", mode="graded", completion=ask, timeout_s=_LONG_S, total_timeout_s=_LONG_S)
        assert str(_ends_soon(lambda: llm.score("q", ["slow", "fast"]))) == "for good"
        over.set()


_INTERRUPTED = """
import signal, sys, threading
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker

signal.signal(signal.SIGINT, signal.default_int_handler)
kind, url = sys.argv[1:]
limits = {"timeout_s": 600.0, "max_retries": 3}

def forgets(prompt, timeout_s):
    print("begun", flush=True)
    threading.Event().wait()

llm = {"mode": "graded", "total_timeout_s": 900.0, **limits}
remote = {"shape": "tei", "batch_size": 1, "max_wait_s": 600.0, **limits}
reranker = {
    "llm": lambda: LLMReranker("m", base_url=url, **llm),
    "one at a time": lambda: LLMReranker("m", base_url=url, concurrency=1, **llm),
    "function": lambda: LLMReranker("m", completion=forgets, **llm),
    "remote": lambda: RemoteReranker(url, **remote),
    "queue": lambda: RemoteReranker(url, concurrency=2, **remote),
}[kind]()
try:
    reranker.rerank_many([("q", ["a", "b", "c"]), ("r", ["a", "b", "c"])])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("kind", ["llm", "one at a time", "function", "remote", "queue"])
@pytest.mark.parametrize("waits_for", ["an answer", "another attempt"])
def test_ctrl_c_ends_at_once(kind: str, waits_for: str) -> None:
    """A program that waits for a server, for a slot or for ``Retry-After`` is interrupted, and ends."""
    asked = threading.Event()

    def act(connection: Connection) -> None:
        connection.read_request()
        if waits_for == "another attempt":
            _respond(connection, f"429 Busy\r\nRetry-After: {_LONG_S}")
        asked.set()
        connection.for_ever()

    with faulty(act) as server:
        environment = os.environ | {"NO_PROXY": "127.0.0.1"}
        program = subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTED, kind, server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        with program:
            assert program.stdout is not None
            if kind == "function":
                assert program.stdout.readline().startswith("begun")
            else:
                assert asked.wait(_SOON_S)
            threading.Event().wait(0.3)  # so that it waits, and does not only begin to
            program.send_signal(signal.SIGINT)
            try:
                said, errors = program.communicate(timeout=_SOON_S)
            except subprocess.TimeoutExpired:
                program.kill()
                raise
    assert said.splitlines()[-1:] == ["interrupted"], errors
    assert program.returncode == 0
