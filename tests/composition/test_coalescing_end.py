"""How coalescing ends: closed, collected, forked, copied, and with the program."""

import asyncio
import copy
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from secondpass.composition.coalescing import CoalescingReranker
from secondpass.errors import ScoringError
from secondpass.testing import FakeReranker
from tests.composition.gate import PATIENCE_S, busy, threads, until, waiting

Threads = Callable[[], list[threading.Thread]]


@pytest.fixture
def own_threads() -> Threads:
    """Return what gives the threads of coalescing rerankers that were not there when the test began."""
    others = threads()
    return lambda: [thread for thread in threads() if thread not in others]


class TestEnd:
    def test_closing_answers_those_that_wait(self, own_threads: Threads) -> None:
        """Who is queued gets scores, who comes later an error, and the thread is gone."""
        with busy(max_queue=3, max_wait_ms=3_600_000) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(3)]
            until(lambda: waiting(reranker) == 3)
            late = pool.submit(reranker.score, "no room", ["a"])
            closing = pool.submit(reranker.close)
            with pytest.raises(ScoringError, match="closed; create a new one"):
                late.result(PATIENCE_S)
            gate.open.set()
            closing.result(PATIENCE_S)
            assert [len(call.result(PATIENCE_S)) for call in calls] == [1] * 3
        with pytest.raises(ScoringError, match="closed"):
            reranker.score("q", ["a"])
        with pytest.raises(ScoringError, match="closed"):
            asyncio.run(reranker.arerank("q", ["a"]))
        reranker.close()
        assert own_threads() == []

    def test_closing_answers_one_that_waits_for_company(self) -> None:
        """After a shared batch the next call waits for as many others; when it is closed, nobody will come."""
        with busy(max_wait_ms=3_600_000) as (reranker, gate, pool):
            shared = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(2)]
            until(lambda: waiting(reranker) == 2)
            gate.open.set()
            assert [len(call.result(PATIENCE_S)) for call in shared] == [1] * 2
            alone = pool.submit(reranker.score, "alone", ["a"])
            until(lambda: waiting(reranker) == 1)
            reranker.close()
            assert len(alone.result(PATIENCE_S)) == 1

    def test_one_that_was_never_used_has_no_thread(self, own_threads: Threads) -> None:
        """The thread starts with the first call; closing without one is fine."""
        with CoalescingReranker(FakeReranker()) as reranker:
            assert own_threads() == []
        with pytest.raises(ScoringError, match="closed"):
            reranker.score("q", ["a"])

    def test_no_thread_outlives_its_reranker(self, own_threads: Threads) -> None:
        """When nothing refers to it any more, the thread ends without `close`."""
        for _ in range(5):
            CoalescingReranker(FakeReranker()).score("q", ["a"])
        gc.collect()
        assert own_threads() == []

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on; it is what is tested
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
    def test_it_works_after_a_fork(self) -> None:
        """The child has no thread and a stuck queue of the parent's, and starts its own."""
        with busy() as (reranker, gate, pool):
            waits = pool.submit(reranker.score, "waits", ["a"])
            until(lambda: waiting(reranker) == 1)
            receive, send = multiprocessing.Pipe(duplex=False)
            child = os.fork()
            if not child:
                try:
                    gate.open.set()
                    send.send(reranker.score("in the child", ["a", "child"]).tolist())
                    reranker.close()
                finally:
                    os._exit(0)  # whatever happens, not on into the parent's tests
            assert receive.poll(PATIENCE_S)
            assert receive.recv() == FakeReranker().score("in the child", ["a", "child"]).tolist()
            assert os.waitpid(child, 0)[1] == 0
            gate.open.set()
            assert len(waits.result(PATIENCE_S)) == 1

    def test_copies_have_queues_of_their_own(self) -> None:
        """A pickled or copied one works when the first one is closed."""
        with CoalescingReranker(FakeReranker(), max_pairs=7) as reranker:
            reranker.score("q", ["a"])
            pickled = pickle.dumps(reranker)
        for restored in (pickle.loads(pickled), copy.deepcopy(reranker)):
            with restored:
                assert restored.max_pairs == 7 and restored.score("q", ["q"]) > 0.9

    @pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "threading.Thread(target=last).start()"])
    def test_the_program_ends(self, end: str) -> None:
        """Nothing hangs and nothing is printed, even if a thread calls it while the main one has ended."""
        program = f"""
import threading, time
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.testing import FakeReranker
reranker = CoalescingReranker(FakeReranker())
reranker.score("q", ["a"])
def last():
    time.sleep(0.1)
    assert len(reranker.score("q", ["a"])) == 1
{end}
"""
        assert _run(program) == (0, "", "")

    def test_callers_that_wait_are_answered_though_the_main_thread_has_ended(self) -> None:
        """Also by rerankers with pools of threads, which take no more work then."""
        program = """
import sys, threading, time
import secondpass as sp
from secondpass.testing import FakeReranker

class Slow(FakeReranker):
    def _score(self, requests):
        time.sleep(0.2)
        return super()._score(requests)

reranker = sp.CoalescingReranker(sp.EnsembleReranker([Slow(), Slow()]))

def call():
    for _ in range(2):
        sys.stdout.write(f"{len(reranker.score('q', ['a', 'b']))} ")

for _ in range(3):
    threading.Thread(target=call).start()
sys.exit(3)
"""
        assert _run(program) == (3, "2 " * 6, "")

    def test_a_call_that_comes_too_late_gets_our_error(self) -> None:
        """A thread that nobody waits for is told that the reranker is closed."""
        program = """
import atexit, sys, threading, time
atexit.register(lambda: thread.join(10))  # registered first, it comes last: the reranker is closed before
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.errors import ScoringError
from secondpass.testing import FakeReranker

class Slow(FakeReranker):
    def _score(self, requests):
        started.set()
        time.sleep(0.2)
        return super()._score(requests)

reranker, started = CoalescingReranker(Slow()), threading.Event()

def call():
    sys.stdout.write(f"{len(reranker.score('q', ['a', 'b']))} ")
    try:
        reranker.score("q", ["a"])
    except ScoringError as exc:
        sys.stdout.write(str(exc))

thread = threading.Thread(target=call, daemon=True)
thread.start()
started.wait(10)
sys.exit(0)
"""
        assert _run(program) == (0, "2 this CoalescingReranker is closed; create a new one", "")


def _run(program: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )
    return done.returncode, done.stdout, done.stderr
