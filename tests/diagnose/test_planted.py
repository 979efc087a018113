"""Faults that are planted, each of which has to be named: by a check-up, or by an alert."""

import copy
import warnings
from collections.abc import Callable

import pytest

import secondpass as sp
from secondpass.diagnose import Finding, diagnose, profile
from secondpass.errors import LanguageWarning
from secondpass.models import NliModel, load_embedding_model
from secondpass.monitor import Alert, AlertSink, LatencyRule, Rule, ScoreDriftRule, UnreadRateRule, WindowSink
from secondpass.testing import FakeReranker
from tests.diagnose import faulty

_QUESTION, _ANSWER = "How do I copy a file?", "shutil.copy copies a file to another place."
_GERMAN = "Wie kopiere ich unter Linux eine Datei mit ihren Metadaten auf einen anderen Rechner?"


@pytest.fixture(scope="module")
def nli() -> NliModel:
    """Return the embedded NLI model."""
    return NliModel()


def _faults(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings if finding.level != "note"]


def test_what_is_healthy_is_called_so(cross_encoder: sp.CrossEncoderReranker, nli: NliModel) -> None:
    """The embedded models, plain and as probabilities, in windows, calibrated, with a prior and late interaction."""
    healthy: list[sp.Reranker] = [cross_encoder, sp.PassageReranker(cross_encoder), sp.PriorReranker(cross_encoder)]
    healthy += [sp.CalibratedReranker(cross_encoder, calibrator="ready"), sp.ColbertReranker()]
    healthy += [sp.EnsembleReranker([cross_encoder, sp.ColbertReranker()], method="rrf")]
    for reranker in healthy:
        found = diagnose(reranker, _QUESTION, _ANSWER)
        assert (found.healthy, _faults(found.findings)) == (True, []), found
    assert _faults(diagnose(nli).findings) == [] == _faults(diagnose(sp.FactVerifier(nli)).findings)


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_a_double_sigmoid(cross_encoder: sp.CrossEncoderReranker, scale: str) -> None:
    """Whatever scale it claims; a single one that is called logits is another finding."""
    found = diagnose(faulty.DoubleSigmoid(cross_encoder, scale=scale))
    assert _faults(found.findings) == ["double-sigmoid"] and not found.healthy
    assert "score between 0.500 and 0.731" in found.findings[0].what
    assert _faults(diagnose(faulty.Squashed(cross_encoder)).findings) == ["squashed-logits"]


def test_a_swapped_order(cross_encoder: sp.CrossEncoderReranker) -> None:
    """Query and document change places on the way to the model, on either scale."""
    found = diagnose(faulty.Swapped(cross_encoder))
    assert _faults(found.findings) == ["swapped-order"]
    assert found.probes is not None and found.probes.order_sensitivity is not None
    assert found.probes.order_sensitivity < 0 and found.probes.reversed_better == 1.0
    probabilities = sp.CrossEncoderReranker(cross_encoder.pair_model, activation="sigmoid")
    assert "swapped-order" in _faults(diagnose(faulty.Swapped(probabilities)).findings)


def test_a_truncated_document(cross_encoder: sp.CrossEncoderReranker) -> None:
    """How much of it does not count; in windows, all of it does."""
    document = f"{'Something else is said here first. ' * 200}{_ANSWER}"
    cutting = sp.CrossEncoderReranker(cross_encoder.pair_model, long_documents="truncate")
    found = diagnose(cutting, _QUESTION, document)
    assert _faults(found.findings) == ["truncated"] and found.healthy
    assert found.pair is not None and found.pair.document_tokens == 1411 and found.pair.room == 509
    assert "the model reads 502 of the document's 1411 tokens: 64% of it do not count" in found.findings[0].what
    in_windows = diagnose(cross_encoder, _QUESTION, document)
    assert _faults(in_windows.findings) == [] and in_windows.pair is not None and in_windows.pair.windows


def test_an_nli_model_that_ranks(nli: NliModel) -> None:
    """By what it does, by its labels, and by its name in the catalogue."""
    assert _faults(diagnose(faulty.EntailmentRanker(nli)).findings) == ["nli-as-ranker"]
    with_labels = diagnose(sp.CrossEncoderReranker(nli.pair_model, smoke_test=False))
    assert _faults(with_labels.findings) == ["nli-as-ranker", "fails"]
    assert "(its labels: entailment, neutral, contradiction)" in with_labels.findings[0].what


def test_a_model_of_similarity_that_ranks() -> None:
    """It prefers the question in other words to its answer, and does not care for the order."""
    found = diagnose(faulty.SimilarityRanker(load_embedding_model("bge-small-en-v1.5")))
    assert "similarity-as-ranker" in _faults(found.findings)
    assert found.probes is not None and found.probes.paraphrases_first == 1.0


def test_a_reranker_that_is_asked_what_follows(cross_encoder: sp.CrossEncoderReranker) -> None:
    """Its output was named entailment, and what a text denies is as relevant as what it says."""
    renamed = copy.copy(cross_encoder.pair_model)
    renamed.labels = ("entailment",)
    assert _faults(diagnose(NliModel(renamed, smoke_test=False)).findings) == ["reranker-as-nli"]


def test_a_foreign_language(cross_encoder: sp.CrossEncoderReranker) -> None:
    """Of the query, or of the document alone, also where the model is made to score it; and as an alert."""
    for asked, document in ((_GERMAN, _GERMAN), (_QUESTION, _GERMAN)):
        for reranker in (cross_encoder, sp.CrossEncoderReranker(cross_encoder.pair_model, on_foreign="score")):
            found = diagnose(reranker, asked, document)
            assert _faults(found.findings) == ["foreign-language"] and "'de'" in found.findings[0].what
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LanguageWarning)
        alerts = _alerts(UnreadRateRule(), lambda reranker: reranker.rerank(_GERMAN, [_GERMAN]), cross_encoder)
    assert [alert.rule for alert in alerts] == ["unread-rate"]


def test_drifted_traffic() -> None:
    """The same questions, which documents no longer answer: the alert comes, and did not come before."""
    fake, reference = FakeReranker(), WindowSink()
    before = sp.MonitoredReranker(fake, [reference])
    words = [f"copy file {at}" for at in range(300)]
    for query in words:
        before.rerank(query, [query.partition(" ")[2] + " x", "nothing"])
    rule = ScoreDriftRule(reference.top_scores())
    asked = iter([(query, [query.partition(" ")[2] + " x", "nothing"]) for query in words])
    assert _alerts(rule, lambda reranker: reranker.rerank(*next(asked)), fake, n=300) == []
    drifted = iter([(query, ["other words", "nothing"]) for query in words])
    found = _alerts(rule, lambda reranker: reranker.rerank(*next(drifted)), fake, n=300)
    assert [alert.rule for alert in found] == ["score-drift"]


def test_a_slow_member() -> None:
    """By an alert on its stage, and by a profile."""
    ensemble = sp.EnsembleReranker([FakeReranker(), faulty.Slow(), FakeReranker()])
    rule = LatencyRule(0.02, stage="EnsembleReranker/Slow", min_events=5)
    found = _alerts(rule, lambda reranker: reranker.rerank(_QUESTION, [_ANSWER]), ensemble, n=10)
    assert [alert.rule for alert in found] == ["latency of EnsembleReranker/Slow"]
    advice = profile(ensemble, [(_QUESTION, [_ANSWER])], rounds=1, peak=False).advice
    assert [finding.name for finding in advice] == ["slow-member"] and "EnsembleReranker/Slow takes" in advice[0].what


def test_scores_that_say_nothing(cross_encoder: sp.CrossEncoderReranker) -> None:
    """The same for all, or with what is unrelated on top; and a reranker that fails at the probes says how."""

    class Backwards(faulty.Swapped):
        def _score(self, requests: object) -> list[sp.Scores]:
            return [scores.rescored(-scores.values) for scores in self.wrapped.score_many(requests)]  # type: ignore[arg-type]

    class Broken(FakeReranker):
        def _score(self, requests: object) -> list[sp.Scores]:
            raise sp.ScoringError("out of order")

    assert _faults(diagnose(faulty.Constant()).findings) == ["constant"]
    assert _faults(diagnose(Backwards(cross_encoder)).findings) == ["not-relevance"]
    (finding,) = diagnose(Broken()).findings
    assert finding.name == "fails" and "out of order" in finding.what


def _alerts(
    rule: Rule, call: Callable[[sp.MonitoredReranker], object], reranker: sp.Reranker, *, n: int = 60
) -> list[Alert]:
    """Return the alerts of a rule over calls."""
    found: list[Alert] = []
    watched = sp.MonitoredReranker(reranker, [AlertSink([rule], notify=found.append, check_every=5)])
    for _ in range(n):
        call(watched)
    return found
