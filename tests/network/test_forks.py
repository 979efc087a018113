"""A child that is forked while calls are on their way has all slots, and connections of its own."""

import json
import os
import select
import threading
from collections.abc import Callable
from typing import Any

import pytest

from secondpass.llm import Answer, Budget, Prompt
from secondpass.network import Slots, Stop
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from tests.network.faults import Connection, faulty

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

_SOON_S = 30.0


def _in_child(call: Callable[[], Any]) -> Any:
    """Fork, and return what the call returns in the child."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  # coverage ends with the process
        try:
            os.write(write, json.dumps(call()).encode())
        finally:
            os._exit(0)
    os.close(write)
    try:
        assert select.select([read], [], [], _SOON_S)[0], "the child hangs"
        with os.fdopen(read, "rb", closefd=False) as pipe:
            return json.loads(pipe.read() or b'"the child failed"')
    finally:
        os.close(read)
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_slots_that_are_taken_are_free_in_a_child() -> None:
    """The threads that hold them are the parent's; there they stay taken until these give them back."""
    slots, stop = Slots(1), Stop()

    def is_free() -> bool:
        try:
            with slots.taken(stop, 0.0):
                return True
        except TimeoutError:
            return False

    with slots.taken(stop):
        assert _in_child(is_free) is True
        assert not is_free()
    assert is_free()


def test_a_slot_held_by_the_forking_thread_is_given_back_once() -> None:
    """A child that leaves the block which its parent entered has no more slots than there are."""
    slots, stop = Slots(1), Stop()

    def count() -> int:
        holding.__exit__(None, None, None)
        return slots._free

    with slots.taken(stop) as _:
        holding = slots.taken(stop, 0.0)
        assert _in_child(lambda: slots._free) == 1
    holding = slots.taken(stop)
    holding.__enter__()
    assert _in_child(count) == 1
    holding.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["llm", "remote"])
def test_a_child_calls_while_its_parents_calls_hang(kind: str) -> None:
    """All of the parent's calls are on their way when it forks; the child's are answered at once."""
    parent = os.getpid()
    on_their_way, over = threading.Semaphore(0), threading.Event()

    def ask(prompt: Prompt, timeout_s: float) -> Answer:
        if os.getpid() == parent:
            on_their_way.release()
            over.wait(_SOON_S)
        return Answer('{"grade": 2}')

    answer = b'[{"index": 0, "score": 0.5}]'
    n_requests = 0

    def act(connection: Connection) -> None:
        nonlocal n_requests
        connection.read_request()
        n_requests += 1
        if n_requests <= 2:
            on_their_way.release()
            over.wait(_SOON_S)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
        connection.for_ever()

    with faulty(act) as server:
        reranker: Any = (
            LLMReranker("m", mode="graded", completion=ask, concurrency=2)
            if kind == "llm"
            else RemoteReranker(server.url, shape="tei", concurrency=2)
        )
        threads = [threading.Thread(target=reranker.score, args=("q", [text])) for text in "ab"]
        for thread in threads:
            thread.start()
        assert all(on_their_way.acquire(timeout=_SOON_S) for _ in threads)
        scored = _in_child(lambda: reranker.score("q", ["c"]).tolist())
        over.set()
        for thread in threads:
            thread.join()
        assert scored == ([2.0] if kind == "llm" else [0.5])
        if kind == "remote":
            reranker.close()


def test_locks_that_are_held_are_free_in_a_child() -> None:
    """Those of a budget and of kept answers: another thread of the parent has them when it forks."""
    budget = Budget(1000)
    reranker = LLMReranker("m", mode="graded", completion=_grade, budget=budget, cache_size=4)
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with budget._lock, reranker._asked._lock:
            held.set()
            over.wait(_SOON_S)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(_SOON_S)
    assert _in_child(lambda: reranker.score("q", ["c"]).tolist()) == [2.0]
    over.set()
    thread.join()


def _grade(prompt: Prompt, timeout_s: float) -> Answer:
    return Answer('{"grade": 2}')
