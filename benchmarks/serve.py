"""The server under load: throughput and latency against the same model in a loop, refusals, memory.

    python benchmarks/serve.py [--seconds 20] [--clients 8]

A process of its own sends a mixture over loopback, as fast as it is answered: three in four requests rerank 5 to 20
texts of the standard library's documentation, in four dialects; the others verify an answer or classify a text. The
same requests to rerank are answered by the reranker in a loop. All in one run, on one machine, so that ratios count.
"""

import argparse
import atexit
import http.client
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import secondpass as sp
from secondpass.evaluate import stdlib_corpus, stdlib_queries

Request = tuple[str, dict[str, Any]]


def requests(n: int, seed: int = 0) -> list[Request]:
    """Return a mixture of requests, each a path and a body."""
    chance = random.Random(seed)
    corpus = [str(each["text"])[:200] for each in stdlib_corpus()]
    queries = list(stdlib_queries().values())
    made: list[Request] = []
    for at in range(n):
        documents, query = chance.sample(corpus, chance.randint(5, 20)), chance.choice(queries)
        if at % 8 == 3:
            answer = " ".join(documents[0].split()[:25]).rstrip(".") + "."
            made.append(("/verify", {"answer": answer, "passages": documents[:3]}))
        elif at % 8 == 7:
            made.append(("/classify", {"texts": [query], "labels": ["files", "networks", "numbers", "texts"]}))
        elif at % 4 == 0:
            made.append(("/v2/rerank", {"query": query, "documents": documents, "top_n": 5}))
        elif at % 4 == 1:
            made.append(("/rerank", {"query": query, "texts": documents, "truncate": True}))
        else:
            body = {"query": query, "documents": documents, "return_documents": False}
            made.append(("/v1/rerank", body | ({"top_k": 5} if at % 4 == 2 else {})))
    chance.shuffle(made)  # else each client would send one kind only
    return made


def send(url: str, mixture: Sequence[Request], clients: int, seconds: float, out: Any) -> None:
    """Send requests over so many connections for so long; put (path, status, seconds, retry-after) of each."""
    parts = urlsplit(url)
    done: list[tuple[str, int, float, str | None]] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        at = number
        while time.perf_counter() < end:
            path, body = mixture[at % len(mixture)]
            at += clients
            start = time.perf_counter()
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
            response = connection.getresponse()
            response.read()
            done.append((path, response.status, time.perf_counter() - start, response.headers.get("retry-after")))
            if response.status == 503:
                time.sleep(0.05)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put(done)


class Server:
    """``secondpass serve`` in a process of its own, with its memory."""

    def __init__(self, settings: dict[str, Any], folder: Path) -> None:
        config = folder / "serve.yaml"
        config.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-c", "from secondpass.cli import main; main()", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        atexit.register(self.process.kill)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "Uvicorn running on" in line:
                break
        else:
            raise SystemExit("the server did not start")
        self.url = json.loads(line)["message"].split()[3]
        self.memory: list[float] = []
        threading.Thread(target=self._drain, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for _ in self.process.stderr:
            pass

    def _watch(self) -> None:
        while self.process.poll() is None:
            try:
                status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            except OSError:
                return
            self.memory += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
            time.sleep(0.25)

    def end(self) -> int:
        """End it by SIGTERM, and return its status."""
        self.process.terminate()
        return self.process.wait(60)


def under_load(url: str, mixture: Sequence[Request], clients: int, seconds: float) -> Any:
    """Return what a process of its own was answered."""
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    sender = context.Process(target=send, args=(url, mixture, clients, seconds, out))
    sender.start()
    done = out.get()
    sender.join()
    return done


def against(server: Server, other: str, reranking: Sequence[Request], clients: int, seconds: float) -> None:
    """Print what two servers make of the same requests, in turn, and the ratios of each round."""
    texts = [(body["query"], body.get("documents") or body["texts"]) for _, body in reranking]
    bodies = [{"model": "default", "query": query, "documents": documents} for query, documents in texts]
    ratios = []
    for _ in range(3):
        measured = []
        for name, url in (("this server", server.url + "/infinity"), ("the other", other)):
            path = urlsplit(url).path + "/rerank"
            mixture = [(path, body | {"return_documents": False}) for body in bodies]
            done = under_load(url, mixture, clients, seconds)
            assert {status for _, status, _, _ in done} == {200}
            shown(f"{name}, Infinity's dialect", [each[2] for each in done], seconds)
            measured.append((len(done), max(each[2] for each in done)))
        (ours, our_worst), (theirs, their_worst) = measured
        ratios.append((ours / theirs, their_worst / our_worst))
    print("requests/s, this to the other:", " ".join(f"{ratio:.2f}" for ratio, _ in ratios))
    print("slowest request, the other to this:", " ".join(f"{ratio:.2f}" for _, ratio in ratios))


def shown(name: str, seconds: Sequence[float], total_s: float) -> None:
    """Print a line of throughput and latency."""
    if len(seconds) < 2:
        print(f"{name:32} too few: {len(seconds)}")
        return
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    per_s = len(seconds) / total_s
    print(f"{name:32} {per_s:8.1f} requests/s   p50 {1000 * cuts[49]:7.0f} ms   p99 {1000 * cuts[98]:7.0f} ms")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--other", help="another server's /rerank in Infinity's dialect, with the same weights")
    options = parser.parse_args()
    mixture = requests(400)
    reranking = [(path, body) for path, body in mixture if path.endswith("/rerank")]
    models = {"rerankers": {"default": "cross-encoder"}, "verifiers": {"default": {"type": "fact", "policy": "flag"}}}
    models["classifiers"] = {"default": {"type": "zero-shot"}}
    with tempfile.TemporaryDirectory() as folder:
        reranker = sp.CrossEncoderReranker()
        texts = [(body["query"], body.get("documents") or body["texts"]) for _, body in reranking]
        loop, start = [], time.perf_counter()
        while time.perf_counter() - start < options.seconds or len(loop) < 10:
            query, documents = texts[len(loop) % len(texts)]
            loop.append(timed(lambda query=query, documents=documents: reranker.rerank(query, documents)))
        shown("rerank in a loop", loop, time.perf_counter() - start)

        server = Server(models, Path(folder))
        for clients in (1, options.clients):
            done = under_load(server.url, reranking, clients, options.seconds)
            assert {status for _, status, _, _ in done} == {200}, Counter(status for _, status, _, _ in done)
            shown(f"rerank, {clients} clients", [each[2] for each in done], options.seconds)
        under_load(server.url, mixture, options.clients, options.seconds)
        if options.other:
            against(server, options.other, reranking, options.clients, options.seconds)
        server.memory.clear()
        done = under_load(server.url, mixture, options.clients, 2 * options.seconds)
        print(f"mixture below the limit: {dict(Counter(status for _, status, _, _ in done))}")
        shown(f"mixture, {options.clients} clients", [each[2] for each in done], 2 * options.seconds)
        for path in sorted({each[0] for each in done}):
            shown(f"  {path}", [each[2] for each in done if each[0] == path], 2 * options.seconds)
        step = max(1, len(server.memory) // 10)
        print("memory of the server, MB:", " ".join(f"{value:.0f}" for value in server.memory[::step]))
        print(f"SIGTERM: status {server.end()}")

        server = Server(models | {"max_requests": 4}, Path(folder))
        done = under_load(server.url, mixture, 4 * options.clients, options.seconds)
        print(f"{4 * options.clients} clients, limit 4: {dict(Counter(status for _, status, _, _ in done))}")
        shown("  answered", [each[2] for each in done if each[1] == 200], options.seconds)
        shown("  refused", [each[2] for each in done if each[1] == 503], options.seconds)
        assert {each[1] for each in done} <= {200, 503}
        assert all(each[3] for each in done if each[1] == 503), "a 503 without Retry-After"
        print(f"SIGTERM: status {server.end()}")


if __name__ == "__main__":
    main()
