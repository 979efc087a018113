"""A treatment in a process of its own, which gets the processor when nobody else wants it."""

import os
import pickle  # between a process and the one that it started, over pipes that nobody else has
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.config import unwritable
from secondpass.errors import ConfigError, ScoringError
from secondpass.forking import reset_after_fork
from secondpass.loading import load
from secondpass.registry import rerankers
from secondpass.types import Request, Scale, Scores

__all__ = ["ProcessReranker", "serve"]

_LENGTH_BYTES = 8
_LONGEST_WAIT_S = 5.0
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in Linux's prctl.h
# -P: a pickle.py in the working directory is not the one that is meant. The main module is not imported, unlike by
# multiprocessing: a script needs no guard, and does nothing twice.
_COMMAND = ("-P", "-c")
_CODE = f"""
import pickle, sys
sys.path[:] = pickle.loads(sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read({_LENGTH_BYTES}), "little")))
from {__name__} import serve
serve()
"""


@dataclass(frozen=True, slots=True)
class _Start:
    """What a process is told first."""

    reranker: str | os.PathLike[str] | Mapping[str, Any]
    plugins: tuple[bytes, ...]  # each on its own: one that can't be had there does not matter to the others
    waited_for: bool


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a process says of the reranker that it has loaded."""

    name: str
    scale: Scale
    pointwise: bool
    fingerprint: str
    calibration: ReadyCalibration | None
    config: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class ProcessReranker(Reranker):
    """Scores by a reranker that is loaded in another process; explanations and traces stay there.

    That process shares no lock with this one. A thread of low priority, kept off the processor while it holds the
    interpreter's lock, would hold up all others for as long. It ends with this object, and with this process, however
    that ends. If it ends by itself, the call under way fails, and the next one starts another; so does the first call
    after a fork. On Linux, Windows and macOS it gets the processor last; on Linux its threads have the policy
    ``SCHED_IDLE``, so that any other thread takes their place at once.

    Args:
        reranker: the name or the configuration of one, as for `secondpass.load`.

    Raises:
        OSError: no process can be started.
        Exception: what loading the reranker there raised; `ScoringError` for what can't be sent.
    """

    takes_instruction = True  # or the reranker refuses it

    def __init__(self, reranker: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        self._given = reranker
        self._remote = _Remote(reranker)
        self._finalizer = weakref.finalize(self, self._remote.end)
        self._traits = self._remote.start(waited_for=True)
        self.scale, self.pointwise = self._traits.scale, self._traits.pointwise
        reset_after_fork(self, ProcessReranker._forget_parent)

    def _forget_parent(self) -> None:
        # The parent's process is not ours to end, and must not be held open by us.
        self._finalizer.detach()
        self._remote.forget()
        self._remote = _Remote(self._given)
        self._finalizer = weakref.finalize(self, self._remote.end)

    @property
    def fingerprint(self) -> str:
        """That of the reranker there."""
        return self._traits.fingerprint

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the reranker there."""
        return self._traits.calibration

    def to_config(self) -> dict[str, Any]:
        """Return the configuration of the reranker there.

        Raises:
            ConfigError: it has none.
        """
        if self._traits.config is None:
            raise unwritable(self, "an arm")
        return dict(self._traits.config)

    def pause(self) -> None:
        """Stop the process in the midst of what it does, until `resume`; not on Windows, which has no way to.

        Were this program to end meanwhile, however it does, Linux ends the process as well; elsewhere the system ends
        what is stopped in its session.
        """
        self._remote.signal("SIGSTOP")

    def resume(self) -> None:
        """Let the process go on; nothing happens if it was not stopped."""
        self._remote.signal("SIGCONT")

    def close(self) -> None:
        """End the process; a later call starts another."""
        self._remote.end()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(values) for values in self._remote.values(requests)]

    def __reduce__(self) -> tuple[Any, ...]:
        return ProcessReranker, (self._given,)

    def __repr__(self) -> str:
        return f"{self._traits.name} in a process of its own"


class _Remote:
    """The process, once it is started, and what is said to it."""

    def __init__(self, reranker: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        self._reranker = reranker
        self._lock = threading.Lock()  # one question at a time
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, waited_for: bool) -> _Traits:
        with self._lock:
            return self._started(waited_for)

    def values(self, requests: Sequence[Request]) -> list[npt.NDArray[np.float64]]:
        with self._lock:
            if self._process is None:
                self._started(waited_for=False)
            values: list[npt.NDArray[np.float64]] = self._answer(requests)
            return values

    def signal(self, name: str) -> None:
        process, number = self._process, getattr(signal, name, None)
        if process is not None and number is not None:
            with suppress(OSError):
                process.send_signal(number)

    def end(self) -> None:
        process = self._process
        if process is None:
            return
        process.kill()  # before the lock is free: who has it may wait for an answer
        if self._lock.acquire(timeout=_LONGEST_WAIT_S):
            try:
                self._clear()
            finally:
                self._lock.release()

    def forget(self) -> None:
        """Give up the pipes of a process that is another one's child."""
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # or it would be waited for
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _started(self, waited_for: bool) -> _Traits:
        if not sys.executable or getattr(sys, "frozen", False):
            raise OSError("this program is not run by a Python that could be started once more")
        self._process = _new_process() if sys.platform != "linux" else _started_by_thread()
        try:
            traits: _Traits = self._answer(sys.path, _Start(self._reranker, _plugins(), waited_for))
        except BaseException:  # what could not load it is of no use
            self._clear()
            raise
        return traits

    def _answer(self, *messages: object) -> Any:
        data = [pickle.dumps(message) for message in messages]  # or nothing is said
        try:
            answer = pickle.loads(_asked(self._process, data))  # noqa: S301
        except (EOFError, OSError) as exc:
            status = self._clear()
            raise ScoringError(f"the process of {self._reranker!r:.80} has ended, with the status {status}") from exc
        except BaseException:  # it may still answer what nobody asks any more
            self._clear()
            raise
        if isinstance(answer, _Failure):
            raise answer.error
        return answer

    def _clear(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        # A process that ends by itself has closed its pipes before, and has a status of its own in a moment.
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LONGEST_WAIT_S)
        return process.returncode


def _new_process() -> "subprocess.Popen[bytes]":
    # Without buffers, whose locks a thread may hold while another one forks.
    return subprocess.Popen(  # noqa: S603  # this Python, on this module
        [sys.executable, *_COMMAND, _CODE], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **_apart()
    )


def _started_by_thread() -> "subprocess.Popen[bytes]":
    """Start a process by a thread that lives as long as it does: it asks Linux to end it with whoever started it.

    That goes by threads, and the caller's may end much sooner than this program.
    """
    started: SimpleQueue[subprocess.Popen[bytes] | BaseException] = SimpleQueue()

    def live() -> None:
        try:
            process = _new_process()
        except BaseException as exc:
            started.put(exc)
            return
        started.put(process)
        process.wait()

    try:
        threading.Thread(target=live, name="secondpass-shadow-process", daemon=True).start()
    except RuntimeError as exc:
        raise OSError(f"no thread can be started for a process: {exc}") from exc
    found = started.get()
    if isinstance(found, BaseException):
        raise found
    return found


def _end_with_starter() -> None:
    """Let Linux kill this process when the thread that started it ends, as it does with its program in any case.

    A closed pipe would not be noticed by a process that is stopped. The signals for such orphans are no help: the first
    may be ignored, as under nohup, and none is sent to a process that is still about to stop.
    """
    if sys.platform == "linux":
        with suppress(Exception):  # then the pipe has to do
            import ctypes

            ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _apart() -> dict[str, Any]:
    """Return what keeps Ctrl-C from a process, in its own group but the same session.

    In a session of its own, Linux could weigh it against all of the caller's session ("autogroup"), and no priority
    would count between the two.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS}
    return {"process_group": 0}


def _plugins() -> tuple[bytes, ...]:
    found = []
    for name in rerankers.registered():
        with suppress(Exception):  # one that can't be sent can't be had there
            found.append(pickle.dumps((name, rerankers.get(name))))
    return tuple(found)


def _asked(process: "subprocess.Popen[bytes] | None", messages: Sequence[bytes]) -> bytes:
    if process is None or process.stdin is None or process.stdout is None:
        raise EOFError
    for message in messages:
        _write(process.stdin, message)
    return _read(process.stdout)


def _write(stream: IO[bytes], data: bytes) -> None:
    rest = memoryview(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    while rest:
        rest = rest[stream.write(rest) :]
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """Return the bytes of one message, whether or not this process can make anything of them.

    Raises:
        EOFError: there is none, and won't be.
    """
    return _read_bytes(stream, int.from_bytes(_read_bytes(stream, _LENGTH_BYTES), "little"))


def _read_bytes(stream: IO[bytes], n: int) -> bytes:
    data = bytearray()
    while len(data) < n:
        part = stream.read(n - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def serve() -> None:
    """Load a reranker and score what the process that started this one asks, until that one ends."""
    _end_with_starter()
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    with suppress(OSError):
        os.dup2(2, 1)  # what a reranker prints is no answer
    waiting: SimpleQueue[bytes] = SimpleQueue()

    def receive() -> None:
        try:
            while True:
                waiting.put(_read(questions))
        finally:
            os._exit(0)  # at once, in the midst of a call: nobody waits for it

    threading.Thread(target=receive, name="secondpass-shadow-receive", daemon=True).start()
    try:
        reranker = _loaded(waiting.get())
        _write(answers, pickle.dumps(_traits_of(reranker)))
    except Exception as exc:
        _write(answers, _failure(exc))
        return
    _come_last()
    while True:
        try:
            requests = pickle.loads(waiting.get())  # noqa: S301
            answer = pickle.dumps([scores.values for scores in reranker.score_many(requests)])
        except Exception as exc:
            answer = _failure(exc)
        _write(answers, answer)


def _loaded(data: bytes) -> Reranker:
    start: _Start = pickle.loads(data)  # noqa: S301
    if not start.waited_for:
        _come_last()
    for each in start.plugins:
        with suppress(Exception):  # its module is not to be found here, or is the caller's main one
            rerankers.register(*pickle.loads(each))  # noqa: S301
    return load(start.reranker)


def _traits_of(reranker: Reranker) -> _Traits:
    config = None
    with suppress(ConfigError):
        config = reranker.to_config()
    return _Traits(
        repr(reranker), reranker.scale, reranker.pointwise, reranker.fingerprint, reranker.calibration, config
    )


def _failure(error: Exception) -> bytes:
    try:
        data = pickle.dumps(_Failure(error))
        pickle.loads(data)  # noqa: S301  # an exception may be written and not be readable
    except Exception:
        return pickle.dumps(_Failure(ScoringError(f"{type(error).__name__}: {error}")))
    return data


def _come_last() -> None:
    """Let the operating system prefer everything else to this process, in all its threads and those to come."""
    if sys.platform == "linux":  # where each thread has a priority of its own, which those that it starts inherit
        for task in Path("/proc/self/task").iterdir():
            thread = int(task.name)
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, thread, 19)
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    elif sys.platform != "win32":
        os.nice(19)
