"""How RemoteReranker calls a server: in batches, at once, and again."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from secondpass.errors import ScoringError
from secondpass.network.failures import retry_after_s
from tests.remote.server import DOCUMENTS, QUERY, Server, remote


class TestCalls:
    def test_the_trace_counts_calls_and_tokens(self, serve: Callable[[str], Server]) -> None:
        """Equal documents are sent once; what the server bills is summed over the calls."""
        ranking = remote(serve("jina"), batch_size=2).rerank(QUERY, ["a", "b", "a", "c", "b"])
        counts = {"pairs": 5, "pairs_scored": 3, "calls": 2, "retries": 0, "tokens": 14}
        assert dict(ranking.trace.counts) == counts and ranking.trace.notes == ()
        scores = {(document.text, document.score) for document in ranking}
        assert len(scores) == 3

    def test_no_more_calls_at_once_than_allowed(self, serve: Callable[[str], Server]) -> None:
        """The limit holds for all threads together, and calls do overlap within it."""
        server = serve("tei")
        server.delay_s = 0.05
        reranker = remote(server, batch_size=1, concurrency=3)
        threads = [threading.Thread(target=reranker.score, args=("q", DOCUMENTS[:6])) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.received) == 18 and server.most_busy == 3

    def test_the_first_failure_ends_the_rest(self, serve: Callable[[str], Server]) -> None:
        """Of seventy calls, those that were not sent yet are not, and the error is the server's."""
        server = serve("tei")
        server.delay_s = 0.01
        server.script = [(403, {"message": "no"})]
        with pytest.raises(ScoringError, match="HTTP 403"):
            remote(server, batch_size=1, concurrency=2).score("q", DOCUMENTS)
        assert len(server.received) < 20

    def test_a_closed_one_opens_again(self, serve: Callable[[str], Server]) -> None:
        """`close` and the end of a with block close the connections; the next call opens new ones."""
        with remote(serve("tei")) as reranker:
            expected = reranker.score("q", ["a"])
        assert reranker._endpoint._idle == []
        assert reranker.score("q", ["a"]) == expected
        reranker.close()
        reranker.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_child_has_its_own_connections(self, serve: Callable[[str], Server]) -> None:
        """Parent and child score at the same time after the fork, and neither gets the other's answer."""
        server = serve("tei")
        reranker = remote(server)
        expected = [reranker.score(f"file {number}", DOCUMENTS[:4]).tolist() for number in range(20)]
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover  # coverage ends with the process
            try:
                scores = [reranker.score(f"file {number}", DOCUMENTS[:4]).tolist() for number in range(20)]
                os.write(write, json.dumps(scores).encode())
            finally:
                os._exit(0)
        assert [reranker.score(f"file {number}", DOCUMENTS[:4]).tolist() for number in range(20)] == expected
        os.close(write)
        with os.fdopen(read) as pipe:
            assert json.loads(pipe.read()) == expected
        os.waitpid(child, 0)


class TestRepeats:
    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
    def test_what_fails_for_a_moment_is_tried_again(
        self, status: int, serve: Callable[[str], Server], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Two failures, then the answer: the scores are right, and trace and log say what happened."""
        server = serve("tei")
        server.script = [(status, {"error": "busy"})] * 2
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = remote(server).rerank(QUERY, DOCUMENTS[:2])
        assert len(server.received) == 3 and ranking.trace.counts["retries"] == 2
        assert ranking.trace.notes[0].startswith(f"tried again (2x): {server.url}/rerank: HTTP {status}")
        assert len(caplog.records) == 2 and f"HTTP {status}" in caplog.text

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 418, 422, 424, 501])
    def test_what_fails_for_good_is_not(self, status: int, serve: Callable[[str], Server]) -> None:
        """One call only, and the error holds the status and what the server said."""
        server = serve("tei")
        server.script = [(status, {"error": "the\nreason"})] * 5
        with pytest.raises(ScoringError, match=rf"{server.url}/rerank: HTTP {status}: .*the\\nreason"):
            remote(server).score("q", ["a"])
        assert len(server.received) == 1

    def test_it_gives_up(self, serve: Callable[[str], Server]) -> None:
        """After `max_retries` further attempts the error says how many there were."""
        server = serve("tei")
        server.script = [(503, b"")] * 9
        with pytest.raises(ScoringError, match=r"HTTP 503: the server failed.*\(attempt 4\)"):
            remote(server, max_retries=3).score("q", ["a"])
        assert len(server.received) == 4
        server.received.clear()
        with pytest.raises(ScoringError, match="HTTP 503"):
            remote(server, max_retries=0).score("q", ["a"])
        assert len(server.received) == 1

    def test_retry_after_is_heeded(self, serve: Callable[[str], Server]) -> None:
        """The next attempt comes no sooner than the server asked for."""
        server = serve("tei")
        server.script = [(429, {}, {"Retry-After": "0.3"})]
        start = time.monotonic()
        remote(server, backoff_s=0.0).score("q", ["a"])
        assert time.monotonic() - start >= 0.3

    def test_a_server_that_asks_for_an_hour_is_given_up_on(self, serve: Callable[[str], Server]) -> None:
        """Nobody waits longer than `max_wait_s`."""
        server = serve("tei")
        server.script = [(429, {"error": "quota"}, {"Retry-After": "3600"})]
        with pytest.raises(ScoringError, match=r"HTTP 429: too many requests, or no quota left: .*quota"):
            remote(server).score("q", ["a"])
        assert len(server.received) == 1

    def test_retry_after_is_a_number_or_a_date(self) -> None:
        """Both forms of RFC 9110, and nonsense counts as nothing."""

        def read(value: str) -> float | None:
            return retry_after_s({"retry-after": value})

        assert read("2.5") == 2.5 and read("-1") == 0.0 and read("nan") == 0.0
        assert retry_after_s({}) is None and read("soon") is None and read("") is None
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        assert 50 < (read(later) or 0) <= 60
        assert read("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
        assert read("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0
        assert retry_after_s({"retry-after-ms": "300", "retry-after": "9"}) == 0.3
