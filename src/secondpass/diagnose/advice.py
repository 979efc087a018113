"""What follows from the figures of a profile."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from secondpass.diagnose.finding import Finding

if TYPE_CHECKING:
    from secondpass.diagnose.profiling import ModelProfile, Profile

__all__ = ["advice_on", "slow_members"]

_TOKENIZER, _SCHEDULER, _PADDING, _REPEATED, _REACHED = 0.25, 0.25, 0.2, 0.2, 0.25
_TIMES, _MOST = 3.0, 0.5  # how many times slower than the others, and how much of their time together
_NEARLY_FULL = 0.9


def advice_on(found: "Profile") -> Iterator[Finding]:
    """Yield what to change, as far as the figures say so."""
    yield from slow_members(found.stages)
    for model in found.models:
        yield from _on_model(model, found)
    used, limit = found.memory_bytes, found.memory_limit_bytes
    if used and limit and used > _NEARLY_FULL * limit:
        yield Finding(
            "memory-full",
            "warning",
            f"after the calls, the process uses {used / limit:.0%} of the memory that it may use",
            "set a smaller batch_tokens, or run fewer models in one process; the alert rule 'memory' watches it",
        )


def slow_members(stages: Mapping[str, float]) -> Iterator[Finding]:
    """Yield a finding for each stage that takes far longer than those beside it.

    Args:
        stages: seconds by path, as in `secondpass.monitor.Event.stages`.
    """
    beside: dict[str, dict[str, float]] = {}
    for path, seconds in stages.items():
        parent, slash, _ = path.rpartition("/")
        if slash:
            beside.setdefault(parent, {})[path] = seconds
    for parent, members in beside.items():
        if len(members) < 2:
            continue
        slowest = max(members, key=members.__getitem__)
        others = sorted(seconds for path, seconds in members.items() if path != slowest)
        median_s = others[len(others) // 2]
        if members[slowest] > _TIMES * median_s and members[slowest] > _MOST * sum(members.values()):
            yield Finding(
                "slow-member",
                "warning",
                f"{slowest} takes {1000 * members[slowest]:.1f} ms, and those beside it {1000 * median_s:.1f} ms",
                f"the call of {parent} waits for it: watch it by LatencyRule(stage=...), ask it for fewer documents "
                "(a CascadeReranker), or leave it out",
            )


def _on_model(model: "ModelProfile", found: "Profile") -> Iterator[Finding]:
    if model.truncated > 0.05:
        yield Finding(
            "truncated",
            "warning",
            f"{model.name} sees only the beginning of {model.truncated:.0%} of the documents",
            "long_documents='windows', or a PassageReranker, reads them in windows, and takes longer",
        )
    if model.padding > _PADDING:
        yield Finding(
            "padding",
            "warning",
            f"{model.padding:.0%} of what {model.name} computes is padding",
            "set a smaller batch_tokens; on a CPU leave it out",
        )
    if model.repeated > _REPEATED:
        yield Finding(
            "repeated",
            "note",
            f"{model.repeated:.0%} of the pairs stood there already",
            "they are scored once in a call; a CachedReranker keeps them from call to call",
        )
    if model.tokenizer > _TOKENIZER:
        yield Finding(
            "tokenizer",
            "warning",
            f"the tokenizer of {model.name} takes {model.tokenizer:.0%} of a call",
            "keep_tokens=N keeps the tokens of documents that come again; shorter documents cost less",
        )
    if model.scheduler > _SCHEDULER:
        yield Finding(
            "scheduler",
            "note",
            f"{model.scheduler:.0%} of a call of {model.name} is neither tokenizer nor network",
            "other work on this machine, or calls that are too small for its threads: put more documents into a call, "
            "or share batches between calls (CoalescingReranker)",
        )
    if model.threads < found.cores and model.precision:
        yield Finding(
            "threads", "warning", f"{model.name} runs on {model.threads} of {found.cores} cores", "load it again here"
        )
    if model.precision == "float32":
        yield Finding(
            "float32",
            "note",
            f"{model.name} computes in float32",
            "precision='int8' takes a third to half of the time on most processors; measure what it costs in quality",
        )
    if model.reached is not None and model.reached > 1:
        yield Finding(
            "noisy",
            "note",
            f"{model.name} reaches {model.reached:.0%} of the peak that was measured, so the peak was not",
            "other work slowed that measurement: repeat it on a quiet machine",
        )
    elif model.reached is not None and model.reached < _REACHED:
        yield Finding(
            "below-peak",
            "note",
            f"{model.name} reaches {model.reached:.0%} of what this machine does in products of matrices",
            "short pairs don't fill it, and other work on the machine takes its share: compare on a quiet one",
        )
