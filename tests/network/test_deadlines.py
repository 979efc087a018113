"""Time limits hold by the clock on the wall, whatever a server sends and however slowly."""

import socket
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from secondpass.composition.fallback import FallbackReranker
from secondpass.errors import ScoringError, SecondPassWarning
from secondpass.llm import CompletionError, Prompt
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from secondpass.testing import FakeReranker
from tests.network.clients import CLIENTS
from tests.network.faults import FAULTS, faulty

_FOR_ALL_S = 60.0  # a guard: no call of these tests may last so long, however busy the machine is


def _call_all(url: str, timeout_s: float) -> dict[str, tuple[float, BaseException | Any]]:
    """Let all clients call a server at once; return how long each took, and what it raised or returned."""
    results: dict[str, tuple[float, Any]] = {}

    def run(name: str, call: Callable[[str, float], Any]) -> None:
        start = time.monotonic()
        try:
            result = call(url, timeout_s)
        except Exception as exc:
            result = exc
        results[name] = time.monotonic() - start, result

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecondPassWarning)  # of the judge and the decomposer, which raise nothing
        threads = [threading.Thread(target=run, args=item, daemon=True) for item in CLIENTS.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_FOR_ALL_S)
    return results


def _url(url: str, fault: str) -> str:
    return url.replace("http:", "https:") if fault == "TLS handshake" else url


@pytest.mark.parametrize("fault", FAULTS)
def test_no_server_keeps_anybody_for_ever(fault: str) -> None:
    """All clients end although the server does not, with an error of ours, and leave no connection behind."""
    with faulty(FAULTS[fault]) as server:
        results = _call_all(_url(server.url, fault), 0.3)
        assert set(results) == set(CLIENTS)
        for name, (_, result) in results.items():
            if name in ("judge", "decision judge"):
                assert result.verdicts == (None,) and result.counts["failed_calls"] == 1
            elif name == "decomposer":
                assert result == [["A is 3 and B is 4."]]
            else:
                assert isinstance(result, ScoringError), (name, result)
        assert server.n_connections > 0
        assert all(server.left.acquire(timeout=_FOR_ALL_S) for _ in range(server.n_connections))


@pytest.mark.torture
@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_late(fault: str) -> None:
    """At most a tenth beyond the limit, at the best of three, as the machine may be busy with others."""
    overruns = []
    for _ in range(3):
        with faulty(FAULTS[fault]) as server:
            results = _call_all(_url(server.url, fault), 2.0)
        overruns.append({name: round(took, 3) for name, (took, _) in results.items() if took > 2.2})
        if not overruns[-1]:
            return
    pytest.fail(f"late each time: {overruns}")


def test_the_next_one_takes_over() -> None:
    """A chain whose first member's server drips answers by its second."""
    with faulty(FAULTS["header name"]) as server:
        first = RemoteReranker(server.url, shape="tei", timeout_s=0.2, max_retries=0)
        ranking = FallbackReranker([first, FakeReranker()]).rerank("b", ["a", "b"])
    assert ranking[0].text == "b" and ranking[0].explanation["answered_by"] == "FakeReranker"


def test_the_total_time_covers_all_attempts() -> None:
    """However many retries are allowed, a query ends within its time, and the error says which limit that was."""
    with faulty(FAULTS["early hints"]) as server:
        llm = LLMReranker("m", base_url=server.url, timeout_s=0.2, total_timeout_s=0.5, max_retries=100, backoff_s=0.01)
        with pytest.raises(CompletionError, match="total_timeout_s"):
            llm.score("q", ["a", "b"])
        assert 1 < server.n_connections < 10


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows no time-outs of ours."""
    over = threading.Event()

    def wait(*_: Any, **__: Any) -> Any:
        over.wait(_FOR_ALL_S)
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    with pytest.raises(ScoringError, match="no connection in time: check that the server is there"):
        RemoteReranker("http://name.invalid", shape="tei", timeout_s=0.2, max_retries=0).score("q", ["a"])
    over.set()


def test_a_function_that_never_returns_is_left_behind() -> None:
    """A user's own function is held to its time as well; it sees the caller's context."""
    over, seen = threading.Event(), []

    def forgets(prompt: Prompt, timeout_s: float) -> str:
        seen.append(timeout_s)
        over.wait(_FOR_ALL_S)
        return ""

    with pytest.raises(CompletionError, match=r"the completion function took longer than 0\.1 s: raise timeout_s"):
        LLMReranker("m", completion=forgets, timeout_s=0.1, max_retries=0).score("q", ["a", "b"])
    assert seen == [0.1] and not over.is_set()
    over.set()


def test_a_line_that_was_cut_is_not_used_again() -> None:
    """After an attempt that was given up the next call opens a connection of its own, and is answered."""
    n_calls = 0

    def act(connection: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        connection.read_request()
        if n_calls == 1:
            connection.for_ever(b"x")
        body = b'[{"index": 0, "score": 0.5}]'
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with faulty(act) as server:
        reranker = RemoteReranker(server.url, shape="tei", timeout_s=0.3, max_retries=0)
        with pytest.raises(ScoringError, match=r"no complete answer within 0\.3 s"):
            reranker.score("q", ["a"])
        reranker.timeout_s = 30.0
        assert reranker.score("q", ["a"]).tolist() == [0.5]
        reranker.close()
