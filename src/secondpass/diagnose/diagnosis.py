"""The check-up: the machine, the models, a few texts that tell what kind they are, and a pair of your own."""

import warnings
from dataclasses import dataclass
from typing import Any

from secondpass.base import Reranker
from secondpass.diagnose.checks import probe_findings
from secondpass.diagnose.environment import Environment, environment, environment_findings
from secondpass.diagnose.finding import Finding, listed
from secondpass.diagnose.models import ModelFacts, model_facts, model_findings, nli_findings, pair_models
from secondpass.diagnose.pair import PairFacts, pair_facts, pair_findings
from secondpass.diagnose.probes import Probes, run_probes
from secondpass.errors import ConfigError, InputError, SecondPassError, SecondPassWarning
from secondpass.models.nli import NliModel
from secondpass.types import Document, document_text
from secondpass.validation import must_be
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.verifier import FactVerifier

__all__ = ["Diagnosis", "diagnose"]

Subject = Reranker | FactVerifier | MonitoredVerifier | NliModel


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis:
    """What a check-up found.

    Attributes:
        subject: what was looked at, as it describes itself.
        findings: what is odd, the worst first; none if all is well.
        environment: the machine and what is installed on it.
        models: the models that read two texts together.
        probes: what the reranker gives to texts that tell what kind it is; None if it fails at them, or is none.
        pair: the query and the document; None if none were given.
    """

    subject: str
    findings: tuple[Finding, ...]
    environment: Environment
    models: tuple[ModelFacts, ...]
    probes: Probes | None = None
    pair: PairFacts | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that makes results wrong."""
        return not any(finding.level == "fault" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "subject": self.subject,
            "healthy": self.healthy,
            "findings": [finding.to_dict() for finding in self.findings],
            "environment": self.environment.to_dict(),
            "models": [model.to_dict() for model in self.models],
            "probes": None if self.probes is None else self.probes.to_dict(),
            "pair": None if self.pair is None else self.pair.to_dict(),
        }

    def __repr__(self) -> str:
        lines = [self.subject, *(f"  {finding}" for finding in self.findings or ("nothing is odd",))]
        lines += ["machine", *(f"  {line}" for line in self.environment.lines())]
        if self.models:
            lines += ["models", *(f"  {line}" for model in self.models for line in model.lines())]
        if self.probes is not None:
            lines += ["probes", f"  {_probed(self.probes)}"]
        if self.pair is not None:
            lines += ["query and document", *(f"  {line}" for line in self.pair.lines())]
        return "\n".join(lines)


def diagnose(subject: Subject, query: str | None = None, document: Document | None = None) -> Diagnosis:
    """Look for what makes a reranker, a verifier or an NLI model slow or odd.

    A reranker scores some sixty short pairs, in English, of which it is known how relevance, similarity and entailment
    score them; so one that asks a server or a language model costs as many calls. With a query and a document,
    these are looked at as well.

    Args:
        subject: a `Reranker`, a `FactVerifier` or an `NliModel`.
        query: what was asked.
        document: a text, or a mapping with ``text``.

    Raises:
        ConfigError: the subject is something else, or there is a query and no document, or both and no reranker.
        InputError: the query or the document can't be used.
    """
    if (query is None) != (document is None):
        raise ConfigError("diagnose looks at a query and a document together: pass both, or neither")
    here = environment()
    found = list(environment_findings(here))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecondPassWarning)  # what they warn of is found here
        if isinstance(subject, Reranker):
            return _of_reranker(subject, here, found, query, document)
        nli = subject.wrapped.nli if isinstance(subject, MonitoredVerifier) else getattr(subject, "nli", subject)
        if not isinstance(nli, NliModel):
            raise ConfigError(must_be("what is diagnosed", "a Reranker, a FactVerifier or an NliModel", subject))
        if query is not None:
            raise ConfigError("a query and a document are looked at for a reranker only")
        found += nli_findings(nli)
    return Diagnosis(repr(subject), listed(found), here, (model_facts(nli.pair_model),))


def _of_reranker(
    reranker: Reranker, here: Environment, found: list[Finding], query: str | None, document: Document | None
) -> Diagnosis:
    models = pair_models(reranker)
    found += model_findings(models)
    probes = pair = None
    try:
        probes = run_probes(reranker)
    except InputError:
        raise
    except SecondPassError as exc:
        found.append(Finding("fails", "fault", f"it can't score the probes: {exc}"))
    else:
        named = {finding.name for finding in found}
        found += [finding for finding in probe_findings(reranker, probes) if finding.name not in named]
    if query is not None and document is not None:
        pair = pair_facts(reranker, models, query, document_text(document, 0))
        found += pair_findings(pair)
    return Diagnosis(repr(reranker), listed(found), here, tuple(map(model_facts, models)), probes, pair)


def _probed(probes: Probes) -> str:
    said = [
        f"answers first {probes.answers_first:.0%}, {probes.separation:.2f} above other sentences",
        f"scores from {probes.lowest:.3f} to {probes.highest:.3f}",
    ]
    if probes.order_sensitivity is not None:
        said.append(f"order sensitivity {probes.order_sensitivity:.2f}")
    if probes.denial is not None:
        said.append(f"a denial stands at {probes.denial:.2f} between something else and what follows")
    return "; ".join(said)
