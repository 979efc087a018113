"""A real Prometheus scrapes the sink, and the dashboard's queries find something there."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, start_http_server

import secondpass as sp
from secondpass.monitor import PrometheusSink
from secondpass.testing import FakeReranker
from tests.monitor.events import event

_PATIENCE_S = 60
_DASHBOARD = json.loads(resources.files("secondpass.monitor").joinpath("grafana.json").read_text(encoding="utf-8"))
_CONFIG = """
scrape_configs:
  - job_name: secondpass
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


class Scraper:
    """Prometheus, with what it has scraped."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression of PromQL gives now; nothing while the server starts."""
        try:
            with urlopen(f"{self._address}/api/v1/query?query={quote(expression)}", timeout=10) as answer:
                found = json.load(answer)
        except OSError:
            return []
        assert found["status"] == "success", found
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression gives as soon as that is something."""
        end_s = time.monotonic() + _PATIENCE_S
        while not (found := self.query(expression)):
            assert time.monotonic() < end_s, f"{expression} never gave anything"
            time.sleep(0.1)
        return found


@pytest.fixture
def binary() -> str:
    """Return the path of prometheus; without one the test is skipped, but in CI it fails."""
    found = shutil.which("prometheus")
    if found is None:
        reason = "prometheus is not installed (Debian and Ubuntu: apt-get install prometheus)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be")
        pytest.skip(reason)
    return found


@pytest.fixture
def sink() -> PrometheusSink:
    """Return a sink with a registry of its own."""
    return PrometheusSink(registry=CollectorRegistry())


@pytest.fixture
def scraper(binary: str, sink: PrometheusSink, tmp_path: Path) -> Iterator[Scraper]:
    """Return Prometheus, which scrapes the sink five times a second, from the loopback interface."""
    exposed, thread = start_http_server(0, "127.0.0.1", registry=sink.registry)
    config = tmp_path / "prometheus.yml"
    config.write_text(_CONFIG % exposed.server_port, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", "--log.level=error"]
    process = subprocess.Popen([binary, *arguments, f"--web.listen-address=127.0.0.1:{port}"])
    try:
        yield Scraper(port)
    finally:
        process.kill()
        process.wait(10)
        exposed.shutdown()
        exposed.server_close()
        thread.join(10)


def _expressions() -> list[str]:
    return [target["expr"] for panel in _DASHBOARD["panels"] for target in panel["targets"]]


def test_the_dashboard_asks_only_for_what_there_is(sink: PrometheusSink) -> None:
    """Each metric in it is one of the sink's, with one of its labels; each panel says what it shows."""
    sink(event(kind="verify", passed=True, stages={"nli": 0.1}))
    text = sink.text()
    assert {panel["type"] for panel in _DASHBOARD["panels"]} == {"timeseries"}
    for panel in _DASHBOARD["panels"]:
        assert panel["title"] and panel["description"].endswith(".") and panel["targets"]
    for expression in _expressions():
        for name in {part.partition("{")[0] for part in expression.replace("(", " ").split() if "secondpass_" in part}:
            assert f"\n{name}{{" in text, name
    assert [each["name"] for each in _DASHBOARD["templating"]["list"]] == ["datasource", "kind", "name"]


def test_prometheus_reads_the_sink(scraper: Scraper, sink: PrometheusSink) -> None:
    """The numbers are those of the calls, and every panel of the dashboard has something to show."""
    reranker = sp.MonitoredReranker(sp.CachedReranker(FakeReranker()), [sink], name="ranking")
    for _ in range(3):
        reranker.rerank("copy a file", ["copy", "move"])
    sink(event(kind="verify", name="checking", passed=True, counts={"claims": 1, "supported": 1}))
    sink(event(error="ScoringError"))
    (found,) = scraper.wait_for('secondpass_calls_total{name="ranking"}')
    assert found["value"][1] == "3" and found["metric"]["kind"] == "rerank"
    assert "error" not in found["metric"]  # a label that is empty is none
    (candidates,) = scraper.wait_for('secondpass_candidates_total{name="ranking"}')
    (hits,) = scraper.wait_for('secondpass_cache_hits_total{name="ranking"}')
    assert (candidates["value"][1], hits["value"][1]) == ("6", "4")
    for expression in _expressions():
        filled = expression.replace("$__rate_interval", "1m").replace("$kind", ".*").replace("$name", ".*")
        assert scraper.wait_for(filled)
