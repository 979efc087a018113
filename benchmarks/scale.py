"""Workers on a local Ray: pairs a second with one and two, a worker killed, and Ray Serve beside the plain server.

    python benchmarks/scale.py
    python benchmarks/scale.py --pairs 2000 --rows 250

Pairs: a query and a short document, which differ in all pairs, by the embedded cross-encoder. First a process of its
own scores them in one call with one thread, which is what workers are compared with. Then one worker scores a fifth of
them, and then two score all, one of which is killed (SIGKILL) after half of the rows. The output is read back: whether
each pair is in it once, and whether its score is the one of the single process, to the bit. Pairs a second are without
the time in which Ray and the models start, which is printed beside them; those a second of processor time hold on a
machine that has other things to do as well.

Ray Serve: the same requests, one after the other and by several clients at once, to the application behind uvicorn and
behind Ray Serve with a replica, in turn; whether the answers are the same, and what the way through Ray Serve costs.

Needs: pip install "secondpass[ray,embedded]"
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_worker_niceness", "0")  # as what it is compared with has

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

import secondpass as sp
from secondpass.scale import DatasetRun, ShardDone, connected, rerank_dataset, serve_application

_WORDS = (
    "copy",
    "move",
    "remove",
    "rename",
    "open",
    "read",
    "write",
    "close",
    "list",
    "sort",
    "split",
    "join",
    "parse",
)
_DOCUMENTS = 20  # of a request to the servers


def rows(n: int) -> list[dict[str, Any]]:
    """Return pairs; no two of them are the same."""
    return [
        {
            "id": at,
            "query": f"how do I {_WORDS[at % 13]} file {at // 50}?",
            "document": f"{_WORDS[at * 7 % 13]} works on file {at}, and leaves the {_WORDS[at * 3 % 13]} of others be.",
        }
        for at in range(n)
    ]


def alone(path: Path, out: Path) -> None:
    """Score the pairs of a file in this process, and write how long that took and the scores."""
    pairs = pq.read_table(path).to_pylist()
    reranker = sp.CrossEncoderReranker()
    requests = [sp.Request(row["query"], [row["document"]]) for row in pairs]
    reranker.score_many(requests[:50])
    start, cpu_start = time.perf_counter(), time.process_time()
    scores = [float(each.values[0]) for each in reranker.score_many(requests)]
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu_start}
    out.write_text(json.dumps(took | {"scores": scores}), encoding="utf-8")


class Watch:
    """Notes when parts were written, and kills the worker that wrote the one with which half of the rows are done."""

    def __init__(self, *, kills: bool) -> None:
        self.kills, self.killed = kills, ""
        self.first_s = self.last_s = 0.0
        self.first_rows = self.rows = 0

    def __call__(self, done: ShardDone) -> None:
        """Look at a part."""
        self.last_s, self.rows = time.perf_counter(), done.rows_done
        if not self.first_s:
            self.first_s, self.first_rows = self.last_s, done.rows_done
        if self.kills and not self.killed and 2 * done.rows_done >= done.rows_total:
            time.sleep(0.2)  # by then it has begun with its next one
            self.killed = done.worker
            os.kill(int(done.worker.rpartition(":")[2]), signal.SIGKILL)

    @property
    def pairs_per_s(self) -> float:
        """Between the first part and the last."""
        return (self.rows - self.first_rows) / (self.last_s - self.first_s)


def print_offline(folder: Path, n: int, shard_rows: int) -> None:
    """Print what workers make of the pairs."""
    source = folder / "pairs.parquet"
    table = pa.Table.from_pylist(rows(n))
    pq.write_table(table, source, row_group_size=5000)
    pq.write_table(table.slice(0, n // 5), folder / "some.parquet")
    environment = os.environ | {"SECONDPASS_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--alone", str(source), str(folder / "alone.json")]
    subprocess.run(command, env=environment, check=True)
    local = json.loads((folder / "alone.json").read_bytes())
    local_s = n / local["seconds"]
    core_s = n / local["cpu_seconds"]
    print(f"{n:,} pairs; one process, one thread: {local_s:,.1f} pairs/s, {core_s:,.1f} a CPU second", flush=True)
    for workers, read in ((1, folder / "some.parquet"), (2, source)):
        watch = Watch(kills=workers == 2)
        with connected(2):
            run = rerank_dataset(read, folder / f"by-{workers}", workers=workers, shard_rows=shard_rows, on_done=watch)
        by_worker_s = run.pairs_per_cpu_s
        print(f"{workers} workers, {run.pairs:,} pairs: {watch.pairs_per_s:,.1f} pairs/s, {run.seconds:.0f} s in all;")
        print(f"  {by_worker_s:,.1f} a CPU second, {by_worker_s / core_s:.3f} of the process's", flush=True)
        if watch.kills:
            print(f"  killed {watch.killed or 'nobody'}; {run.workers} processes wrote parts")
        print_output(run, local["scores"][: run.rows])
    print(f"100 million such pairs at {by_worker_s:,.1f} a CPU second: {1e8 / by_worker_s / 3600:,.0f} core-hours")


def print_output(run: DatasetRun, scores: Sequence[float]) -> None:
    """Print whether the output has each pair once, with the score that it has alone."""
    found = pa.concat_tables([pq.read_table(part) for part in run.parts])
    ids, scored = found["id"].to_pylist(), found["score"].to_pylist()
    lost, doubled = len(scores) - len(set(ids)), len(ids) - len(set(ids))
    print(f"  {len(ids):,} rows: {lost} lost, {doubled} doubled, in order {ids == sorted(ids)}; ", end="")
    print(f"scores that differ: {sum(a != b for a, b in zip(scored, scores, strict=True))}", flush=True)


def bodies(n: int) -> list[dict[str, Any]]:
    """Return the bodies of requests."""
    pairs = rows(n * _DOCUMENTS)
    return [
        {
            "query": pairs[at * _DOCUMENTS]["query"],
            "documents": [row["document"] for row in pairs[at * _DOCUMENTS : (at + 1) * _DOCUMENTS]],
        }
        for at in range(n)
    ]


def asked(url: str, requests: Sequence[dict[str, Any]], clients: int) -> tuple[list[Any], list[float], float]:
    """Return the answers' results, the seconds of each, and those of all."""
    with httpx.Client(base_url=url, timeout=120) as client, ThreadPoolExecutor(clients) as pool:

        def one(body: dict[str, Any]) -> tuple[Any, float]:
            start = time.perf_counter()
            answer = client.post("/v1/rerank", json={**body, "return_documents": False})
            return answer.raise_for_status().json()["results"], time.perf_counter() - start

        start = time.perf_counter()
        found = list(pool.map(one, requests))
        return [result for result, _ in found], [s for _, s in found], time.perf_counter() - start


def print_online(n: int, clients: int) -> None:
    """Print what Ray Serve answers, and how long it takes."""
    environment = os.environ | {"SECONDPASS_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from secondpass.cli import main; main()", "serve", "--port", "8031"]
    plain = subprocess.Popen([*command, "--model", "cross-encoder", "--log-level", "warning"], env=environment)
    try:
        with connected(2):
            from ray import serve

            serve.start(http_options={"port": 8032})
            serve.run(serve_application({"rerankers": {"default": "cross-encoder"}}))
            urls = {"uvicorn": "http://127.0.0.1:8031", "Ray Serve": "http://127.0.0.1:8032"}
            until_s = time.monotonic() + 120
            while time.monotonic() < until_s:
                try:
                    httpx.get(urls["uvicorn"] + "/ready").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            requests = bodies(n)
            for url in urls.values():
                asked(url, requests[:5], 1)
            times: dict[tuple[str, int], list[float]] = {}
            rates: dict[tuple[str, int], list[float]] = {}
            answers: dict[str, list[Any]] = {name: [] for name in urls}
            for start in range(0, n, 20):
                for at_once in (1, clients):
                    for name, url in urls.items():
                        results, seconds, total = asked(url, requests[start : start + 20], at_once)
                        answers[name] += results
                        times.setdefault((name, at_once), []).extend(seconds)
                        rates.setdefault((name, at_once), []).append(len(results) / total)
            serve.shutdown()
    finally:
        plain.terminate()
        plain.wait()
    same = sum(a == b for a, b in zip(*answers.values(), strict=True))
    print(f"\n{n} requests of {_DOCUMENTS} documents: {same} of {len(answers['uvicorn'])} answers are the same")
    for at_once in (1, clients):
        print(f"  {at_once} at once:", end="")
        for name in urls:
            median_ms = 1000 * statistics.median(times[name, at_once])
            print(f"  {name} {median_ms:.1f} ms, {statistics.median(rates[name, at_once]):.1f} requests/s;", end="")
        print(flush=True)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=500, help="of a shard")
    parser.add_argument("--requests", type=int, default=100, help="to the servers; 0 leaves them out")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--alone", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(*options.alone)
        return
    with tempfile.TemporaryDirectory() as folder:
        print_offline(Path(folder), options.pairs, options.rows)
    if options.requests:
        print_online(options.requests, options.clients)


if __name__ == "__main__":
    main()
