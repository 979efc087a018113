"""Plans of batches, and what happens when memory runs out."""

import asyncio
import os
import pickle
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.base import in_thread
from secondpass.errors import OutOfMemoryError, ScoringError
from secondpass.models.batching import BatchRunner, Indices, Rows, available_cores, plan_batches, portions, progress_bar
from tests.forks import exit_status_of_child, needs_fork

_LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=60)


def _is_memory_error(exc: BaseException) -> bool:
    return isinstance(exc, MemoryError)


def _runner(workers: int = 2) -> BatchRunner:
    return BatchRunner(workers, _is_memory_error)


@given(_LENGTHS, st.one_of(st.none(), st.integers(1, 4096)))
def test_a_plan_holds_everything_once_within_the_budget(lengths: list[int], batch_tokens: int | None) -> None:
    """Each sequence stands in one batch, no batch of several exceeds the budget, the longest come first."""
    batches = plan_batches(lengths, batch_tokens)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * max(lengths[index] for index in batch)
        assert len(batch) == 1 or (batch_tokens is not None and padded <= batch_tokens)
    in_order = [lengths[index] for batch in batches for index in batch]
    assert in_order == sorted(lengths, reverse=True)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=60), st.integers(1, 100))
def test_without_padding_a_batch_has_one_length(lengths: list[int], batch_tokens: int) -> None:
    """It is as full as the budget and the number of such sequences allow; order and completeness stay."""
    batches = plan_batches(lengths, batch_tokens, pads=False)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert [lengths[batch[0]] for batch in batches] == sorted((lengths[batch[0]] for batch in batches), reverse=True)
    for length in set(lengths):
        sizes = [len(batch) for batch in batches if lengths[batch[0]] == length]
        assert all(lengths[index] == length for batch in batches if lengths[batch[0]] == length for index in batch)
        rows = max(1, batch_tokens // length)
        assert sizes[:-1] == [rows] * (len(sizes) - 1) and 1 <= sizes[-1] <= rows


def test_a_runner_keeps_whether_it_pads() -> None:
    """After pickling, too."""
    runner = pickle.loads(pickle.dumps(BatchRunner(1, _is_memory_error, pads=False)))
    widths: list[int] = []

    def forward(indices: Indices) -> Rows:
        widths.append(len(indices))
        return indices[:, None].astype(np.float32)

    assert runner.run([3, 3, 2, 3], 100, forward)[:, 0].tolist() == [0, 1, 2, 3]
    assert widths == [3, 1]


@given(_LENGTHS, st.one_of(st.none(), st.integers(1, 4096)), st.integers(1, 4))
def test_rows_come_back_in_the_order_of_the_input(lengths: list[int], batch_tokens: int | None, workers: int) -> None:
    """However the work is cut and spread, each row lands where its sequence was."""

    def forward(indices: Indices) -> Rows:
        return np.array([[index, lengths[index]] for index in indices], dtype=np.float32)

    rows = _runner(workers).run(lengths, batch_tokens, forward)
    assert rows.tolist() == [[index, length] for index, length in enumerate(lengths)]


def test_out_of_memory_halves_the_batch_and_the_next_call_has_it_back() -> None:
    """A batch that does not fit is cut until it does; later ones are cut at once; a new call starts afresh."""
    sizes: list[int] = []

    def forward(indices: Indices) -> Rows:
        sizes.append(len(indices))
        if len(indices) > 3:
            raise MemoryError
        return indices[:, None].astype(np.float32)

    runner = _runner(workers=1)
    rows = runner.run([10] * 32, 160, forward)  # two batches of 16
    assert rows[:, 0].tolist() == list(range(32))
    assert sizes[:4] == [16, 8, 4, 2]
    # After 4 (that is 40 tokens) failed, 20 tokens are the limit: 2 sequences, and never more again.
    assert max(sizes[3:]) == 2
    sizes.clear()
    runner.run([10] * 16, 160, forward)
    assert sizes[0] == 16


def test_a_single_sequence_that_does_not_fit_is_an_error() -> None:
    """There is nothing left to cut, and the message says how long the sequence is."""

    def forward(indices: Indices) -> Rows:
        raise MemoryError("none left")

    with pytest.raises(OutOfMemoryError, match="single sequence of 512 tokens does not fit into memory: none left"):
        _runner().run([512, 3], 1024, forward)


def test_another_failure_comes_through_once_and_stops_the_rest() -> None:
    """The backend's own error is the cause, and batches that have not begun don't begin."""
    started: list[int] = []

    def forward(indices: Indices) -> Rows:
        started.append(len(indices))
        if len(started) == 1:
            raise RuntimeError("bad kernel")
        time.sleep(0.05)
        return indices[:, None].astype(np.float32)

    with pytest.raises(ScoringError, match="failed on a batch of 1: bad kernel") as caught:
        _runner().run([1] * 50, None, forward)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert len(started) < 10


def test_work_is_spread_over_the_workers() -> None:
    """Two workers run two batches at the same time: each waits for the other."""
    meeting = threading.Barrier(2, timeout=10)

    def forward(indices: Indices) -> Rows:
        meeting.wait()
        return indices[:, None].astype(np.float32)

    assert _runner(2).run([1, 1], None, forward)[:, 0].tolist() == [0, 1]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")  # Python 3.12 warns of what is tested here
def test_it_survives_pickling_and_forking() -> None:
    """The threads are not taken along: a copy, and a child process, start their own."""
    runner = _runner()

    def forward(indices: Indices) -> Rows:
        return indices[:, None].astype(np.float32)

    runner.run([1, 1, 1], None, forward)
    assert pickle.loads(pickle.dumps(runner)).run([1, 1], None, forward)[:, 0].tolist() == [0, 1]
    child = os.fork()
    if child == 0:  # threads of the parent are gone here: without a pool of its own this would hang
        os._exit(0 if runner.run([1, 1], None, forward)[:, 0].tolist() == [0, 1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_runner_says_which_sequences_are_done() -> None:
    """Each is named once, in the caller's thread, when its rows are there."""
    done: list[int] = []
    _runner(2).run([3, 1, 2], None, lambda indices: indices[:, None].astype(np.float32), done.extend)
    assert sorted(done) == [0, 1, 2]


def test_the_progress_bar_is_off_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed by default; when asked, a bar appears after a second."""
    for shown in (False, True):
        with progress_bar(20, "tok", shown) as advance:
            for _ in range(4):
                time.sleep(0.4)
                advance(5)
        assert ("/20.0" in capsys.readouterr().err) == shown


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 60))
def test_portions_hold_everything_once_within_the_limit(sizes: list[int], limit: int) -> None:
    """They are runs of neighbours, none is empty, and none could take its neighbour's first item."""
    parts = list(portions(sizes, limit))
    assert [at for part in parts for at in range(part.start, part.stop)] == list(range(len(sizes)))
    for part, following in pairwise([*parts, slice(len(sizes), len(sizes))]):
        assert part.start < part.stop
        assert sum(sizes[part]) <= limit or part.stop - part.start == 1
        if following.stop > following.start:
            assert sum(sizes[part]) + sizes[following.start] > limit


@needs_fork
def test_a_child_that_is_forked_while_a_pool_is_made() -> None:
    """A thread of the parent's holds the lock, and the child has none of the pool's threads."""
    runner = _runner()
    runner.run([1, 1, 1], None, lambda indices: indices[:, None].astype(np.float32))
    with runner._lock:
        assert exit_status_of_child(lambda: runner.run([1, 1], None, lambda at: at[:, None].astype(np.float32))) == 0


class TestWorkThatIsGivenUp:
    """What nobody waits for stops at the next batch, and nothing of it is left in the pool."""

    def test_batches_that_wait_in_the_pool_do_not_run_after_a_failure(self) -> None:
        """Two threads: one fails, the others that began wait; none of those behind them begins, then or later."""
        started: list[int] = []
        seen, release = threading.Event(), threading.Event()

        def forward(indices: Indices) -> Rows:
            started.append(int(indices[0]))
            if indices[0] == 0:
                raise RuntimeError("bad kernel")
            seen.set()
            assert release.wait(60)
            return indices[:, None].astype(np.float32)

        runner = _runner(2)
        with pytest.raises(ScoringError, match="bad kernel"):
            runner.run(list(range(50, 0, -1)), None, forward)
        assert seen.wait(60)
        release.set()
        assert runner.run([1, 1, 1, 1], None, lambda indices: indices[:, None].astype(np.float32)).shape == (4, 1)
        assert len(started) <= 3  # the one that failed, and one for each thread

    def test_an_interrupt_stops_at_the_next_batch(self) -> None:
        """Ctrl-C reaches the caller between two batches; what had not begun never does."""
        started: list[int] = []

        def forward(indices: Indices) -> Rows:
            started.append(int(indices[0]))
            return indices[:, None].astype(np.float32)

        def interrupted(indices: Indices) -> None:
            raise KeyboardInterrupt

        runner = _runner(2)
        with pytest.raises(KeyboardInterrupt):
            runner.run([1] * 10_000, None, forward, interrupted)
        runner.run([1, 1], None, lambda indices: indices[:, None].astype(np.float32))
        assert len(started) <= 20

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_cancelled_task_stops_at_the_next_batch(self, workers: int) -> None:
        """Of 10,000 batches a handful runs, and the threads are free for the next call."""
        started: list[int] = []
        running, runner = threading.Event(), _runner(workers)
        gone = threading.Event()

        def forward(indices: Indices) -> Rows:
            started.append(int(indices[0]))
            running.set()
            assert gone.wait(60)
            return indices[:, None].astype(np.float32)

        async def give_up() -> None:
            task = asyncio.create_task(in_thread(runner.run, [1] * 10_000, None, forward))
            await asyncio.to_thread(running.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gone.set()

        asyncio.run(give_up())  # it waits for its threads
        assert len(started) <= 5 * workers
        assert runner.run([1, 1], None, lambda indices: indices[:, None].astype(np.float32)).shape == (2, 1)

    def test_a_small_call_does_not_wait_for_a_large_one(self) -> None:
        """A pool has few batches of each call at a time, so another call's come in between."""
        runner = _runner(2)
        order: list[str] = []
        began, go = threading.Event(), threading.Event()

        def large(indices: Indices) -> Rows:
            began.set()
            assert go.wait(60)
            order.append("large")
            return indices[:, None].astype(np.float32)

        def small(indices: Indices) -> Rows:
            order.append("small")
            return indices[:, None].astype(np.float32)

        thread = threading.Thread(target=runner.run, args=([1] * 500, None, large))
        thread.start()
        assert began.wait(60)
        caller = threading.Thread(target=runner.run, args=([1, 1], None, small))
        caller.start()
        while not caller.is_alive() or runner._pool._work_queue.qsize() < 8:  # type: ignore[union-attr]
            time.sleep(0.001)
        go.set()
        caller.join(60)
        thread.join(60)
        assert order.count("large") == 500 and order.index("small") < 50


def test_cores_are_those_of_this_process() -> None:
    """A process that is pinned to fewer cores counts those."""
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
