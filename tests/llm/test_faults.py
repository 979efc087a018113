"""Each way that a server fails, over real HTTP: what is tried again, what is not, what the trace says."""

import email.utils
import json
import logging
import pickle
import socket
import struct
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from secondpass.composition.fallback import FallbackReranker
from secondpass.errors import ConfigError
from secondpass.llm import Answer, CompletionError, Prompt
from secondpass.rerankers.llm import LLMReranker
from secondpass.testing import FakeReranker

GOOD = '{"ranking": [3, 1, 2]}'
DOCUMENTS = ["a", "b", "c"]


def completion(text: str | None = GOOD, **choice: Any) -> dict[str, Any]:
    """Return the body of a chat completion."""
    first = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}} | choice
    return {"choices": [first], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


class Scripted(ThreadingHTTPServer):
    """Answers each call by the next of its steps; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.steps: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.lock, self.over = threading.Lock(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that went away are what some of these tests are about


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.asked.append(asked)
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
            step = self.server.steps.pop(0) if len(self.server.steps) > 1 else self.server.steps[0]
        if step.get("wait_s"):
            self.server.over.wait(step["wait_s"])
        if step.get("drop"):
            # No linger: the client gets a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        raw = step.get("raw")
        body = raw if raw is not None else json.dumps(step.get("body", completion())).encode()
        self.send_response(step.get("status", 200))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body) + step.get("promised", 0)))
        for name, value in step.get("headers", {}).items():
            self.send_header(name, value)
        self.end_headers()
        if "drip_s" in step:
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                if self.server.over.wait(step["drip_s"]):
                    return
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Scripted]:
    """Start a server that does what a test writes into its steps."""
    with Scripted() as started:
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield started
        started.over.set()
        started.shutdown()
        thread.join()


def reranker(server: Scripted, **settings: Any) -> LLMReranker:
    """Return a reranker that asks the scripted server and waits briefly."""
    defaults: dict[str, Any] = {"base_url": server.url, "api_key": "sk-secret", "backoff_s": 0.01, "max_retries": 2}
    return LLMReranker("scripted", **defaults | settings)


_ERROR = {"error": {"message": "it burns", "type": "server_error"}}
_TRANSIENT: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": _ERROR},
    "503 without a body": {"status": 503, "raw": b""},
    "429": {"status": 429, "body": _ERROR},
    "dropped connection": {"drop": True},
    "body shorter than promised": {"promised": 50},
    "truncated JSON body": {"raw": b'{"choices": [{"message": {"content": "{'},
    "no JSON": {"raw": b"<html>Bad Gateway</html>"},
    "a list": {"raw": b"[]"},
    "nested too deeply": {"raw": b"[" * 200_000},
}


class TestRetries:
    @pytest.mark.parametrize("fault", _TRANSIENT.values(), ids=_TRANSIENT.keys())
    def test_a_transient_fault_is_tried_again(self, server: Scripted, fault: dict[str, Any]) -> None:
        """After the fault the second try is answered; the trace counts one retry and one call."""
        server.steps = [fault, {}]
        ranking = reranker(server).rerank("q", DOCUMENTS)
        assert [document.index for document in ranking] == [2, 0, 1]
        assert (ranking.trace.counts["retries"], ranking.trace.counts["calls"]) == (1, 1)
        assert len(server.asked) == 2

    def test_a_server_that_stays_down_is_given_up(self, server: Scripted) -> None:
        """After max_retries the last error is raised, with the status and the server's words."""
        server.steps = [{"status": 500, "body": _ERROR}]
        with pytest.raises(CompletionError, match=r"HTTP 500: .*it burns.*\(attempt 3\)"):
            reranker(server).rerank("q", DOCUMENTS)
        assert len(server.asked) == 3

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
    def test_a_mistake_is_not_tried_again(self, server: Scripted, status: int) -> None:
        """What is wrong with the call stays wrong; one call, and no key in the message."""
        server.steps = [{"status": status, "body": _ERROR}]
        with pytest.raises(CompletionError, match=f"HTTP {status}") as caught:
            reranker(server).rerank("q", DOCUMENTS)
        assert len(server.asked) == 1 and "sk-secret" not in str(caught.value)

    def test_an_empty_purse_is_not_tried_again(self, server: Scripted) -> None:
        """OpenAI answers 429 for a used-up quota as well, and waiting doesn't fill it."""
        server.steps = [{"status": 429, "body": {"error": {"message": "quota", "code": "insufficient_quota"}}}]
        with pytest.raises(CompletionError, match="HTTP 429"):
            reranker(server).rerank("q", DOCUMENTS)
        assert len(server.asked) == 1

    @pytest.mark.parametrize("headers", [{"Retry-After": "0.3"}, {"retry-after-ms": "300"}])
    def test_retry_after_is_waited_for(self, server: Scripted, headers: dict[str, str]) -> None:
        """The second try comes not before the server asked for it."""
        server.steps = [{"status": 429, "body": _ERROR, "headers": headers}, {}]
        start = time.monotonic()
        ranking = reranker(server).rerank("q", DOCUMENTS)
        assert time.monotonic() - start >= 0.3 and ranking.trace.counts["retries"] == 1

    @pytest.mark.parametrize(
        "value", ["3600", email.utils.formatdate(time.time() + 3600, usegmt=True)], ids=["seconds", "date"]
    )
    def test_a_retry_after_beyond_the_total_time_gives_up_at_once(self, server: Scripted, value: str) -> None:
        """In seconds or as a date: what can't be waited for is not waited for."""
        server.steps = [{"status": 429, "body": _ERROR, "headers": {"Retry-After": value}}]
        start = time.monotonic()
        with pytest.raises(CompletionError, match="total_timeout_s leaves no time for another attempt"):
            reranker(server).rerank("q", DOCUMENTS)
        assert time.monotonic() - start < 30 and len(server.asked) == 1

    def test_nonsense_in_retry_after_is_no_reason_to_fail(self, server: Scripted) -> None:
        """It is taken as not said."""
        server.steps = [{"status": 429, "body": _ERROR, "headers": {"Retry-After": "soon"}}, {}]
        assert reranker(server).rerank("q", DOCUMENTS).trace.counts["retries"] == 1

    def test_no_server_at_all_is_said(self) -> None:
        """A refused connection names the address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(CompletionError, match=f"{url}/chat/completions: no connection"):
            LLMReranker("m", base_url=url, max_retries=0).rerank("q", DOCUMENTS)


class TestTimeouts:
    def test_a_slow_call_is_given_up_and_tried_again(self, server: Scripted) -> None:
        """The time-out of a call ends it; the next is answered."""
        server.steps = [{"wait_s": 20}, {}]
        ranking = reranker(server, timeout_s=0.3).rerank("q", DOCUMENTS)
        assert ranking[0].index == 2 and ranking.trace.counts["retries"] == 1

    def test_an_answer_that_drips_is_given_up(self, server: Scripted) -> None:
        """A byte now and then keeps a connection alive, but not beyond the time of the call."""
        server.steps = [{"drip_s": 0.05}]
        with pytest.raises(CompletionError, match=r"no complete answer within 0\.3 s"):
            reranker(server, timeout_s=0.3, max_retries=0).rerank("q", DOCUMENTS)

    def test_the_total_time_bounds_all_tries(self, server: Scripted) -> None:
        """However many retries are allowed, the query ends when its time is over."""
        server.steps = [{"wait_s": 20}]
        start = time.monotonic()
        with pytest.raises(CompletionError, match="total_timeout_s"):
            reranker(server, timeout_s=0.2, total_timeout_s=0.5, max_retries=100).rerank("q", DOCUMENTS)
        assert time.monotonic() - start < 10


_ANSWERS: dict[str, tuple[dict[str, Any], list[int], dict[str, int]]] = {
    "thoughts first": (completion(f"<think>[1] > [2] > [3]</think>\n{GOOD}"), [2, 0, 1], {}),
    "cut": (completion('{"ranking": [2, 3', finish_reason="length"), [1, 0, 2], {"cut_answers": 1, "missing_ids": 2}),
    "wrong ids": (completion('{"ranking": [8, 3, 0]}'), [2, 0, 1], {"unknown_ids": 2, "missing_ids": 2}),
    "duplicates": (completion('{"ranking": [2, 2, 2]}'), [1, 0, 2], {"repeated_ids": 2, "missing_ids": 2}),
    "no choices": ({"choices": []}, [0, 1, 2], {"unusable_answers": 1}),
    "choices of null": ({"choices": None}, [0, 1, 2], {"unusable_answers": 1}),
    "a choice of null": ({"choices": [None]}, [0, 1, 2], {"unusable_answers": 1}),
    "no content": (completion(None), [0, 1, 2], {"unusable_answers": 1}),
    "refusal": (
        completion(None, message={"content": None, "refusal": "I can't help with that."}),
        [0, 1, 2],
        {"refusals": 1, "unusable_answers": 1},
    ),
    "content filter": (
        completion("", finish_reason="content_filter"),
        [0, 1, 2],
        {"refusals": 1, "unusable_answers": 1},
    ),
    "usage of nonsense": (completion() | {"usage": {"prompt_tokens": "many"}}, [2, 0, 1], {}),
}


@pytest.mark.parametrize(("body", "order", "counts"), _ANSWERS.values(), ids=_ANSWERS.keys())
def test_odd_answers_lose_no_document(
    server: Scripted, body: dict[str, Any], order: list[int], counts: dict[str, int]
) -> None:
    """Each is used as far as it can be, without another call, and counted."""
    server.steps = [{"body": body}]
    ranking = reranker(server, on_error="keep").rerank("q", DOCUMENTS)
    assert [document.index for document in ranking] == order
    usage = {"pairs", "calls", "tokens", "prompt_tokens", "completion_tokens"}
    assert {name: times for name, times in ranking.trace.counts.items() if name not in usage} == counts
    assert len(server.asked) == 1


class TestCalls:
    def test_what_is_sent(self, server: Scripted) -> None:
        """Model, schema, temperature, seed, limit, extra members, and the key in the header only."""
        server.steps = [{}]
        reranker(server, seed=3, extra_body={"reasoning_effort": "low"}).rerank("q", DOCUMENTS)
        (asked,) = server.asked
        schema = asked["response_format"]["json_schema"]
        assert schema["strict"] and schema["schema"]["properties"]["ranking"]["items"]["enum"] == [1, 2, 3]
        assert (asked["model"], asked["temperature"], asked["seed"]) == ("scripted", 0.0, 3)
        assert asked["reasoning_effort"] == "low" and asked["max_tokens"] == 56
        assert server.headers[0]["authorization"] == "Bearer sk-secret" and "sk-secret" not in json.dumps(asked)

    def test_what_can_be_left_out(self, server: Scripted) -> None:
        """Servers without schemas and models without temperature are asked without them."""
        server.steps = [{}]
        reranker(server, structured=False, temperature=None, seed=None, max_tokens=9).rerank("q", DOCUMENTS)
        assert not {"response_format", "temperature", "seed"} & set(server.asked[0])
        assert server.asked[0]["max_tokens"] == 9

    def test_an_endless_answer_is_refused(self, server: Scripted) -> None:
        """A body of more than 8 MiB is no answer, and is not asked for again."""
        server.steps = [{"raw": b" " * (9 * 2**20)}]
        with pytest.raises(CompletionError, match="the answer is longer than 8388608 bytes"):
            reranker(server).rerank("q", DOCUMENTS)
        assert len(server.asked) == 1

    def test_the_first_reason_is_raised_and_waiting_calls_are_not_made(self, server: Scripted) -> None:
        """Of fifty documents' calls, those that had not begun when one failed don't begin."""
        server.steps = [{"status": 401, "body": _ERROR}]
        with pytest.raises(CompletionError, match="HTTP 401"):
            reranker(server, mode="graded", concurrency=2).rerank("q", [str(number) for number in range(50)])
        assert len(server.asked) < 25

    def test_keep_goes_on_and_says_so(self, server: Scripted) -> None:
        """One document's call fails for good: the others are graded, it goes to the end, the trace knows."""
        good = {"body": completion('{"grade": 1}')}
        server.steps = [{"status": 400, "body": _ERROR}, good]
        ranking = reranker(server, mode="graded", on_error="keep", concurrency=1).rerank("q", DOCUMENTS)
        assert [document.index for document in ranking] == [1, 2, 0]
        assert ranking.trace.counts["failed_calls"] == 1 and "HTTP 400" in ranking.trace.notes[0]

    def test_a_fallback_takes_over(self, server: Scripted) -> None:
        """A chain with a dead language model first answers by its second member."""
        server.steps = [{"status": 500, "body": _ERROR}]
        chain = FallbackReranker([reranker(server, max_retries=0), FakeReranker()])
        ranking = chain.rerank("b", DOCUMENTS)
        assert ranking[0].text == "b" and ranking[0].explanation["answered_by"] == "FakeReranker"
        assert ranking.trace.counts["fallbacks"] == 1


_KEY = "sk-verysecret"  # never in a line of a traceback


class TestKeys:
    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 401, "body": {"error": {"message": f"no such key: {_KEY}"}}},
            {"status": 500, "body": {"error": f"Bearer {_KEY}"}},
            {"status": 400, "body": {"error": {"message": "x" * 275 + _KEY}}},
        ],
    )
    def test_a_server_that_repeats_the_key_is_not_quoted(
        self, server: Scripted, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Neither in the error and what a traceback shows of its cause, nor in the log or the trace."""
        server.steps = [fault]
        keeping = reranker(server, api_key=f"{_KEY}\n", on_error="keep")
        with caplog.at_level(logging.DEBUG, "secondpass"):
            trace = keeping.rerank("q", DOCUMENTS).trace
        with pytest.raises(CompletionError, match=f"HTTP {fault['status']}") as caught:
            reranker(server, api_key=f"{_KEY}\n").rerank("q", DOCUMENTS)
        shown = "".join(traceback.format_exception(caught.value)) + caplog.text + str(trace)
        assert f"HTTP {fault['status']}" in caplog.text and _KEY[:7] not in shown
        assert server.headers[0]["authorization"] == f"Bearer {_KEY}"

    def test_an_echo_is_not_quoted(self) -> None:
        """What is no HTTP, but our own request come back, is a broken connection without the key."""
        with socket.create_server(("127.0.0.1", 0)) as echo:

            def answer() -> None:
                connection, _ = echo.accept()
                with connection:
                    received = connection.recv(65536).decode()
                    connection.sendall(received[received.lower().index("authorization") :].encode())

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            url = f"http://127.0.0.1:{echo.getsockname()[1]}/v1?token=pw123"
            with pytest.raises(
                CompletionError, match=r":\d+/v1/chat/completions: the connection was lost .*\*\*\*"
            ) as caught:
                LLMReranker("m", base_url=url, api_key=_KEY, max_retries=0).rerank("q", DOCUMENTS)
            thread.join()
        shown = "".join(traceback.format_exception(caught.value))
        assert _KEY[:7] not in shown and "pw123" not in shown

    @pytest.mark.parametrize("on_error", ["raise", "keep"])
    def test_a_key_that_no_header_can_hold_is_refused(self, server: Scripted, on_error: str) -> None:
        """Without a call or a retry, whatever is done about failed calls, and without repeating it."""
        with pytest.raises(ConfigError, match=f"the key for {server.url}/chat/completions has characters") as caught:
            reranker(server, api_key=_KEY[:7] + "\n" + _KEY[7:], on_error=on_error).rerank("q", DOCUMENTS)
        assert server.asked == [] and _KEY[:7] not in "".join(traceback.format_exception(caught.value))

    def test_a_password_in_the_url_is_refused(self) -> None:
        """A configuration would hold it; the error does not."""
        with pytest.raises(ConfigError, match="LLMReranker: base_url must not contain a user or a password") as caught:
            LLMReranker("m", base_url="http://user:pw123@host/v1")
        assert "pw123" not in str(caught.value)


class TestFunctions:
    @pytest.mark.parametrize(
        "error", [TimeoutError("slow"), ConnectionError("gone"), CompletionError("x", retryable=True)]
    )
    def test_transient_errors_of_a_function_are_tried_again(self, error: Exception) -> None:
        """As those of a server."""
        answers: list[Exception | str] = [error, GOOD]

        def ask(prompt: Prompt, timeout_s: float) -> str:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        assert LLMReranker("m", completion=ask, backoff_s=0.01).rerank("q", DOCUMENTS)[0].index == 2

    def test_other_errors_are_wrapped(self) -> None:
        """A mistake in the function is named, and not repeated."""
        calls = []

        def broken(prompt: Prompt, timeout_s: float) -> Answer:
            calls.append(timeout_s)
            raise KeyError("choices")

        with pytest.raises(CompletionError, match="the completion function failed: KeyError: 'choices'"):
            LLMReranker("m", completion=broken, timeout_s=5.0).rerank("q", DOCUMENTS)
        assert calls == [5.0]
        with pytest.raises(CompletionError, match="returned a NoneType, not an Answer"):
            LLMReranker("m", completion=lambda p, t: None).rerank("q", DOCUMENTS)  # type: ignore[arg-type,return-value]

    def test_the_error_survives_pickling(self) -> None:
        """With what it says about trying again, as it may come from another process."""
        restored = pickle.loads(pickle.dumps(CompletionError("x", retryable=True, retry_after_s=2.0)))
        assert (str(restored), restored.retryable, restored.retry_after_s) == ("x", True, 2.0)
