"""What many long documents cost in memory and time: windows of them, tokenized and scored in portions.

    python benchmarks/long_documents.py                        # 1,000, 3,000 and 10,000 documents, scores faked
    python benchmarks/long_documents.py --sizes 100 300 --scores model

Documents are 2,000 words each, drawn from the standard library's documentation. The tokens are those of the default
model; its scores, which take a minute for some hundred windows on a core, are faked unless asked for. Each size runs
in a process of its own: its peak above what the model and the documents take, by VmRSS (Linux only).

Needs: pip install "secondpass[embedded]"
"""

import argparse
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import secondpass as sp
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.testing import FakeReranker

WORDS = 2_000
QUERY = "how do I copy a file?"


class KnownTokens(FakeReranker):
    """Fakes its scores, with the tokens of a model."""

    def __init__(self, model: sp.CrossEncoderReranker) -> None:
        super().__init__()
        self.tokenization = model.tokenization


def measure(n: int, scores: str) -> None:
    """Print the peak and the time for ``n`` documents."""
    model = sp.CrossEncoderReranker(smoke_test=False)
    reranker = sp.PassageReranker(model if scores == "model" else KnownTokens(model))
    reranker.rerank(QUERY, ["what is loaded or built at first is not counted"] * 4)
    vocabulary = " ".join(document["text"] for document in stdlib_corpus()).split()
    drawn = random.Random(0)
    documents = [" ".join(drawn.choices(vocabulary, k=WORDS)) for _ in range(n)]
    before = peak = resident_mb()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    ranking = reranker.rerank(QUERY, documents)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    text = sum(map(len, documents)) / 1e6
    windows = ranking.trace.counts["passages"]
    print(
        f"{n:>6} documents ({text:.0f} MB)  {windows:>6} windows  {peak - before:5.0f} MB  {seconds:7.1f} s", flush=True
    )


def resident_mb() -> float:
    """Return the memory that this process has now, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 3_000, 10_000])
    parser.add_argument("--scores", choices=("faked", "model"), default="faked")
    arguments = parser.parse_args()
    if len(arguments.sizes) == 1:
        measure(arguments.sizes[0], arguments.scores)
        return
    for size in arguments.sizes:
        subprocess.run([sys.executable, __file__, "--sizes", str(size), "--scores", arguments.scores], check=True)


if __name__ == "__main__":
    main()
