"""What only Ray can show, in a process of its own: its threads and warnings must not reach other tests.

python on_ray.py killed FOLDER      begins a run, and is killed after two shards
python on_ray.py whole FOLDER       goes on with it, kills a worker, verifies, serves; prints what came of it
"""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil

from secondpass.errors import InputError
from secondpass.scale import DatasetRun, ShardDone, connected, rerank_dataset, serve_application, verify_dataset

__all__ = ["BODY", "REQUESTS", "SERVED", "VARYING"]

SERVED: dict[str, Any] = {
    "rerankers": {"default": {"type": "fake"}, "logits": {"type": "fake", "scale": "logit"}},
    "verifiers": {"default": {"type": "fact", "policy": "flag"}},
    "max_documents": 5,
}
BODY: dict[str, Any] = {"query": "copy a file", "documents": ["delete a file", "copy a file", "sunny all week"]}
REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/v2/rerank", {"model": "default", "top_n": 2, **BODY}),
    ("POST", "/v1/rerank", BODY),
    ("POST", "/v1/rerank", {"top_k": 1, **BODY}),
    ("POST", "/rerank", {"query": "copy a file", "texts": BODY["documents"], "raw_scores": True}),
    ("POST", "/infinity/rerank", {"model": "logits", **BODY}),
    ("POST", "/verify", {"answer": "It is 330 metres tall.", "passages": ["The tower is 330 metres tall."]}),
    ("POST", "/v2/rerank", {"model": "none of these", **BODY}),
    ("POST", "/v2/rerank", {"query": "q", "documents": ["a"] * 6}),
    ("POST", "/rerank", {"query": 3}),
    ("POST", "/classify", {"texts": ["a"], "labels": ["b"]}),
    ("GET", "/health", None),
    ("GET", "/ready", None),
    ("GET", "/openapi.json", None),
    ("GET", "/nowhere", None),
]
VARYING = frozenset({"created", "id", "trace", "latency_s"})
"""Keys of answers that differ from call to call."""


def _rerank(folder: Path, on_done: Any) -> DatasetRun:
    settings: dict[str, Any] = {"workers": 2, "shard_rows": 50}
    return rerank_dataset(folder / "rows.parquet", folder / "scored", on_done=on_done, **settings)


def _killed(folder: Path) -> None:
    def die(done: ShardDone) -> None:
        if done.rows_done >= 100:
            os.kill(os.getpid(), signal.SIGKILL)

    _rerank(folder, die)


class _Killer:
    """Kills the worker that wrote the first part, which has begun with its next one by then."""

    def __init__(self) -> None:
        self.killed: str | None = None

    def __call__(self, done: ShardDone) -> None:
        if self.killed is None:
            time.sleep(0.2)
            os.kill(int(done.worker.rpartition(":")[2]), signal.SIGKILL)
            self.killed = done.worker


def _listening() -> list[str]:
    """Return the addresses on which the processes that Ray started here listen, and those of the replicas' own."""
    mine = [psutil.Process(), *psutil.Process().children(recursive=True)]
    found = {
        connection.laddr.ip
        for process in mine
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    return sorted(found)


def _reranked(folder: Path) -> dict[str, Any]:
    killer = _Killer()
    run = _rerank(folder, killer)
    again = _rerank(folder, None)
    figures = {"rows": run.rows, "before": run.rows_before, "pairs": run.pairs, "workers": run.workers}
    return {**figures, "killed": killer.killed, "again": again.pairs, "parts": [str(part) for part in run.parts]}


def _verified(folder: Path) -> dict[str, Any]:
    run = verify_dataset(folder / "answers.jsonl", folder / "verified", columns={"answer": "said"}, shard_rows=2)
    return {"pairs": run.pairs, "parts": [str(part) for part in run.parts]}


def _refused(folder: Path) -> str:
    try:
        rerank_dataset(folder / "bad.jsonl", folder / "refused", reranker="fake")
    except InputError as exc:
        return str(exc)
    return ""


def _served() -> dict[str, Any]:
    from ray import serve

    port = 8000 + os.getpid() % 20_000
    serve.start(http_options={"port": port})
    serve.run(serve_application(SERVED, replicas=(1, 2)))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        answers = [client.request(method, path, json=body) for method, path, body in REQUESTS]
        with ThreadPoolExecutor(8) as pool:
            at_once = list(pool.map(lambda _: client.post("/v2/rerank", json=BODY).json()["results"], range(40)))
    serve.shutdown()
    told = [(answer.status_code, answer.json()) for answer in answers]
    return {"answers": told, "at_once": at_once}


def _whole(folder: Path) -> None:
    with connected(4):
        from ray._common.usage.usage_lib import usage_stats_enabled

        result: dict[str, Any] = {"listening": _listening(), "statistics": usage_stats_enabled()}
        result |= {"reranked": _reranked(folder), "verified": _verified(folder), "refused": _refused(folder)}
        result["served"] = _served()
    left = subprocess.run(["ps", "-eo", "ppid="], capture_output=True, text=True, check=True).stdout.split()
    result["left"] = left.count(str(os.getpid())) - 1  # ps itself
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    {"killed": _killed, "whole": _whole}[sys.argv[1]](Path(sys.argv[2]))
