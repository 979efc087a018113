"""The models within a reranker: which they are, how they run, and whether they are made for this."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.base import Reranker, inner_rerankers
from secondpass.counts import counted
from secondpass.diagnose.finding import Finding
from secondpass.errors import ModelFormatError
from secondpass.models.nli import NliModel, entailment_columns
from secondpass.models.pair import PairModel
from secondpass.models.sources.catalog import catalog, languages_of

__all__ = ["ModelFacts", "model_facts", "model_findings", "nli_findings", "pair_models"]

# Premise, what follows from it, and what denies it; the last one says nothing of it.
_NLI = (
    ("The bridge was built in 1932 by a Danish company.", "The bridge was built in 1932."),
    ("The bridge was built in 1932 by a Danish company.", "The bridge was built in 1987."),
    ("The shop is closed on Sundays, and open on all other days.", "On Sundays the shop is closed."),
    ("The shop is closed on Sundays, and open on all other days.", "The shop is open on Sundays."),
    ("All of the passengers survived the crash.", "The passengers survived the crash."),
    ("All of the passengers survived the crash.", "None of the passengers survived the crash."),
)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that reads two texts together.

    Attributes:
        name: what it is called.
        backend: the class that runs it.
        runs: how it runs; empty if there is nothing more to say.
        task: what the catalogue says it is for; empty if it does not know it.
        labels: of its outputs.
        languages: that the catalogue says it reads, as codes; none if that is not known, or many.
        max_length: the most tokens that it is given.
        batch_tokens: in a batch; None for each pair alone.
        workers: the threads that it runs on.
        fingerprint: its identity.
    """

    name: str
    backend: str
    runs: str
    task: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    max_length: int
    batch_tokens: int | None
    workers: int
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it as lines for a person to read."""
        batches = (
            "each pair alone" if self.batch_tokens is None else f"batches of {counted(self.batch_tokens, 'token')}"
        )
        runs = f" ({self.runs})" if self.runs else ""
        yield (
            f"{self.name}: {self.backend}{runs}, {counted(self.workers, 'thread')}, {batches}, "
            f"{counted(self.max_length, 'token')} at most"
        )
        known = f"; {self.task} by the catalogue" if self.task else "; not in the catalogue"
        reads = f"; reads {', '.join(self.languages)}" if self.languages else ""
        yield f"  labels: {', '.join(self.labels)}{known}{reads}"


def pair_models(reranker: Reranker) -> list[PairModel]:
    """Return the models that read two texts together within a reranker, each once."""
    found: dict[int, PairModel] = {}
    waiting, seen = [reranker], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        model = getattr(each, "pair_model", None)
        if isinstance(model, PairModel):
            found[id(model)] = model
        waiting += inner_rerankers(each)
    return list(found.values())


def model_facts(model: PairModel) -> ModelFacts:
    """Return what is known of a model."""
    spec = catalog().get(model.name)
    on_cpu = getattr(model, "on_cpu", None)
    return ModelFacts(
        name=model.name,
        backend=type(model).__name__,
        runs="" if on_cpu is None else str(on_cpu),
        task="" if spec is None else spec.task,
        labels=model.labels,
        languages=tuple(sorted(languages_of(model.name) or ())),
        max_length=model.tokenizer.max_length,
        batch_tokens=model.batch_tokens,
        workers=model._runner.workers,
        fingerprint=model.fingerprint,
    )


def model_findings(models: list[PairModel]) -> Iterator[Finding]:
    """Yield what is odd about models that rank, by what they are called."""
    for model in models:
        spec = catalog().get(model.name)
        if (spec is not None and spec.task == "nli") or _is_nli(model):
            yield Finding(
                "nli-as-ranker",
                "fault",
                f"{model.name} is an NLI model (its labels: {', '.join(model.labels)}), and here it ranks",
                "use a reranker, such as 'cross-encoder:ms-marco-MiniLM-L12-v2', and this one in a FactVerifier",
            )


def nli_findings(model: NliModel) -> Iterator[Finding]:
    """Yield what is odd about a model that is to tell what follows from a text."""
    entailment = model.run(_NLI).probabilities[:, 0]
    follows, denied = float(entailment[::2].mean()), float(entailment[1::2].mean())
    spec = catalog().get(model.name)
    by_name = spec is not None and spec.task == "rerank"
    if by_name or (follows > 0.5 and denied > 0.5):
        yield Finding(
            "reranker-as-nli",
            "fault",
            f"{model.name} takes it that a text entails what it denies (entailment {denied:.2f} on average, and "
            f"{follows:.2f} for what follows from it): it is a model of relevance",
            "use an NLI model, such as 'secondpass-nli-minilm', and this one as a reranker",
        )
    elif follows - denied < 0.1:
        yield Finding(
            "not-nli",
            "fault",
            f"{model.name} gives what follows from a text an entailment of {follows:.2f} on average, and what it "
            f"denies {denied:.2f}",
            "its labels are named wrongly, its head was never trained, or it does not read English",
        )


def _is_nli(model: PairModel) -> bool:
    try:
        entailment_columns(model.labels, model.name)
    except ModelFormatError:
        return False
    return True
