"""A flag and a future that other threads tell something by."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from secondpass.interruptible import Flag, Future


class TestFlag:
    def test_it_ends_all_waits(self) -> None:
        """Those that wait already, and those that come later, as often as they ask."""
        flag = Flag()
        with ThreadPoolExecutor(4) as pool:
            waits = [pool.submit(flag.wait, 60) for _ in range(4)]
            flag.set()
            assert [wait.result(60) for wait in waits] == [True] * 4
        assert flag.is_set and flag.wait() and flag.wait(0)

    def test_it_is_not_set_by_waiting(self) -> None:
        """A wait that is over says so, and the next one waits again."""
        flag = Flag()
        assert not flag.wait(0) and not flag.wait(0.001) and not flag.is_set


class TestFuture:
    def test_a_result(self) -> None:
        """It is there when another thread has answered."""
        future: Future[int] = Future()
        threading.Thread(target=future.answer, args=(lambda: 3,)).start()
        assert future.result(60) == 3 and future.exception() is None and future.done()

    def test_an_error(self) -> None:
        """What the answer raised is raised where the result is wanted."""
        future: Future[int] = Future()
        future.answer(lambda: 1 // 0)
        assert isinstance(future.exception(), ZeroDivisionError)
        with pytest.raises(ZeroDivisionError):
            future.result()

    def test_no_answer(self) -> None:
        """A wait that is over raises `TimeoutError`, as that for an error does."""
        future: Future[int] = Future()
        for wait in (future.result, future.exception):
            with pytest.raises(TimeoutError):
                wait(0)

    def test_a_cancelled_one_is_not_answered(self) -> None:
        """The call is not made, and who waits gets `CancelledError`."""
        future: Future[int] = Future()
        assert future.cancel()
        call = Mock()
        future.answer(call)
        with pytest.raises(CancelledError):
            future.result(60)
        call.assert_not_called()

    def test_what_is_not_caught_is_the_callers(self) -> None:
        """An interrupt goes on where it came, if only errors are to be caught."""
        future: Future[int] = Future()

        def interrupted() -> int:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            future.answer(interrupted, catch=Exception)
