"""Where the time goes, how far that is from what the machine could do, and what to change."""

import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from secondpass.base import RequestLike, Reranker, as_requests
from secondpass.counts import counted
from secondpass.diagnose.advice import advice_on
from secondpass.diagnose.finding import Finding, listed
from secondpass.diagnose.models import pair_models
from secondpass.diagnose.peak import Work, peak_rate, work_of
from secondpass.errors import ConfigError, InputError, SecondPassError, SecondPassWarning
from secondpass.models.batching import available_cores, plan_batches
from secondpass.models.pair import PairModel
from secondpass.monitor.event import stage_latencies
from secondpass.monitor.memory import memory_limit, memory_used
from secondpass.types import Request
from secondpass.validation import Flag, Whole, must_be

__all__ = ["ModelProfile", "Profile", "profile"]

_PAIRS = 40


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """A model's part in a call.

    Attributes:
        name: of the model.
        tokenizer: the share of the call that its tokenizer takes.
        model: the share that the network takes, on all of its threads.
        scheduler: the rest: queues, waiting for the last batch, Python.
        padding: the share of the tokens in its batches that only fill up.
        repeated: the share of pairs that stood there already, and were scored once.
        truncated: the share of documents of which only the beginning was seen.
        mean_tokens: of a pair.
        max_length: the most tokens that it is given.
        threads: that it runs on.
        precision: of the linear layers, ``int8`` or ``float32``; empty if that is not known.
        reached: the share of the machine's measured peak: the seconds that the operations would take at the measured
            rates, over the seconds of the network. None if the work can't be counted.
    """

    name: str
    tokenizer: float
    model: float
    scheduler: float
    padding: float
    repeated: float
    truncated: float
    mean_tokens: float
    max_length: int
    threads: int
    precision: str
    reached: float | None


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """A call in figures, with what follows from them.

    Attributes:
        subject: what was called, as it describes itself.
        pairs: of a query and a document in the call.
        seconds: the median call.
        pairs_per_s: of it.
        tokens_per_s: of it; None if no model counts tokens.
        cores: that this process may use.
        int8_rate: operations a second that all cores reach in products of int8 matrices; None if not measured.
        float32_rate: likewise in float32.
        stages: seconds of each stage, by its path.
        models: the part of each model that reads two texts together.
        memory_bytes: what the process uses after the calls; None if that can't be told.
        memory_limit_bytes: what it may use.
        advice: what to change, the most important first.
    """

    subject: str
    pairs: int
    seconds: float
    pairs_per_s: float
    tokens_per_s: float | None
    cores: int
    int8_rate: float | None
    float32_rate: float | None
    stages: dict[str, float]
    models: tuple[ModelProfile, ...]
    memory_bytes: int | None
    memory_limit_bytes: int | None
    advice: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


def profile(
    reranker: Reranker, requests: Sequence[RequestLike] | None = None, *, rounds: int = 3, peak: bool = True
) -> Profile:
    """Measure where the time of a call goes, against what the machine could do.

    Other work on the machine counts as if it were this: measure on a quiet one, or compare in one run.

    Args:
        reranker: any.
        requests: what it is asked, like the traffic that it gets: `Request`s, or pairs of a query and its documents. By
            default a question about Python with forty docstrings of the standard library.
        rounds: calls that are measured, after one that is not; the median counts.
        peak: measure the machine's peak as well, which takes a second or two.

    Raises:
        InputError: there are no documents.
        ConfigError: it is not a reranker, or a setting is out of range.
    """
    if not isinstance(reranker, Reranker):
        raise ConfigError(must_be("what is measured", "a Reranker", reranker))
    Whole(at_least=1).checked(rounds, "rounds")
    Flag().checked(peak, "peak")
    asked = as_requests(_usual() if requests is None else requests, None)
    n_pairs = sum(len(request) for request in asked)
    if not n_pairs:
        raise InputError("there is nothing to measure: the requests have no documents")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecondPassWarning)  # what they warn of is in the figures
        taken, rankings = [], reranker.rerank_many(asked)
        for _ in range(rounds):
            start = time.perf_counter()
            rankings = reranker.rerank_many(asked)
            taken.append(time.perf_counter() - start)
        seconds = statistics.median(taken)
        rates = (peak_rate("int8")[0], peak_rate("float32")[0]) if peak else None
        traces = [ranking.trace for ranking in rankings if len(ranking)]
        truncated = sum(trace.total("truncated") for trace in traces) / n_pairs
        models = tuple(_model_profile(model, asked, truncated, rounds, rates) for model in pair_models(reranker))
    tokens = sum(trace.total("tokens") for trace in traces)
    found = Profile(
        subject=repr(reranker),
        pairs=n_pairs,
        seconds=seconds,
        pairs_per_s=n_pairs / seconds,
        tokens_per_s=tokens / seconds if tokens else None,
        cores=available_cores(),
        int8_rate=rates[0] if rates else None,
        float32_rate=rates[1] if rates else None,
        stages=stage_latencies(max(traces, key=lambda trace: trace.latency_s)),
        models=models,
        memory_bytes=memory_used(),
        memory_limit_bytes=memory_limit(),
    )
    advice = listed(list(advice_on(found)))
    return Profile(**{name: getattr(found, name) for name in Profile.__slots__} | {"advice": advice})


def _usual() -> list[RequestLike]:
    from secondpass.evaluate.stdlib_docs import stdlib_corpus  # it starts another Python the first time

    corpus = stdlib_corpus()
    return [("how do I copy a file?", [document["text"] for document in corpus[:: len(corpus) // _PAIRS][:_PAIRS]])]


def _model_profile(
    model: PairModel, requests: Sequence[Request], truncated: float, rounds: int, rates: tuple[float, float] | None
) -> ModelProfile:
    """Run a model's steps one by one, on the pairs as they are, and set them against a whole call of its own."""
    pairs = [(request.query, text) for request in requests for text in request.texts]
    unique = list(dict.fromkeys(pairs))
    texts = list(dict.fromkeys(text for pair in unique for text in pair))
    tokenizing, running, whole = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        tokens = dict(zip(texts, model.tokenizer.tokenize(texts), strict=True))
        tokenizing.append(time.perf_counter() - start)
        of_pairs = [(tokens[first], tokens[second]) for first, second in unique]
        lengths = [model.tokenizer.pair_length(*pair) for pair in of_pairs]
        batches = plan_batches(lengths, model.batch_tokens, pads=model._runner.pads)
        start = time.perf_counter()
        for batch in batches:  # in this thread, one after the other
            model._forward_pairs([unique[at] for at in batch], [of_pairs[at] for at in batch])
        running.append(time.perf_counter() - start)
        start = time.perf_counter()
        model.run(pairs)
        whole.append(time.perf_counter() - start)
    call_s, threads = statistics.median(whole), model._runner.workers
    tokenizer_s, network_s = statistics.median(tokenizing), statistics.median(running) / threads
    total_s = max(call_s, tokenizer_s + network_s)
    real = sum(lengths)
    filled = sum(len(batch) * max(lengths[at] for at in batch) for batch in batches)
    precision = getattr(getattr(model, "on_cpu", None), "precision", None) or ""
    return ModelProfile(
        name=model.name,
        tokenizer=tokenizer_s / total_s,
        model=network_s / total_s,
        scheduler=1 - (tokenizer_s + network_s) / total_s,
        padding=1 - real / filled,
        repeated=1 - len(unique) / len(pairs),
        truncated=truncated,
        mean_tokens=float(np.mean(lengths)),
        max_length=model.tokenizer.max_length,
        threads=threads,
        precision=precision,
        reached=None if rates is None else _reached(model, lengths, precision, network_s, rates),
    )


def _reached(
    model: PairModel, lengths: Sequence[int], precision: str, network_s: float, rates: tuple[float, float]
) -> float | None:
    from secondpass.models.graph.weights import read_weights

    files = getattr(model, "files", None)
    if files is None or precision not in ("int8", "float32"):
        return None
    try:
        work: Work = work_of(read_weights(files.weights, files.config), lengths, needed=True)
    except (SecondPassError, KeyError):  # an encoder of another make
        return None
    int8_rate, float32_rate = rates
    return work.floor_s(int8_rate if precision == "int8" else float32_rate, float32_rate) / network_s


def _lines(found: Profile) -> Iterator[str]:
    yield found.subject
    tokens = "" if found.tokens_per_s is None else f", {found.tokens_per_s:,.0f} tokens/s"
    yield f"  {counted(found.pairs, 'pair')} in {1000 * found.seconds:.1f} ms: {found.pairs_per_s:,.0f} pairs/s{tokens}"
    if found.int8_rate and found.float32_rate:
        rates = f"int8 {found.int8_rate / 1e9:.0f} GOP/s, float32 {found.float32_rate / 1e9:.0f} GFLOP/s"
        yield f"  this machine, {found.cores} cores, measured: {rates}"
    for path, stage_s in found.stages.items():
        yield f"  {path}: {1000 * stage_s:.1f} ms"
    for model in found.models:
        shares = f"tokenizer {model.tokenizer:.1%}, network {model.model:.1%}, scheduler {model.scheduler:.1%}"
        reached = "" if model.reached is None else f", {model.reached:.0%} of the machine's peak"
        yield f"  {model.name}: {shares}; {counted(model.threads, 'thread')}{reached}"
        lost = f"padding {model.padding:.1%}, repeated {model.repeated:.1%}, truncated {model.truncated:.1%}"
        yield f"    {model.mean_tokens:.0f} tokens a pair (at most {model.max_length}); {lost}"
    if found.memory_bytes and found.memory_limit_bytes:
        yield f"  memory: {found.memory_bytes / 1e6:,.0f} MB of {found.memory_limit_bytes / 1e6:,.0f} MB"
    yield from (f"  {finding}" for finding in found.advice)
