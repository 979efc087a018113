"""What the number of documents costs: time per pair, memory, and whether a score depends on its neighbours.

    python benchmarks/scaling.py                            # all of it, long on two cores
    python benchmarks/scaling.py --parts time --sizes 10 100 1000 --rounds 3
    python benchmarks/scaling.py --parts memory --long 1000
    python benchmarks/scaling.py --parts curves --sizes 1000 2000 5000 10000

Documents are pieces of the standard library's documentation, all different, cut to the same ten lengths in turn: the
mean length of a pair is about 100 tokens however many there are. Each part runs in a process of its own, with
secondpass's defaults.

- time: the numbers of documents take turns, round by round; those above 1,000 in the middle round only. Ratios are
  those within a round.
- memory: VmHWM, reset before the call (Linux only), for 100 passages and for long documents that are cut to the
  model's 512 tokens.
- curves: the peak above the loaded model (documents included) and above the documents, for numbers of documents of
  2,000 words, cut to 512 tokens by a cross-encoder and window by window by a PassageReranker. Only tokens are real: the
  model gives zeros, so that it takes minutes. The peak must stay below 300 MB above the model, and the exit status
  says so.
- scores: those of 1,000 documents, a tenth of them long, alone (a call for each), among others of its length, and all
  in one call: how many differ in any bit. It must be none, and the exit status says so.

Needs: pip install "secondpass[embedded]"
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from systems import Worker

import secondpass as sp
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_queries
from secondpass.models import Batch, BatchRunner, EncoderTokenizer, PairModel, find_model
from secondpass.models.batching import Rows, available_cores

BASE = 100  # documents that the others are compared with
LARGE = 1_000  # above it, one round is enough
PASSAGES = (40, 60, 70, 80, 85, 90, 95, 105, 120, 155)  # tokens; on average 90, and 100 with a query
LONG = 520  # tokens, more than the model takes
PARTS = ("time", "memory", "curves", "scores")
KINDS = ("cross-encoder", "passage")
WORDS = 2_000
MOST_MB = 300
QUERY = next(iter(stdlib_queries().values()))


def pieces(n: int, lengths: Sequence[int]) -> list[str]:
    """Return ``n`` different pieces of text, of these lengths in turn, in the reranker's tokens."""
    text = "\n".join(document["text"] for document in stdlib_corpus())
    offsets = sp.CrossEncoderReranker(smoke_test=False).pair_model.tokenizer.offsets(text)
    step = (len(offsets) - max(lengths)) // n
    if step < 1:
        raise SystemExit(f"the corpus has {len(offsets)} tokens, too few for {n} different documents")
    found = [
        text[offsets[at * step, 0] : offsets[at * step + length - 1, 1]]
        for at, length in enumerate(islice(cycle(lengths), n))
    ]
    assert len(set(found)) == n  # equal ones would be scored once
    return found


def measure_time(sizes: Sequence[int], rounds: int, folder: Path) -> None:
    """Print the cost per pair for each number of documents."""
    texts = pieces(max(*sizes, BASE), PASSAGES)
    sizes = sorted({*sizes, BASE})
    worker = Worker("secondpass", folder)
    worker.run([(QUERY, texts[:BASE])])  # not counted
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    ratios: dict[int, list[float]] = {size: [] for size in sizes}
    for at in range(rounds):
        turn = [size for size in sizes if size <= LARGE or at == rounds // 2]
        cost = {size: worker.run([(QUERY, texts[:size])])["s"] / size for size in turn}
        for size in turn:
            costs[size].append(cost[size])
            ratios[size].append(cost[size] / cost[BASE])
    worker.close()
    print("\nTime\n\n| documents | ms a pair | of that for 100 | rounds |\n| --: | --: | --: | --: |")
    for size in sizes:
        print(
            f"| {size:,} | {1e3 * statistics.median(costs[size]):.2f} | {statistics.median(ratios[size]):.3f} | "
            f"{len(costs[size])} |",
            flush=True,
        )


def measure_memory(n_long: int, folder: Path) -> None:
    """Print the peak memory for 100 passages and for many long documents."""
    print("\nMemory\n\n| | loaded, MB | peak, MB | seconds |\n| --- | --: | --: | --: |")
    for title, texts in (
        ("100 passages", pieces(100, PASSAGES)),
        (f"{n_long:,} long documents ({sum(map(len, long := pieces(n_long, (LONG,)))) / 1e6:.1f} MB of text)", long),
    ):
        worker = Worker("secondpass", folder)
        found = worker.run([(QUERY, texts)])
        print(f"| {title} | {worker.load['rss_mb']:.0f} | {found['peak_mb']:.0f} | {found['s']:.1f} |", flush=True)
        worker.close()


class Unscored(PairModel):
    """A model with the tokens of the embedded one that gives zeros for logits."""

    fingerprint = "unscored"

    def __init__(self) -> None:
        files = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx", local_files_only=True)
        tokenizer = EncoderTokenizer.from_file(files.folder / "tokenizer.json", 512)
        super().__init__("unscored", ("relevance",), tokenizer, None, BatchRunner(available_cores(), lambda exc: False))

    def _forward(self, batch: Batch) -> Rows:
        return np.zeros((len(batch), 1), np.float32)


def measure_curve(kind: str, n: int) -> float:
    """Print what ``n`` long documents cost in this process, and return the peak above the model in MB."""
    reranker: sp.Reranker = sp.CrossEncoderReranker(Unscored(), smoke_test=False, long_documents="truncate")
    if kind == "passage":
        reranker = sp.PassageReranker(reranker)
    vocabulary = " ".join(document["text"] for document in stdlib_corpus()).split()
    reranker.score(QUERY, ["what is imported or built at first is not counted"])
    drawn = random.Random(0)
    loaded = _status_mb("VmRSS")
    documents = [" ".join(drawn.choices(vocabulary, k=WORDS)) for _ in range(n)]
    filled = _status_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.TruncationWarning)
        reranker.score(QUERY, documents)
    seconds, peak = time.perf_counter() - start, _status_mb("VmHWM")
    text = sum(map(len, documents)) / 1e6
    print(
        f"| {kind} | {n:,} | {text:.0f} | {peak - loaded:.0f} | {peak - filled:.0f} | {seconds:.0f} |",
        flush=True,
    )
    return peak - loaded


def measure_curves(sizes: Sequence[int]) -> bool:
    """Print a table for each kind and number of documents; returns whether all stay below the limit."""
    print("\nCurves\n\n| | documents | text, MB | peak above the model, MB | above the documents, MB | seconds |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    commands = [[sys.executable, __file__, "--curve", kind, str(size)] for kind in KINDS for size in sizes]
    statuses = [subprocess.run(command, check=False).returncode for command in commands]
    return not any(statuses)


def _status_mb(field: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.split(f"{field}:")[1].split()[0]) / 1024


def compare_scores(n: int, folder: Path) -> int:
    """Print how many scores differ between ways to ask for them, and return it."""
    lengths = (*PASSAGES[:9], LONG)
    texts = pieces(n, lengths)
    worker = Worker("secondpass", folder)
    mixed = worker.run([(QUERY, texts)])["scores"]
    alone = [worker.run([(QUERY, [text])])["scores"][0] for text in texts]
    among_equals = list(mixed)
    for at in range(len(lengths)):
        among_equals[at :: len(lengths)] = worker.run([(QUERY, texts[at :: len(lengths)])])["scores"]
    worker.close()
    differ_alone: int = sum(one != other for one, other in zip(mixed, alone, strict=True))
    differ_equals: int = sum(one != other for one, other in zip(mixed, among_equals, strict=True))
    print(f"\nScores\n\nOf {n:,} documents ({len(set(mixed)):,} different scores) in one call, against\n")
    print(f"- each alone: {differ_alone} differ\n- those of one length in a call: {differ_equals} differ")
    return differ_alone + differ_equals


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1_000, 10_000], help="documents, timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--long", type=int, default=10_000, help="long documents in memory")
    parser.add_argument("--mixed", type=int, default=1_000, help="documents whose scores are compared")
    parser.add_argument("--curve", nargs=2, help=argparse.SUPPRESS)  # one line of the table, in a process of its own
    arguments = parser.parse_args()
    if arguments.curve:
        raise SystemExit(measure_curve(arguments.curve[0], int(arguments.curve[1])) >= MOST_MB)
    if min(arguments.rounds, arguments.long, arguments.mixed, *arguments.sizes) < 1:
        parser.error("numbers must be at least 1")
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        if "time" in arguments.parts:
            measure_time(arguments.sizes, arguments.rounds, folder)
        if "memory" in arguments.parts:
            measure_memory(arguments.long, folder)
        if "curves" in arguments.parts and not measure_curves([n for n in arguments.sizes if n >= LARGE]):
            raise SystemExit(f"long documents take {MOST_MB} MB or more")
        if "scores" in arguments.parts and compare_scores(arguments.mixed, folder):
            raise SystemExit("scores depend on their neighbours")


if __name__ == "__main__":
    main()
