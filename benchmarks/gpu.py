"""Pairs a second of a cross-encoder on a GPU: secondpass and sentence-transformers, in three precisions.

    python benchmarks/gpu.py                                  # the embedded model's weights, 2,000 pairs
    python benchmarks/gpu.py --model FOLDER --pairs 10000     # any checkpoint of a cross-encoder
    python benchmarks/gpu.py --device cpu --pairs 8 --rounds 1

All systems score the same pairs with the same weights in one process and take turns, round by round; figures are
medians. Each takes texts and gives an array in the CPU's memory, so tokenizing and both transfers are counted.
The last columns say what a precision costs: how far the logits are from those of sentence-transformers in float32,
and how well the orders of all pairs agree (Spearman's rank correlation).

Needs: pip install "secondpass[torch]", and a build of PyTorch for the GPU.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_queries
from secondpass.learn.training.start import checkpoint_of
from secondpass.models.backends.torch_models import Dtype, TorchPairModel
from secondpass.models.sources.resolve import find_model

Pairs = list[tuple[str, str]]
Score = Callable[[Pairs], np.ndarray]
DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")
BATCH_SIZES = (32, 256)


def pairs_of(n: int) -> Pairs:
    """Return ``n`` different pairs of a question about the standard library and a docstring of it, of any length."""
    texts = [document["text"] for document in stdlib_corpus() if len(document["text"]) >= 100]
    pairs = [(query, text) for query in stdlib_queries().values() for text in texts]
    if n > len(pairs):
        raise SystemExit(f"there are {len(pairs)} pairs, not {n}")
    return pairs[:n]


def ours(folder: Path, device: str, dtype: Dtype) -> tuple[str, Score]:
    """Return secondpass with its defaults, and how its batches are made."""
    model = TorchPairModel(find_model(str(folder), "rerank", backend="torch"), device=device, dtype=dtype)
    how = "no padding" if model.padding is None else f"padded: {model.padding}"
    return f"**secondpass**, {dtype} ({how})", model.logits


def theirs(folder: Path, device: str, dtype: Dtype) -> list[tuple[str, Score]]:
    """Return sentence-transformers' own loop, with its default batch size and a larger one."""
    settings = {"dtype": getattr(torch, dtype)}
    model = CrossEncoder(str(folder), device=device, model_kwargs=settings, local_files_only=True)
    identity = torch.nn.Identity()
    predict = partial(model.predict, activation_fn=identity, show_progress_bar=False)
    return [(their_title(dtype, size), partial(predict, batch_size=size)) for size in BATCH_SIZES]


def their_title(dtype: Dtype, batch_size: int) -> str:
    """Return what a row of sentence-transformers is called."""
    return f"sentence-transformers, {dtype}, batches of {batch_size}"


def seconds(score: Score, pairs: Pairs, device: str) -> tuple[float, np.ndarray]:
    """Return how long the pairs took, all that was queued on the GPU included, and the logits of the last label."""
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    logits = np.asarray(score(pairs))
    if on_gpu:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, logits.reshape(len(pairs), -1)[:, -1]


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's."""
    ranks = np.array([np.argsort(np.argsort(scores, kind="stable"), kind="stable") for scores in (first, second)])
    return float(np.asarray(np.corrcoef(ranks.astype(np.float64)))[0, 1])


def measure(folder: Path, device: str, n_pairs: int, rounds: int) -> None:
    """Print the table."""
    pairs = pairs_of(n_pairs)
    systems = [ours(folder, device, dtype) for dtype in DTYPES]
    systems += [system for dtype in DTYPES for system in theirs(folder, device, dtype)]
    times: dict[str, list[float]] = {title: [] for title, _ in systems}
    scores: dict[str, np.ndarray] = {}
    for _, score in systems:
        score(pairs[: max(1, n_pairs // 10)])  # kernels are chosen and loaded, memory is reserved
    for _ in range(rounds):
        for title, score in systems:
            took, scores[title] = seconds(score, pairs, device)
            times[title].append(took)
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    expected = scores[their_title("float32", BATCH_SIZES[0])]
    print(f"\n{n_pairs} pairs on {name}, PyTorch {torch.__version__}, median of {rounds}\n")
    print("| system | pairs/s | time, first = 1 | largest difference of a logit | rank correlation |")
    print("| --- | --: | --: | --: | --: |")
    first = times[systems[0][0]]
    for title, own_times in times.items():
        ratio = statistics.median(own / base for own, base in zip(own_times, first, strict=True))
        difference = float(np.abs(scores[title] - expected).max())
        speed = n_pairs / statistics.median(own_times)
        agreement = rank_correlation(scores[title], expected)
        print(f"| {title} | {speed:.0f} | {ratio:.2f} | {difference:.4f} | {agreement:.5f} |")


def main() -> None:
    """Read the arguments and measure, if there is a GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ms-marco-MiniLM-L12-v2", help="a folder, or a name of the catalogue")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N; or cpu, to try the script")
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("PyTorch sees no GPU here, so there is nothing to measure; --device cpu tries the script")
    with tempfile.TemporaryDirectory() as folder:
        measure(checkpoint_of(arguments.model, Path(folder)), arguments.device, arguments.pairs, arguments.rounds)


if __name__ == "__main__":
    main()
