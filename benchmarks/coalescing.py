"""Throughput of many threads that share a CoalescingReranker, against one caller that batches by hand.

    python benchmarks/coalescing.py                    # all three rerankers
    python benchmarks/coalescing.py --threads 64 --calls 8 --rounds 7

Both get the same requests: the caller by hand puts one request of each thread into a call, as many calls as each
thread makes. The two take turns, round by round, and so do threads that call the reranker directly; figures are
medians, ratios are medians over rounds. Every score is compared with that of the request alone.

The embedded cross-encoder gains nothing from large batches on a CPU, so what counts is that nothing is lost. The
simulated accelerator answers one call at a time, in 5 ms and 20 us for each pair. The fake without any work shows
what a call through the queue costs at most.

Needs: pip install "secondpass[embedded]"
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

import secondpass as sp
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

Pair = tuple[str, list[str]]  # a query and its documents
Run = Callable[[list[list[Pair]]], list[list[np.ndarray]]]


class Accelerator(FakeReranker):
    """A fake that takes the time of a device: mostly for the call, a little for each pair, one call at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._device = Lock()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        with self._device:
            time.sleep(0.005 + 20e-6 * sum(len(request) for request in requests))
        return super()._score(requests)


def requests_of(n_threads: int, n_calls: int, n_pairs: int) -> list[list[Pair]]:
    """Return, for each thread, the requests that it makes one after the other: all different, all short."""
    return [
        [
            (
                f"how do I copy file {thread}",
                [f"shutil.copy copies file {call} to place {pair}" for pair in range(n_pairs)],
            )
            for call in range(n_calls)
        ]
        for thread in range(n_threads)
    ]


def by_hand(reranker: sp.Reranker) -> Run:
    """One caller: a call for each round of requests."""

    def run(requests: list[list[Pair]]) -> list[list[np.ndarray]]:
        calls = [reranker.rerank_many(batch) for batch in zip(*requests, strict=True)]
        return [[_scores(call[thread]) for call in calls] for thread in range(len(requests))]

    return run


def by_threads(reranker: sp.Reranker, pool: ThreadPoolExecutor) -> Run:
    """As many callers as threads: a call for each request."""

    def run(requests: list[list[Pair]]) -> list[list[np.ndarray]]:
        return list(pool.map(lambda own: [_scores(reranker.rerank(*request)) for request in own], requests))

    return run


def _scores(ranking: sp.Ranking) -> np.ndarray:
    values = np.empty(len(ranking))
    for document in ranking:
        values[document.index] = document.score
    return values


def measure(reranker: sp.Reranker, requests: list[list[Pair]], rounds: int) -> None:
    """Print pairs per second of each way to call it, and the ratio to the caller by hand."""
    n_pairs = sum(len(documents) for own in requests for _, documents in own)
    expected = [[reranker.score(*request) for request in own] for own in requests]
    with CoalescingReranker(reranker) as coalescing, ThreadPoolExecutor(len(requests)) as pool:
        ways: dict[str, Run] = {
            "one caller, by hand": by_hand(reranker),
            f"{len(requests)} threads, coalescing": by_threads(coalescing, pool),
            f"{len(requests)} threads, directly": by_threads(reranker, pool),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds + 1):
            for name, run in ways.items():
                start = time.perf_counter()
                results = run(requests)
                times[name].append(time.perf_counter() - start)
                for own, alone in zip(results, expected, strict=True):
                    np.testing.assert_array_equal(own, alone)
    base = next(iter(times.values()))[1:]  # the first round warms up
    for name, (_, *seconds) in times.items():
        ratio = statistics.median(by_hand_s / own_s for by_hand_s, own_s in zip(base, seconds, strict=True))
        print(f"  {name:<24} {n_pairs / statistics.median(seconds):>9.0f} pairs/s   {ratio:>5.2f} x by hand")


RERANKERS: dict[str, Callable[[], sp.Reranker]] = {
    "cross-encoder": sp.CrossEncoderReranker,
    "accelerator": Accelerator,
    "fake": FakeReranker,
}


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--calls", type=int, default=4, help="requests that a thread makes")
    parser.add_argument("--pairs", type=int, default=2, help="documents in a request")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rerankers", nargs="+", choices=RERANKERS, default=list(RERANKERS))
    arguments = parser.parse_args()
    requests = requests_of(arguments.threads, arguments.calls, arguments.pairs)
    for name in arguments.rerankers:
        print(f"{name}: {arguments.threads} threads x {arguments.calls} calls x {arguments.pairs} documents")
        measure(RERANKERS[name](), requests, arguments.rounds)
    print("every score is that of the request alone")


if __name__ == "__main__":
    main()
