"""A treatment in a process of its own: the same scores, and no trouble for anybody, whatever becomes of it."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.composition.experiment.process import ProcessReranker
from secondpass.registry import rerankers
from secondpass.testing import FakeReranker
from tests.composition.experiment.treatments import MOODY, MoodyReranker
from tests.forks import exit_status_of_child, needs_fork

_QUERY, _TEXTS = "copy a file", ["copy a file", "", "move"]
pytestmark = pytest.mark.alone

_PATIENCE_S = 300  # the process comes last, and the machine may be busy

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(rerankers._registered, MOODY, MoodyReranker)
        yield


@pytest.fixture(scope="module")
def moody(_registered: None) -> Iterator[ProcessReranker]:
    """Return one whose process all tests of this file share."""
    reranker = ProcessReranker({"type": MOODY, "scale": "logit"})
    yield reranker
    reranker.close()


def _process_of(reranker: sp.Reranker) -> "subprocess.Popen[bytes]":
    assert isinstance(reranker, ProcessReranker)
    process = reranker._remote._process
    assert process is not None
    return process


def _becomes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def _state(process: int) -> str:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return "X"
    return status.rpartition(")")[2].split()[0]


def _is_gone(process: int) -> bool:
    return _state(process) in "XZ"  # Z: nobody has asked how it ended


def test_it_says_what_the_reranker_there_says(moody: ProcessReranker) -> None:
    """Scores, traits and configuration are those of the same reranker here; a copy has a process of its own."""
    here = sp.from_config({"type": MOODY, "scale": "logit"})
    np.testing.assert_array_equal(moody.score(_QUERY, _TEXTS), here.score(_QUERY, _TEXTS))
    for name in ("scale", "pointwise", "fingerprint", "calibration"):
        assert getattr(moody, name) == getattr(here, name)
    assert moody.to_config() == here.to_config()
    assert repr(moody) == f"{here!r} in a process of its own"
    process = _process_of(moody).pid
    assert process != os.getpid()
    copy = pickle.loads(pickle.dumps(moody))
    assert _process_of(copy).pid != process
    copy.close()


def test_long_texts_go_there(moody: ProcessReranker) -> None:
    """Longer than a pipe holds."""
    texts = ["copy a file " * 20_000, "move " * 50_000]
    np.testing.assert_array_equal(moody.score(_QUERY, texts), FakeReranker(scale="logit").score(_QUERY, texts))


def test_its_errors_are_raised_here(moody: ProcessReranker) -> None:
    """With their class, if that can be had here; it goes on with the next call."""
    process = _process_of(moody).pid
    with pytest.raises(ValueError, match=r"^no$"):
        moody.score("fail", _TEXTS)
    with pytest.raises(sp.ScoringError, match="UnreadableError: ab"):
        moody.score("unreadable", _TEXTS)
    with pytest.raises(TypeError, match="pickle"):
        moody.rerank(_QUERY, [{"text": "a", "metadata": {"lock": threading.Lock()}}])
    with pytest.raises(sp.InputError, match="takes no instruction"):
        moody.rerank(_QUERY, _TEXTS, instruction="the newest")
    assert moody.score(_QUERY, _TEXTS).shape == (3,) and _process_of(moody).pid == process
    with pytest.raises(sp.RegistryError, match="no-such-model"):
        ProcessReranker("no-such-model")


def test_a_crash_is_an_error_of_one_call(moody: ProcessReranker) -> None:
    """The next call starts another process."""
    process = _process_of(moody).pid
    with pytest.raises(sp.ScoringError, match=r"moody-for-tests.*has ended, with the status 7$"):
        moody.score("crash", _TEXTS)
    assert moody.score(_QUERY, _TEXTS)[0] > 9 and _process_of(moody).pid != process


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, threads have no policy of their own")
def test_all_its_threads_come_last(moody: ProcessReranker) -> None:
    """They run when no other thread wants to; those here are as they were."""
    moody.score(_QUERY, _TEXTS)
    threads = [int(task.name) for task in Path(f"/proc/{_process_of(moody).pid}/task").iterdir()]
    assert len(threads) >= 2 and {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_IDLE}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@needs_proc
def test_it_ends_when_nobody_needs_it() -> None:
    """By `close`, in the midst of a call; or with the object."""
    reranker = ProcessReranker(MOODY)
    process = _process_of(reranker).pid
    failed: list[str] = []

    def ask(asked: ProcessReranker) -> None:
        try:
            asked.score("sleep", _TEXTS)
        except sp.ScoringError as exc:
            failed.append(str(exc))

    asking = threading.Thread(target=ask, args=(reranker,))
    asking.start()
    assert _becomes_true(reranker._remote._lock.locked)
    reranker.close()
    asking.join(_PATIENCE_S)
    assert len(failed) == 1 and "has ended" in failed[0] and _becomes_true(lambda: _is_gone(process))
    assert reranker.score(_QUERY, _TEXTS).shape == (3,)
    process = _process_of(reranker).pid
    del reranker
    gc.collect()
    assert _becomes_true(lambda: _is_gone(process))


@needs_proc
@pytest.mark.parametrize("hangup", [signal.SIG_DFL, signal.SIG_IGN])  # ignored under nohup
@pytest.mark.parametrize(
    "end", ["pass", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt", "test.arms['treatment'].pause(); os._exit(0)"]
)
def test_it_ends_with_the_program(end: str, hangup: signal.Handlers, tmp_path: Path) -> None:
    """However that ends, in the midst of a call of the treatment; a script needs no guard against being imported."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, time\n"
        f"signal.signal(signal.SIGHUP, signal.Handlers({hangup.value}))\n"
        "import secondpass as sp\n"
        "from secondpass.registry import rerankers\n"
        "from tests.composition.experiment.treatments import MOODY, MoodyReranker\n"
        "rerankers.register(MOODY, MoodyReranker)\n"
        "test = sp.ABTestReranker({'control': 'fake', 'treatment': MOODY}, mode='shadow')\n"
        "print(test.arms['treatment']._remote._process.pid, flush=True)\n"
        "test.rerank('sleep', ['a'])\n"
        "time.sleep(0.2)\n"
        f"{end}\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.stdout.strip().isdigit(), done.stderr
    assert _becomes_true(lambda: _is_gone(int(done.stdout)))


@needs_fork
def test_a_child_has_a_process_of_its_own(moody: ProcessReranker) -> None:
    """And leaves the parent's alone, also in the midst of a call."""
    moody.score(_QUERY, _TEXTS)
    process = _process_of(moody).pid

    def child() -> None:
        assert moody.score(_QUERY, _TEXTS)[0] > 9 and _process_of(moody).pid != process
        moody.close()

    assert exit_status_of_child(child, limit_s=_PATIENCE_S) == 0
    assert moody.score(_QUERY, _TEXTS)[0] > 9 and _process_of(moody).pid == process
    asking = threading.Thread(target=moody.score, args=("wait", _TEXTS))
    asking.start()
    assert _becomes_true(moody._remote._lock.locked)
    assert exit_status_of_child(child, limit_s=_PATIENCE_S) == 0
    asking.join(_PATIENCE_S)
    assert not asking.is_alive() and _process_of(moody).pid == process


def test_a_named_arm_is_shadowed_there_and_an_object_here() -> None:
    """What it says is counted as ever; a crash is a failure of the treatment, and none of the control."""
    arms = {"control": FakeReranker(), "named": MOODY, "object": FakeReranker()}
    with sp.ABTestReranker(arms, {"control": 0, "named": 100, "object": 0}, mode="shadow") as test:
        assert isinstance(test.arms["named"], ProcessReranker) and test.arms["object"] is arms["object"]
        assert test.to_config()["arms"]["named"] == {"type": MOODY, "scale": "probability", "pointwise": True}
        for query in (_QUERY, "crash", "move"):
            assert len(test.rerank(query, _TEXTS)) == 3
            assert test.drain(_PATIENCE_S)
        assert [arm.mean for arm in test.report("failed").arms] == [0.0, 1 / 3, None]
        assert test.report("overlap").arms[1].mean == 1.0
        process = _process_of(test.arms["named"])
    assert _becomes_true(lambda: process.poll() is not None)


@needs_proc
def test_it_is_stopped_while_the_control_is_asked() -> None:
    """In the midst of a piece; then it goes on."""
    with sp.ABTestReranker({"control": FakeReranker(), "named": MOODY}, mode="shadow") as test:
        process, shadow = _process_of(test.arms["named"]).pid, test._shadow
        test.rerank("wait", ["a"])
        assert _becomes_true(lambda: shadow._asked is not None)
        with shadow.control():
            assert _becomes_true(lambda: _state(process) == "T")
            with shadow.control():
                pass
            time.sleep(2.5)  # longer than the piece
            assert _state(process) == "T" and not test.drain(0.01)
        assert test.drain(_PATIENCE_S) and _state(process) != "T"


def test_what_no_other_process_can_have_stays_here(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a warning in the log; what can't be loaded at all raises what it always did."""

    class Local(FakeReranker):
        registry_name = "local-for-tests"

    caplog.set_level("WARNING", "secondpass.experiment")
    monkeypatch.setitem(rerankers._registered, "local-for-tests", Local)
    with sp.ABTestReranker({"control": "fake", "treatment": "local-for-tests"}, mode="shadow") as test:
        assert type(test.arms["treatment"]) is Local
        test.rerank(_QUERY, _TEXTS)
        assert test.drain(_PATIENCE_S) and test.report("overlap").arms[1].mean == 1.0
    (record,) = caplog.records
    assert record.name == "secondpass.experiment" and "can't be had in another" in record.getMessage()
