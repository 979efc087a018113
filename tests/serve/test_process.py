"""The server as a process: it starts, reloads, and ends without losing a request that it took."""

import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.process import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX systems")

_PATIENCE_S = 60.0


class _Process:
    """A running server: its address, and the lines of its log."""

    def __init__(self, config: Path, *options: str) -> None:
        command = [sys.executable, "-c", "from secondpass.cli import main; main()", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--config", str(config), *options], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.lines: list[dict[str, Any]] = []
        self._new: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        said = self.wait_for("Uvicorn running on")
        self.port = int(said["message"].split("127.0.0.1:")[1].split()[0])
        self.url = f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            read = json.loads(line) if line.startswith("{") else {"message": line}
            self.lines.append(read)
            self._new.put(read)

    def wait_for(self, said: str) -> dict[str, Any]:
        """Wait until the log has a line that says this, after those that were waited for, and return it."""
        while True:
            line = self._new.get(timeout=_PATIENCE_S)
            if said in line["message"]:
                return line

    def end(self) -> int:
        """Wait until it has ended, and return its status."""
        status = self.process.wait(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        return status


@contextmanager
def _serving(config: Path, text: str, *options: str) -> Iterator[_Process]:
    config.write_text(text, encoding="utf-8")
    process = _Process(config, *options)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.wait()
        assert process.process.stderr is not None
        process._reader.join(_PATIENCE_S)
        process.process.stderr.close()


def _until_told_to_go(port: int, statuses: list[int], stop: threading.Event) -> None:
    """Send requests over one connection after the other, until the server asks for no more, as a load balancer does."""
    body = json.dumps({"query": "copy a file", "documents": ["delete a file", "copy a file"] * 50})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    while not stop.is_set():
        connection.request("POST", "/v2/rerank", body, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status != 200 or len(answer["results"]) == 100
        statuses.append(response.status)
        if response.headers.get("connection") == "close":
            break
    connection.close()


def test_sigterm_under_load_loses_no_request(tmp_path: Path) -> None:
    """Each request that was sent is answered, the log has each of them, and the process ends with status 0."""
    with _serving(tmp_path / "serve.yaml", "rerankers: {default: fake}\ndrain_s: 0.5\n") as server:
        statuses: list[list[int]] = [[] for _ in range(8)]
        stop = threading.Event()
        clients = [
            threading.Thread(target=_until_told_to_go, args=(server.port, each, stop), daemon=True) for each in statuses
        ]
        for client in clients:
            client.start()
        end_s = time.monotonic() + _PATIENCE_S
        while min(map(len, statuses)) < 5:
            assert time.monotonic() < end_s
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(_PATIENCE_S)
            assert not client.is_alive()
        assert server.end() == 0
        answered = [status for each in statuses for status in each]
        assert set(answered) == {200}
        logged = [line for line in server.lines if line["message"] == "request" and line["path"] == "/v2/rerank"]
        assert [line["status"] for line in logged] == [200] * len(answered)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")


def test_a_request_that_is_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    """Without any time to drain; and no further one is taken."""
    with _serving(
        tmp_path / "serve.yaml", f"rerankers: {{default: cross-encoder}}\ntimeout_s: {_PATIENCE_S}\n"
    ) as server:
        body = {
            "query": "how do I copy a file?",
            "documents": [f"file number {at} is copied" * 20 for at in range(80)],
        }
        answers: list[httpx.Response] = []
        client = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{server.url}/v2/rerank", json=body, timeout=_PATIENCE_S))
        )
        client.start()
        while "secondpass_http_in_flight 1.0" not in httpx.get(f"{server.url}/metrics").text:
            pass
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Shutting down")
        assert not answers
        client.join(_PATIENCE_S)
        assert answers[0].status_code == 200
        assert len(answers[0].json()["results"]) == 80
        assert server.end() == 0


def test_sighup_reads_the_file_again(tmp_path: Path) -> None:
    """New names are served; a file that can't be used changes nothing, and the log says why."""
    config = tmp_path / "serve.yaml"
    with _serving(config, "rerankers: {first: fake}\n") as server:

        def names() -> list[str]:
            return [each["id"] for each in httpx.get(f"{server.url}/v1/models").json()["data"]]

        assert names() == ["first"]
        config.write_text("rerankers: {second: fake}\n", encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("other settings hold now")
        assert names() == ["second"]
        config.write_text("rerankers: [", encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        assert "can't be read as YAML" in server.wait_for("the settings stay as they were")["message"]
        assert names() == ["second"]


def test_what_can_not_be_served_ends_at_once(tmp_path: Path) -> None:
    """With a sentence that says why, before anything is listened on."""
    config = tmp_path / "serve.yaml"
    config.write_text("rerankers: {default: nowhere}\n", encoding="utf-8")
    done = run("serve", "--port", "0", "--config", str(config))
    assert done.returncode == 1
    assert "'nowhere' is neither a reranker nor a cross-encoder" in done.stderr
    config.write_text("rerankers: {good: fake, bad: {type: fake, scal: logit}}\n", encoding="utf-8")
    done = run("serve", "--port", "0", "--config", str(config))
    assert done.returncode == 1
    assert "has no setting 'scal'" in done.stderr and "while loading rerankers['bad']" in done.stderr
    done = run("serve", "--model", "a", "--config", str(config))
    assert "pass --model or --config, not both" in done.stderr


def test_an_address_that_is_taken_is_an_error_like_others(tmp_path: Path) -> None:
    """With the status of what can't be used, and a sentence."""
    config = tmp_path / "serve.yaml"
    config.write_text("rerankers: {default: fake}\n", encoding="utf-8")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("serve", "--port", str(port), "--config", str(config))
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"error: ConfigError: 127.0.0.1, port {port} can't be listened on: [Errno")


@pytest.mark.parametrize(
    ("host", "keys", "warned"), [("0.0.0.0", "", True), ("0.0.0.0", "sesame", False), ("127.0.0.1", "", False)]
)
def test_a_server_for_all_without_a_key_is_warned_of(
    host: str, keys: str, warned: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reaches it may use it."""
    from secondpass.cli.serve import serve

    served = []
    monkeypatch.setattr("secondpass.serve.run.run", lambda app, **where: served.append((app, where)))
    monkeypatch.setattr("secondpass.serve.app.create_app", lambda settings: settings)
    monkeypatch.setattr("secondpass.serve.logs.log_as_json", lambda _: None)
    monkeypatch.setenv("SECONDPASS_API_KEYS", keys)
    serve(config=None, model="ms-marco-MiniLM-L12-v2", host=host)
    ((settings, where),) = served
    assert (where["host"], where["port"], list(settings.rerankers)) == (host, 8000, ["default"])
    assert ("whoever reaches 0.0.0.0 may use this server" in caplog.text) is warned
