"""How far reranking is from what this machine could do, and where the rest of the time goes.

    python benchmarks/limits.py
    python benchmarks/limits.py --pairs 10 --rounds 3 --size 512

First the machine's rates: the largest of float32 and int8 (unsigned x signed) matrix products in ONNX Runtime, a
session of one thread for each core, all at once. Then the work, from the shapes of the model's matrices: the linear
layers (int8: 2 operations for each weight and token) and attention (float32: 4 x hidden size x tokens^2 a layer), as
the whole encoder would do it, and as far as the scores need it (of the last layer, only what the first token reads).
Work over rates is the floor; the time of `rerank` is set against it.

The rest: the shares of the model's parts, from ONNX Runtime's profile of one thread at about 100 and 500 tokens, and
those of the model, the tokenizer and Python in a whole call. In the profile the quantisation of activations is kept
apart from the products, of which it is otherwise a part; the milliseconds of both ways are given.

Needs: pip install "secondpass[embedded]"
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from speed import workloads

import secondpass as sp
from secondpass.diagnose.peak import peak_rate, session_of, work_of
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.batching import available_cores
from secondpass.models.graph.weights import read_weights
from secondpass.models.sources.resolve import find_model

MODEL = "ms-marco-MiniLM-L12-v2"
PARTS = {
    "linear layers, int8": ("MatMulIntegerToFloat", "DynamicQuantizeMatMul"),
    "linear layers, float32 (outlier neurons, head)": ("MatMul", "FusedMatMul", "Gemm", "FusedGemm"),
    "attention": ("MultiHeadAttention",),
    "GELU": ("Gelu", "BiasGelu", "FastGelu"),
    "LayerNorm": ("LayerNormalization", "SkipLayerNormalization"),
    # The division by channel in front of it is a Mul.
    "quantisation of activations": ("DynamicQuantizeLinear", "Mul"),
    "residuals": ("Sum", "Add"),
}


def profile_shares(model: Path | bytes, length: int, rounds: int, folder: Path) -> tuple[str, dict[str, float]]:
    """Return a title with the milliseconds of a sequence on one thread, and the share of each part of the model."""
    apart = session_of(model, folder / f"profile-{length}")
    ids = np.random.default_rng(0).integers(1_000, 20_000, (1, length))
    feed = {"input_ids": ids, "token_type_ids": np.zeros_like(ids)}
    feed = {value.name: feed[value.name] for value in apart.get_inputs()}
    plain = session_of(model)
    taken = []
    for _ in range(rounds):
        apart.run(None, feed)
        start = time.perf_counter()
        plain.run(None, feed)
        taken.append(1e3 * (time.perf_counter() - start))
    events = json.loads(Path(apart.end_profiling()).read_text())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kind = event["args"]["op_name"]
            spent[next((part for part, kinds in PARTS.items() if kind in kinds), "embeddings, slices")] += event["dur"]
    total = sum(spent.values())
    title = f"{length} tokens: {total / rounds / 1e3:.1f} ms, {statistics.median(taken):.1f} as it runs"
    return title, {part: share / total for part, share in spent.most_common()}


class Stopwatch:
    """Adds up the time that a method takes, over all threads."""

    def __init__(self, owner: object, method: str) -> None:
        self.spent_s = 0.0
        self._lock = Lock()
        self._inner: Callable[..., Any] = getattr(owner, method)
        setattr(owner, method, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the method does."""
        start = time.perf_counter()
        try:
            return self._inner(*args, **kwargs)
        finally:
            spent = time.perf_counter() - start
            with self._lock:
                self.spent_s += spent


def measure_calls(query: str, texts: list[str], rounds: int) -> tuple[float, dict[str, float]]:
    """Return the seconds of a rerank call, and the shares of what it does."""
    warnings.simplefilter("ignore", sp.TruncationWarning)
    reranker = sp.CrossEncoderReranker(MODEL, long_documents="truncate")
    model = reranker.pair_model
    assert isinstance(model, OnnxPairModel)
    reranker.rerank(query, texts)
    plain = []
    for _ in range(rounds):
        start = time.perf_counter()
        reranker.rerank(query, texts)
        plain.append(time.perf_counter() - start)
    cores = available_cores()
    watches = {
        "model": (Stopwatch(model.session, "run"), cores),
        "tokenizer": (Stopwatch(model.tokenizer, "tokenize"), 1),
        "arrays of token ids": (Stopwatch(model.tokenizer, "pair_batch"), cores),
    }
    start = time.perf_counter()
    for _ in range(rounds):
        reranker.rerank(query, texts)
    total = time.perf_counter() - start
    shares = {name: watch.spent_s / threads / total for name, (watch, threads) in watches.items()}
    shares["the rest: Python, and the end of a call, when cores wait"] = 1 - sum(shares.values())
    return statistics.median(plain), shares


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="passages; of long documents it is half as many")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=1_024, help="columns and rows of the constant matrix")
    arguments = parser.parse_args()
    if arguments.pairs < 2 or min(arguments.rounds, arguments.size) < 1:
        parser.error("there must be two pairs, a round and a column")
    (int8_rate, int8_rows), (float32_rate, float32_rows) = (
        peak_rate(kind, size=arguments.size, rounds=arguments.rounds, operations=2e10) for kind in ("int8", "float32")
    )
    print(f"This machine, {available_cores()} cores: int8 {int8_rate / 1e9:.0f} GOP/s (at {int8_rows} rows), ", end="")
    print(f"float32 {float32_rate / 1e9:.0f} GFLOP/s (at {float32_rows} rows)\n")
    files = find_model(MODEL, "rerank", backend="onnx", local_files_only=True)
    weights = read_weights(files.weights)
    whole_token, of_square = work_of(weights, [1], needed=False).int8, 4 * weights.n_layers * weights.hidden_size
    print(f"{MODEL}: {whole_token / 1e6:.1f} million int8 operations a token, and {of_square:,} L^2 in float32\n")
    print("| workload | seconds | work | GOP int8 | GFLOP float32 | floor, s | reached |")
    print("| --- | --: | --- | --: | --: | --: | --: |")
    model = sp.CrossEncoderReranker(MODEL).pair_model
    assert isinstance(model, OnnxPairModel) and model.on_cpu
    calls: dict[str, dict[str, float]] = {}
    for workload, kind, n in (
        ("one", "passages", arguments.pairs),
        ("long", "long documents", arguments.pairs // 2),
    ):
        query, texts = workloads()[workload][1][0]
        texts = texts[:n]
        first, *others = model.tokenizer.tokenize([query, *texts])
        lengths = [model.tokenizer.pair_length(first, other) for other in others]
        title = f"{n} {kind} ({statistics.mean(lengths):.0f} tokens)"
        seconds, calls[title] = measure_calls(query, texts, arguments.rounds)
        for what, needed in (("the whole encoder", False), ("what the scores need", True)):
            work = work_of(weights, lengths, needed=needed)
            floor = work.floor_s(int8_rate, float32_rate)
            print(f"| {title} | {seconds:.3f} | {what} | {work.int8 / 1e9:.1f} | {work.float32 / 1e9:.1f} ", end="")
            print(f"| {floor:.3f} | {floor / seconds:.0%} |", flush=True)
    with tempfile.TemporaryDirectory() as path:
        profiles = dict(
            profile_shares(model.on_cpu.model, length, 2 * arguments.rounds, Path(path)) for length in (88, 443)
        )
    print_shares("the model, one thread", profiles)
    print_shares("a call", calls)


def print_shares(title: str, columns: dict[str, dict[str, float]]) -> None:
    """Print a table of shares, the largest first."""
    print(f"\n| {title} | {' | '.join(columns)} |\n| --- |{' --: |' * len(columns)}")
    parts = dict.fromkeys(part for shares in columns.values() for part in shares)
    for part in sorted(parts, key=lambda part: -sum(shares.get(part, 0.0) for shares in columns.values())):
        print(f"| {part} | {' | '.join(f'{shares.get(part, 0.0):.1%}' for shares in columns.values())} |")


if __name__ == "__main__":
    main()
