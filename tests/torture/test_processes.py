"""Threads, forks, new processes, cancelled tasks and Ctrl-C, while many threads work: nobody hangs.

``SECONDPASS_TORTURE_TRIES`` is how often each is tried; each child or program has a minute, far more than it needs.
"""

import asyncio
import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.cache import SQLiteCache
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.forks import exit_status_of_child, needs_fork
from tests.torture.compositions import closing, setting

pytestmark = [pytest.mark.torture, pytest.mark.timeout(0)]

TRIES = setting("TRIES", 10)
QUERY, DOCUMENTS = "copy a file", ["copy a file", "a folder", "the moon", "copy", "long text " * 40]
LIMIT_S = 60


class Slow(FakeReranker):
    """Takes a millisecond, so that threads meet within everything around it."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        time.sleep(0.001)
        return super()._score(requests)


def _cached(folder: Path) -> Reranker:
    return sp.CachedReranker(Slow())


def _cached_in_a_file(folder: Path) -> Reranker:
    return sp.CachedReranker(Slow(), cache=SQLiteCache(str(folder / "cache.sqlite")))


def _coalescing(folder: Path) -> Reranker:
    return sp.CoalescingReranker(sp.EnsembleReranker([Slow(), Slow()], method="mean"))


def _cascade(folder: Path) -> Reranker:
    return sp.CascadeReranker([Slow(), sp.CachedReranker(Slow())], keep=[3], budget_ms=10_000, slice_size=2)


def _everything(folder: Path) -> Reranker:
    inner = sp.CoalescingReranker(sp.CachedReranker(sp.EnsembleReranker([Slow(), Slow()], method="mean")))
    return sp.FallbackReranker([sp.PassageReranker(inner, max_tokens=10), Slow()])


def _model(folder: Path) -> Reranker:
    return sp.CoalescingReranker(sp.CachedReranker(sp.CrossEncoderReranker(keep_tokens=100)))


MAKERS = [_cached, _cached_in_a_file, _coalescing, _cascade, _everything]
many = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__.strip("_"))
many_and_a_model = pytest.mark.parametrize("make", [*MAKERS, _model], ids=lambda make: make.__name__.strip("_"))


@contextmanager
def under_load(reranker: Reranker, n_threads: int) -> Iterator[None]:
    """Keep threads calling a reranker; each error of theirs is raised in the end."""
    stop = threading.Event()

    def work(number: int) -> None:
        at = 0
        while not stop.is_set():
            at += 1
            reranker.rerank(QUERY, [*DOCUMENTS, f"{number} {at % 50}"])

    with ThreadPoolExecutor(n_threads) as pool:
        working = [pool.submit(work, number) for number in range(n_threads)]
        try:
            yield
        finally:
            stop.set()
    for future in working:
        future.result()


@many_and_a_model
def test_sixty_four_threads_get_what_one_gets(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """Each thread its own scores, however often they meet."""
    with closing(make(tmp_path)) as reranker:
        texts = [[*DOCUMENTS, f"copy file {at}"] for at in range(8)]
        expected = [reranker.score(QUERY, each) for each in texts]
        with ThreadPoolExecutor(64) as pool:
            calls = [(at % 8, pool.submit(reranker.score, QUERY, texts[at % 8])) for at in range(64 * TRIES)]
            for at, call in calls:
                np.testing.assert_array_equal(call.result(LIMIT_S), expected[at])


@needs_fork
@many_and_a_model
def test_a_child_forked_under_load_goes_on(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """It scores, with threads of its own, and ends; the parent's threads notice nothing."""
    random = Random(0)
    with closing(make(tmp_path)) as reranker:
        expected = reranker.score(QUERY, DOCUMENTS)

        def in_child() -> None:
            np.testing.assert_array_equal(reranker.score(QUERY, DOCUMENTS), expected)
            with ThreadPoolExecutor(4) as pool:
                for scores in pool.map(lambda at: reranker.score(QUERY, [*DOCUMENTS, f"new {at}"]), range(8)):
                    assert scores.shape == (len(DOCUMENTS) + 1,)
            if isinstance(reranker, sp.CoalescingReranker):
                reranker.close()

        with under_load(reranker, 8):
            stuck = []
            for at in range(TRIES):
                time.sleep(random.random() / 100)
                if exit_status_of_child(in_child, limit_s=LIMIT_S):
                    stuck.append(at)
        assert stuck == []


@needs_fork
@many
def test_workers_forked_before_they_serve(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """As a server does: built once, then in each child many threads, without load in the parent."""
    with closing(make(tmp_path)) as reranker:
        expected = reranker.score(QUERY, DOCUMENTS)

        def in_child() -> None:
            with under_load(reranker, 4):
                for _ in range(5):
                    np.testing.assert_array_equal(reranker.score(QUERY, DOCUMENTS), expected)

        assert [exit_status_of_child(in_child, limit_s=LIMIT_S) for _ in range(TRIES)] == [0] * TRIES


@many
def test_a_new_process_gets_a_copy(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """Pickled under load, it gives the same scores elsewhere."""
    context = multiprocessing.get_context("spawn")
    with closing(make(tmp_path)) as reranker, under_load(reranker, 4):
        expected = reranker.score(QUERY, DOCUMENTS).tolist()
        for _ in range(max(1, TRIES // 10)):
            with context.Pool(1) as pool:
                assert pool.apply_async(_score_of, (reranker,)).get(LIMIT_S) == expected


def _score_of(reranker: Reranker) -> list[float]:
    return reranker.score(QUERY, DOCUMENTS).tolist()


@many
def test_cancelled_tasks_leave_nothing_behind(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """After half of the tasks were cancelled at any time, the others and the next call have their answers."""
    random = Random(0)

    async def main(reranker: Reranker) -> None:
        for at in range(TRIES):
            tasks = [asyncio.create_task(reranker.arerank(QUERY, [*DOCUMENTS, f"{at} {n}"])) for n in range(8)]
            await asyncio.sleep(random.random() / 100)
            for task in tasks[::2]:
                task.cancel()
            async with asyncio.timeout(LIMIT_S):
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(outcome, sp.Ranking) for outcome in outcomes[1::2])
                assert len(await reranker.arerank(QUERY, DOCUMENTS)) == len(DOCUMENTS)

    with closing(make(tmp_path)) as reranker:
        asyncio.run(main(reranker))


_INTERRUPTED = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
from pathlib import Path
from tests.torture import test_processes as here
from tests.torture.compositions import closing

reranker = getattr(here, sys.argv[1])(Path(sys.argv[2]))
with closing(reranker):
    def work():
        for _ in range(50):
            reranker.rerank("q", here.DOCUMENTS)

    for _ in range(3):
        threading.Thread(target=work).start()
    print("begun", flush=True)
    while True:
        reranker.rerank("q", here.DOCUMENTS)
"""


@many
def test_an_interrupted_program_ends(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """Ctrl-C at any time during a call ends the program by KeyboardInterrupt, with its threads."""
    random = Random(0)
    for _ in range(max(1, TRIES // 5)):
        with subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTED, make.__name__, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "begun\n"
            time.sleep(random.random() / 10)
            program.send_signal(signal.SIGINT)
            try:
                _, errors = program.communicate(timeout=LIMIT_S)
            finally:
                program.kill()
        assert program.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors, errors
