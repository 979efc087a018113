"""RemoteReranker against each way that a server fails."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secondpass.errors import ScoringError
from secondpass.rerankers.remote import RemoteReranker
from tests.remote.server import KEY, Handler, Server, remote


def _hang_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def _half_an_answer(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'[{"index": 0, ')
    handler.close_connection = True


def _silence(handler: Handler) -> None:
    handler.server.released.wait(20)


def _drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(400):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        if handler.server.released.wait(0.05):
            break
    handler.close_connection = True


def _one(index: Any = 0, score: Any = 0.5) -> dict[str, Any]:
    return {"index": index, "score": score}


class TestFaults:
    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (_hang_up, r"the connection was lost \(.*\): the server may have crashed, or does not speak HTTP"),
            (_half_an_answer, "the connection was lost"),
            ((200, b"<html>Bad gateway</html>"), "the answer is not JSON: <html>Bad gateway</html>"),
            ((200, b""), "the answer is not JSON: it is empty"),
            ((200, b'[{"index": 0, "sco'), "the answer is not JSON"),
            ((200, b"[" * 100_000), "the answer is not JSON"),
            ((200, b"\xff\xfe\x00"), "the answer is not JSON"),
        ],
    )
    def test_broken_answers_are_tried_again_and_then_named(
        self, act: Any, message: str, serve: Callable[[str], Server]
    ) -> None:
        """Once is mended by the second attempt; always is an error that says what came."""
        server = serve("tei")
        server.script = [act]
        assert remote(server).score("q", ["a"]).shape == (1,)
        server.script = [act] * 5
        with pytest.raises(ScoringError, match=message):
            remote(server, max_retries=1).score("q", ["a"])

    @pytest.mark.parametrize("act", [_silence, _drip])
    def test_a_slow_server_runs_into_the_time_out(self, act: Any, serve: Callable[[str], Server]) -> None:
        """No answer at all, and one that never ends: both end after about `timeout_s`."""
        server = serve("tei")
        server.script = [act]
        start = time.monotonic()
        with pytest.raises(ScoringError, match=r"within 0.2 s: raise timeout_s"):
            remote(server, timeout_s=0.2, max_retries=0).score("q", ["a"])
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize(
        ("payload", "message"),
        [
            ([_one(0), _one(1), _one(1)], "scores document 1 twice"),
            ([_one(0), _one(3), _one(1)], "scores document 3, but only 3 were sent .from 0."),
            ([_one(0), _one(-1), _one(1)], "scores document -1, but only 3 were sent"),
            ([_one(0), _one(2)], "scores 2 of 3 documents; the first without a score is 1"),
            ([], "scores 0 of 3 documents"),
            ([_one(index) for index in range(4)], "scores document 3, but only 3 were sent"),
            ([_one(0, float("nan")), _one(1), _one(2)], "gives document 0 the score nan"),
            ([_one(0, float("inf")), _one(1), _one(2)], "gives document 0 the score inf"),
            ([_one(0, 10**400), _one(1), _one(2)], "gives document 0 the score inf"),
            ([_one(0, None), _one(1), _one(2)], "no number under 'score': {'index': 0, 'score': None}"),
            ([_one(0, "0.5"), _one(1), _one(2)], "no number under 'score'"),
            ([_one(0, True), _one(1), _one(2)], "no number under 'score'"),
            ([_one("0"), _one(1), _one(2)], "no whole number under 'index'"),
            ([_one(True), _one(1), _one(2)], "no whole number under 'index'"),
            ([_one(0.0), _one(1), _one(2)], "no whole number under 'index'"),
            (["x" * 1000], "no whole number under 'index': 'xxx.*…"),
            ({"results": []}, r"no list \(its keys: 'results'\); check that shape='tei' is right"),
            (None, r"no list \(it is a JSON NoneType\)"),
            ([_one(0, 7.5), _one(1), _one(2)], "scores from 0.5 to 7.5 are not probabilities; pass scale='logit'"),
        ],
    )
    def test_wrong_scores_are_refused(self, payload: Any, message: str, serve: Callable[[str], Server]) -> None:
        """Missing, double, foreign and unusable results are errors that say which, and are not tried again."""
        server = serve("tei")
        server.script = [(200, payload)]
        with pytest.raises(ScoringError, match=f"{server.url}/rerank: .*{message}"):
            remote(server).score("q", ["a", "b", "c"])
        assert len(server.received) == 1

    def test_another_shape_is_recognised(self, serve: Callable[[str], Server]) -> None:
        """A list under another key than the shape's is no guess: the keys are named."""
        server = serve("jina")
        server.script = [(200, {"object": "list", "data": []})]
        with pytest.raises(ScoringError, match=r"no list under 'results' \(its keys: 'object, data'\).*shape='jina'"):
            remote(server).score("q", ["a"])

    def test_a_hair_above_one_is_one(self, serve: Callable[[str], Server]) -> None:
        """An activation in half precision may round up."""
        server = serve("tei")
        server.script = [(200, [_one(0, 1.0000004), _one(1, -1e-7)])]
        assert remote(server).score("q", ["a", "b"]).tolist() == [1.0, 0.0]

    def test_an_endless_answer_is_cut_off(self, serve: Callable[[str], Server]) -> None:
        """More than a list of scores, with the documents, can be is not read to its end."""
        server = serve("tei")
        server.script = [(200, b" " * 2**22)]
        with pytest.raises(ScoringError, match="the answer is longer than 1049616 bytes"):
            remote(server).score("q", ["a"])
        assert len(server.received) == 1

    def test_a_wrong_path_hints_at_the_url(self, serve: Callable[[str], Server]) -> None:
        """404 names what to check."""
        server = serve("cohere")
        reranker = RemoteReranker(f"{server.url}/v1/chat", model="m", api_key=KEY)
        with pytest.raises(ScoringError, match=r"/v1/chat: HTTP 404: .*check the path of the URL, shape and model"):
            reranker.score("q", ["a"])

    def test_nobody_there(self) -> None:
        """A refused connection says which server, and what to check."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ScoringError, match=rf"{url}/rerank: no connection .*the server is running.*\(attempt 2\)"):
            RemoteReranker(url, shape="tei", max_retries=1, backoff_s=0).score("q", ["a"])

    def test_no_such_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that does not resolve is a failed connection too."""

        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(ScoringError, match=r"no-such-host\.invalid/rerank: no connection \(.*not known\)"):
            RemoteReranker("http://no-such-host.invalid", shape="tei", max_retries=0).score("q", ["a"])

    def test_https_to_a_plain_server(self, serve: Callable[[str], Server]) -> None:
        """No secure connection: not tried again, as the next handshake ends the same way."""
        url = serve("tei").url.replace("http:", "https:")
        with pytest.raises(ScoringError, match=r"no secure connection \(.*\): check that the server speaks https"):
            RemoteReranker(url, shape="tei").score("q", ["a"])

    @pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
    def test_a_certificate_that_nobody_vouches_for(self, serve: Callable[[str], Server], tmp_path: Path) -> None:
        """A self-signed certificate is refused, and the error says how to trust it; nothing was sent."""
        server = serve("tei")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
        files = [str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")]
        subprocess.run([*command, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files[1], files[0])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with pytest.raises(ScoringError, match=r"no secure connection \(.*CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
            RemoteReranker(server.url.replace("http:", "https:"), shape="tei").score("q", ["a"])
        assert server.received == []

    def test_redirects_are_not_followed(self, serve: Callable[[str], Server]) -> None:
        """The key must not go where a server points to; the error says where that is."""
        target, server = serve("tei"), serve("tei")
        server.script = [(307, b"", {"Location": f"{target.url}/rerank?token=1"})]
        with pytest.raises(
            ScoringError, match=f"HTTP 307: the server redirects to {target.url}/rerank, which is not followed"
        ):
            remote(server).score("q", ["a"])
        assert target.received == []

    def test_where_a_redirect_points_to_is_quoted_as_it_is(self, serve: Callable[[str], Server]) -> None:
        """Braces in it are no placeholders, and a key in it is not repeated."""
        server = serve("tei")
        server.script = [(308, b"", {"Location": f"/{{tenant}}/{KEY}/rerank"})]
        with pytest.raises(ScoringError, match=r"HTTP 308: the server redirects to /\{tenant\}/\*\*\*/rerank,"):
            remote(server).score("q", ["a"])

    @pytest.mark.parametrize(
        "date", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2020 00:00:00 +99999999999999", "soon"]
    )
    def test_nonsense_in_retry_after_is_no_reason_to_fail(self, date: str, serve: Callable[[str], Server]) -> None:
        """It is taken as not said, and the second attempt is answered."""
        server = serve("tei")
        server.script = [(429, {}, {"Retry-After": date})]
        assert remote(server).score("q", ["a"]).shape == (1,) and len(server.received) == 2

    def test_closing_disturbs_no_call_that_is_on_its_way(self, serve: Callable[[str], Server]) -> None:
        """Who closes a shared reranker closes idle connections; a call of another thread still gets its answer."""
        server = serve("tei")
        reranker = remote(server)

        def close_and_answer(handler: Handler) -> None:
            reranker.close()
            handler.reply(200, [_one()])

        server.script = [close_and_answer]
        assert reranker.score("q", ["a"]).tolist() == [0.5]

    @pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "zstd", "br", "deflate"])
    def test_a_compressed_answer_is_not_read(self, encoding: str, serve: Callable[[str], Server]) -> None:
        """A few KB of one can fill the memory; it was not asked for, and is refused by name, without a retry."""
        server = serve("tei")
        server.script = [(200, b"not zipped", {"Content-Encoding": encoding})]
        with pytest.raises(ScoringError, match=rf"the answer is compressed \({encoding}\), which was not asked for"):
            remote(server).score("q", ["a"])
        assert len(server.received) == 1 and server.received[0][1]["Accept-Encoding"] == "identity"

    def test_a_compressed_error_is_told_by_its_status(self, serve: Callable[[str], Server]) -> None:
        """Its words are not read, but it is tried again as any other."""
        server = serve("tei")
        server.script = [(503, b"zipped", {"Content-Encoding": "gzip"})]
        assert remote(server).score("q", ["a"]).shape == (1,) and len(server.received) == 2
