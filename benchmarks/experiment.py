"""What an experiment costs a call, what its shadow costs the control, and how often its test is wrong.

    python benchmarks/experiment.py
    python benchmarks/experiment.py --runs 200 --blocks 2 --calls 30

Overhead: a fake reranker that does next to nothing, plain and in each mode, in turn; differences of medians.

The shadow: the embedded cross-encoder, asked at random times that keep it busy a quarter of the time, as the control
alone, alone once more, and with a treatment in the shadow that scores each document ten times, in a process of its own
and in a thread. Short blocks of calls take turns in random order, so that other work on the machine meets all, with the
same times of arrival and the same texts; by how much the second "alone" differs from the first is what the machine does
by itself.

The test: experiments whose arms do not differ, looked at each day until the test says that they do. There are units
that come once, units that come several times and have habits, rare events and heavy tails.

Needs: pip install "secondpass[embedded]"
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np

import secondpass as sp
from secondpass.base import Reranker
from secondpass.registry import rerankers
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

_BUSY = 0.25
_QUANTILES = (50, 90, 99)


class TenTimes(Reranker):
    """Scores everything ten times by a model of its own."""

    registry_name: ClassVar[str] = "ten-times"

    def __init__(self) -> None:
        self._model = sp.CrossEncoderReranker()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        for _ in range(10):
            results = self._model.score_many(requests)
        return results


def medians_us(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of each call, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(rounds + 20):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if at >= 20:
                times[name].append(time.perf_counter() - start)
    return {name: 1e6 * statistics.median(values) for name, values in times.items()}


def print_overhead(rounds: int) -> None:
    """Print what each mode adds to a call; in the shadow, the queue is full, or nothing would be said of the caller."""
    arms = {"control": FakeReranker(), "treatment": FakeReranker()}
    documents = [f"document {at} says something about copying files" for at in range(50)]
    variants: dict[str, Reranker] = {"plain": arms["control"]}
    variants |= {mode: sp.ABTestReranker(arms, mode=mode) for mode in ("split", "shadow", "interleave")}  # type: ignore[arg-type]
    found = medians_us({n: partial(r.rerank, "copy a file", documents) for n, r in variants.items()}, rounds)
    print(f"50 documents; a call of the fake takes {found['plain']:.0f} us; the experiment adds, in us")
    for mode in ("split", "shadow", "interleave"):
        print(f"  {mode:12}{found[mode] - found['plain']:8.0f}")


def block(reranker: Reranker, gaps: Sequence[float], documents: Sequence[str]) -> list[float]:
    """Return the seconds of calls that come after gaps, whether or not the one before has been answered late."""
    taken, due = [], time.perf_counter()
    for at, gap in enumerate(gaps):
        due += gap
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        reranker.rerank(f"how do I copy file {at}?", documents)
        taken.append(time.perf_counter() - start)
    return taken


def print_shadow(blocks: int, calls: int, n_documents: int, seconds: float) -> None:
    """Print the control's latencies alone, alone once more, and with either shadow, in blocks that take turns."""
    # Named by a module that can be imported elsewhere: this one, but not as the main one.
    rerankers.register("ten-times", import_module(Path(__file__).stem).TenTimes)
    control = sp.CrossEncoderReranker()
    documents = [
        f"Document {at} says how files are copied, moved and removed on system {at}." for at in range(n_documents)
    ]
    shadows = {
        name: sp.ABTestReranker({"control": control, "treatment": treatment}, mode="shadow", max_waiting=2)
        for name, treatment in (("process", "ten-times"), ("thread", TenTimes()))
    }
    conditions: dict[str, Reranker] = {"alone": control, "alone again": control, **shadows}
    block(control, [0.0] * 10, documents)
    usual_s = statistics.median(block(control, [0.0] * 20, documents))
    random = np.random.default_rng(0)
    taken: dict[str, list[list[float]]] = {name: [] for name in conditions}
    end = time.monotonic() + seconds
    while len(taken["alone"]) < blocks and time.monotonic() < end:
        gaps = random.exponential(usual_s / _BUSY, calls).tolist()
        for name in random.permutation(list(conditions)):
            with ExitStack() as held:  # each shadow works in its own blocks alone, and has something to do from then on
                for other in shadows.keys() - {name}:
                    held.enter_context(shadows[other]._shadow.control())
                taken[name].append(block(conditions[name], gaps, documents))
    n_calls = len(taken["alone"]) * calls
    print(f"\n{n_documents} documents, {n_calls} calls of each, the control {usual_s * 1000:.0f} ms")
    for name, shadow in shadows.items():
        its_s = shadow.outcomes.values(shadow._usual.key, "latency_s", "treatment")
        took = f", in {1000 * float(np.median(its_s)):.0f} ms" if len(its_s) else ""
        print(f"the treatment in a {name} was in time for {n_calls - shadow.dropped} of them{took}")
        shadow.close()
    times = {name: np.array(each) for name, each in taken.items()}  # shape (blocks, calls)
    for name, each in times.items():
        print(f"{name:12}" + "".join(f"  p{q} {1000 * np.percentile(each, q):7.1f} ms" for q in _QUANTILES))
    for name in ("alone again", *shadows):
        ratios = [ratio_with_interval(times[name], times["alone"], q, random) for q in _QUANTILES]
        said = "".join(
            f"  p{q} {r:.2f} ({low:.2f} to {high:.2f})" for q, (r, low, high) in zip(_QUANTILES, ratios, strict=True)
        )
        print(f"{name} / alone:{said}")


def ratio_with_interval(
    some: np.ndarray, others: np.ndarray, quantile: float, random: np.random.Generator
) -> tuple[float, float, float]:
    """Return the ratio of a quantile, and its 95 % interval by drawing blocks with those of the other condition."""
    drawn = random.integers(len(some), size=(1000, len(some)))
    ratios = [np.percentile(some[at], quantile) / np.percentile(others[at], quantile) for at in drawn]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(np.percentile(some, quantile) / np.percentile(others, quantile)), float(low), float(high)


def once(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return units that come once, one in twenty of which clicks."""
    return np.arange(n), (random.random(n) < 0.05).astype(float)


def often(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return units that come again and again, each with a rate of clicks of its own."""
    units = random.zipf(1.5, n) % (n // 3)
    return units, (random.random(n) < random.beta(1, 9, n // 3)[units]).astype(float)


def heavy(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return units that come once and spend what few of them spend."""
    return np.arange(n), random.lognormal(0, 1.5, n)


def first_decided(
    seed: int, traffic: Callable[..., tuple[np.ndarray, np.ndarray]], weight: float, effect: float
) -> int:
    """Return the day on which an experiment stops, of thirty with 200 calls each; 0 if it does not."""
    units, values = traffic(np.random.default_rng(seed), 6_000)
    arms = {"control": FakeReranker(), "treatment": FakeReranker()}
    test = sp.ABTestReranker(arms, {"control": 100 - weight, "treatment": weight}, name=f"run {seed}")
    for day in range(30):
        for unit, value in zip(units[200 * day : 200 * day + 200], values[200 * day : 200 * day + 200], strict=True):
            better = effect if test.arm_of(f"unit {unit}") == "treatment" else 0.0
            test.record("value", float(value) * (1 + better), unit=f"unit {unit}")
        if test.report("value", planned_units=6_000).decided:
            return day + 1
    return 0


def print_errors(runs: int) -> None:
    """Print in how many experiments without a difference, and with one, the test says that there is one."""
    print(f"\nExperiments that stop within 30 daily looks, of {runs}")
    for traffic in (once, often, heavy):
        for weight in (50.0, 10.0):
            shares = []
            for effect in (0.0, 0.5):
                stops = [first_decided(seed, traffic, weight, effect) for seed in range(runs)]
                shares.append(sum(stop > 0 for stop in stops) / runs)
            print(f"  {traffic.__name__:8}{weight:4.0f} % treated: {shares[0]:.3f} without a difference, ", end="")
            print(f"{shares[1]:.3f} where the treatment is half as good again", flush=True)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3600.0, help="no block of the shadow begins later than that")
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--documents", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1_000, help="experiments; 0 leaves them out")
    options = parser.parse_args()
    print_overhead(options.rounds)
    print_shadow(options.blocks, options.calls, options.documents, options.seconds)
    if options.runs:
        print_errors(options.runs)


if __name__ == "__main__":
    main()
