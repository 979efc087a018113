"""What happens in a child process right after a fork."""

import gc
import os
import subprocess
import sys
from threading import Event, Lock, Thread, Timer

import pytest

from secondpass import forking
from secondpass.forking import alone_after_fork, before_any_fork, reset_after_fork
from tests.forks import exit_status_of_child, needs_fork

pytestmark = needs_fork


class _Owner:
    def __init__(self) -> None:
        self.renew()
        reset_after_fork(self, _Owner.renew)

    def renew(self) -> None:
        self.lock = Lock()


def test_a_lock_that_was_held_is_free_in_the_child() -> None:
    """The child's lock is another one, and the parent's stays taken."""
    owner = _Owner()
    with owner.lock:
        assert exit_status_of_child(lambda: _require(owner.lock.acquire(timeout=30))) == 0
        assert owner.lock.locked()


def test_an_owner_that_is_gone_is_not_reset() -> None:
    """Nothing is kept alive for the sake of a fork."""
    renewed: list[str] = []
    kept, gone = _Owner(), _Owner()
    reset_after_fork(kept, lambda _: renewed.append("kept"))
    reset_after_fork(gone, lambda _: renewed.append("gone"))
    del gone
    gc.collect()
    assert exit_status_of_child(lambda: _require(renewed == ["kept"])) == 0
    assert renewed == []


def _require(condition: bool) -> None:
    assert condition


def test_a_fork_waits_for_native_calls() -> None:
    """Such a call may hold a lock that nobody could release in the child; none begins while a fork is under way."""
    inside, leave = Event(), Event()
    events: list[str] = []

    def call() -> None:
        with before_any_fork():
            inside.set()
            leave.wait(60)
            events.append("call ended")

    thread = Thread(target=call)
    thread.start()
    assert inside.wait(60)
    Timer(0.2, leave.set).start()
    # What the child sees of the list is what was in it when it was forked.
    assert exit_status_of_child(lambda: _require(events == ["call ended"])) == 0
    thread.join(60)


def test_native_calls_go_on_in_parent_and_child() -> None:
    """The gate is open again in both, and the child has none of the calls that its parent's threads made."""

    def call() -> None:
        with before_any_fork():
            pass

    assert exit_status_of_child(call) == 0
    call()


def test_a_fork_from_within_a_native_call_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler of a signal may fork in the thread that the call is in."""
    monkeypatch.setattr(forking, "_LONGEST_WAIT_S", 0.1)
    with before_any_fork():
        assert exit_status_of_child(lambda: None) == 0
    with before_any_fork():
        pass


_WORK = """
import os, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
{setup}
over = threading.Event()
def fork():
    for _ in range(100):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
    over.set()
threading.Thread(target=fork, daemon=True).start()
while not over.is_set():
    {call}
"""
_DRAWN = "rng = np.random.default_rng(0); n = 2000; p = rng.random(n); y = rng.random(n) < p; "


@pytest.mark.parametrize(
    ("setup", "call"),
    [
        (
            "from secondpass.forking import product; matrix = np.ones((300, 300))",
            "assert product(matrix, matrix)[0, 0] == 300",
        ),
        (
            _DRAWN + "from secondpass.calibration.quality import probability_quality",
            "probability_quality(p, y, np.arange(n), n_bootstrap=200)",
        ),
        (
            _DRAWN + "from secondpass.evaluate.classification import Resampling, balanced_accuracy, f1, rate",
            "[balanced_accuracy(y, p > 0.5, Resampling(n_samples=400)), f1(y, p > 0.5, Resampling(n_samples=400)), "
            "rate(y, p > 0.5, Resampling(n_samples=400))]",
        ),
        (
            _DRAWN + "from secondpass.evaluate.statistics import randomisation_p",
            "randomisation_p(p - 0.5, n_samples=2000, seed=0)",
        ),
        (
            _DRAWN
            + "from secondpass.logistic import fit_multinomial, maximum_likelihood; x = rng.normal(size=(n, 30))",
            "fit_multinomial(x, y.astype(int), 2, 1.0); maximum_likelihood(x, y * 0.8 + 0.1)",
        ),
    ],
    ids=["product", "quality", "classification", "randomisation", "logistic"],
)
def test_a_fork_comes_between_no_product(setup: str, call: str) -> None:
    """OpenBLAS ends its threads before a fork, and a product in another thread would wait for them for ever."""
    environment = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "4")
    code = _WORK.format(setup=setup, call=call)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)


def test_native_code_works_alone_in_a_child() -> None:
    """It is told so in the child only, and only for an owner that is still there."""
    told: list[tuple[str, int]] = []
    kept, gone = _Owner(), _Owner()
    alone_after_fork(kept, lambda n: told.append(("kept", n)))
    alone_after_fork(gone, lambda n: told.append(("gone", n)))
    del gone
    gc.collect()
    assert exit_status_of_child(lambda: _require(told == [("kept", 1)])) == 0
    assert told == []
