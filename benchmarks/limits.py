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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import numpy as np
import onnxruntime
from speed import workloads

import secondpass as sp
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.batching import available_cores
from secondpass.models.graph.onnx_proto import make_model, make_node, make_tensor, make_value
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.sources.resolve import find_model

MODEL = "ms-marco-MiniLM-L12-v2"
ROWS = (100, 250, 500, 1_000)  # of the left matrix: the tokens of a sequence, and more
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


@dataclass(frozen=True, slots=True)
class Work:
    """Operations (a multiplication and an addition are two) of a call.

    Attributes:
        int8: of the linear layers.
        float32: of attention.
    """

    int8: float
    float32: float

    def floor_s(self, int8_rate: float, float32_rate: float) -> float:
        """Return the seconds that it takes at these rates, in operations a second."""
        return self.int8 / int8_rate + self.float32 / float32_rate


def work_of(weights: EncoderWeights, lengths: list[int], *, needed: bool) -> Work:
    """Return the work for sequences of these lengths, by the shapes of the matrices.

    Args:
        weights: of the encoder.
        lengths: tokens of each sequence.
        needed: leave out what the scores don't depend on: other tokens than the first in the last layer, but for their
            keys and values.
    """
    last = f"encoder.layer.{weights.n_layers - 1}."
    every, once = 0, 0
    for name, array in weights.tensors.items():
        if name.startswith("encoder.layer.") and array.ndim == 2:
            reads_all = not (needed and name.startswith(last)) or ".key." in name or ".value." in name
            every, once = every + array.size * reads_all, once + array.size * (not reads_all)
    tokens = sum(lengths)
    full_layers = weights.n_layers - needed
    attended = full_layers * sum(length**2 for length in lengths) + (tokens if needed else 0)
    return Work(2.0 * (every * tokens + once * len(lengths)), 4.0 * weights.hidden_size * attended)


def product_session(rows: int, size: int, kind: str) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """Return a session of one thread that multiplies (rows, size) by a constant (size, size), and its input."""
    numbers = np.random.default_rng(0)
    if kind == "int8":
        x: Any = numbers.integers(0, 256, (rows, size)).astype(np.uint8)
        matrix: Any = numbers.integers(-127, 128, (size, size)).astype(np.int8)
        op_type, result = "MatMulInteger", "int32"
    else:
        x, matrix = numbers.random((rows, size), np.float32), numbers.random((size, size), np.float32)
        op_type, result = "MatMul", "float32"
    model = make_model(
        [make_node(op_type, ["x", "matrix"], ["y"])],
        [make_value("x", x.dtype, ["rows", size])],
        [make_value("y", result, ["rows", size])],
        [make_tensor("matrix", matrix)],
    )
    return session_of(model), {"x": x}


def session_of(model: Path | bytes, profile: Path | None = None) -> onnxruntime.InferenceSession:
    """Return a session of one thread; one that writes a profile quantizes activations in a step of its own."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    source = str(model) if isinstance(model, Path) else model
    fusions = ["DynamicQuantizeMatMulFusion"] if profile else []
    return onnxruntime.InferenceSession(
        source, options, providers=["CPUExecutionProvider"], disabled_optimizers=fusions
    )


def rate(kind: str, size: int, rounds: int) -> tuple[float, int]:
    """Return the most operations a second that all cores do together, and the rows it was reached with."""
    cores = available_cores()
    best = (0.0, 0)
    for rows in ROWS:
        sessions = [product_session(rows, size, kind) for _ in range(cores)]
        repeats = max(1, round(2e10 / (2 * rows * size * size)))
        start_line = Barrier(cores)

        def work(core: int) -> None:
            session, feed = sessions[core]  # noqa: B023  # called before the next one is made
            start_line.wait()  # noqa: B023
            for _ in range(repeats):  # noqa: B023
                session.run(None, feed)

        with ThreadPoolExecutor(cores) as pool:
            taken = []
            for _ in range(rounds + 1):  # the first is not counted
                start = time.perf_counter()
                list(pool.map(work, range(cores)))
                taken.append(time.perf_counter() - start)
        reached = cores * repeats * 2 * rows * size * size / statistics.median(taken[1:])
        best = max(best, (reached, rows))
    return best


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
        rate(kind, arguments.size, arguments.rounds) for kind in ("int8", "float32")
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
