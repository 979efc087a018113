"""A LangChain decision model in place of a server, for the decision reranker and the decision judge."""

import importlib
from typing import Any

import pytest

import langchain_secondpass
import secondpass as sp
from secondpass.errors import ConfigError
from secondpass.verify import DecisionJudge
from secondpass.verify.verifier import FactVerifier

decisions = pytest.importorskip("langchain_core.decisions", reason="langchain-core has these since 1.8")
DOCUMENTS = ["os.remove deletes a file.", "shutil.copy copies a file."]
QUERY = "how do I copy a file?"


class SharedWords(decisions.BaseDecisionModel):  # type: ignore[misc]  # before 1.8 there is no such class
    """Answers each kind of question by words, as a provider's class would."""

    model: str = "words-1"
    others: bool = False

    @property
    def _provider(self) -> str:
        return "tests"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        return ["langchain", "decisions"]

    def _classify(self, state: Any, questions: dict[str, Any]) -> Any:
        answers = {key: self._answer(state, question) for key, question in questions.items()}
        usage = {"input_tokens": 7, "output_tokens": 0}
        return decisions.ClassifierResponse.model_validate({"model": self.model, "answers": answers, "usage": usage})

    def _answer(self, state: Any, question: Any) -> dict[str, Any]:
        if self.others:
            return {"type": "box", "box": dict.fromkeys(("top", "bottom", "left", "right"), 0.5)}
        if question.type == "choice":
            shares = dict(zip(question.criteria, (0.7, 0.2, 0.1), strict=True))
            return {"type": "choice", "choice": "supported", "probabilities": shares, "confidence": 0.7}
        yes = 0.9 if "copies" in state["document"] else 0.1
        if question.type == "noul":
            assert question.criteria.true == "The document answers the query."
            return {"type": "noul", "noul": yes}
        shares = {0: 1 - yes, 1: 0.0, 2: 0.0, 3: yes}
        legend = dict(enumerate(question.criteria))
        return {"type": "score", "score": 3 * yes, "legend": legend, "probabilities": shares, "confidence": yes}


def test_it_reranks_as_it_is() -> None:
    """Its probabilities are the scores, with its own count of tokens, and its name is in the repr."""
    reranker = sp.DecisionReranker(decision_model=SharedWords())
    ranking = reranker.rerank(QUERY, DOCUMENTS)
    assert [(each.index, each.score) for each in ranking] == [(1, pytest.approx(0.9)), (0, pytest.approx(0.1))]
    assert (ranking.trace.counts["prompt_tokens"], repr(reranker)) == (
        14,
        "DecisionReranker('words-1', mode='pointwise')",
    )
    graded = sp.DecisionReranker(decision_model=SharedWords(), mode="graded")
    assert graded.score(QUERY, DOCUMENTS) == pytest.approx([0.3, 2.7])


def test_it_judges() -> None:
    """A choice among the verdicts."""
    judge = DecisionJudge(decision_model=SharedWords())
    assert judge.judge([("shutil.copy copies.", DOCUMENTS)]).verdicts == (sp.Verdict.SUPPORTED,)


def test_an_answer_of_another_kind_is_not_used() -> None:
    """It is counted, and with no other it is a failure."""
    with pytest.raises(sp.ScoringError, match="none of 2 answers on 2 documents could be used"):
        sp.DecisionReranker(decision_model=SharedWords(others=True)).rerank(QUERY, DOCUMENTS)


def test_our_own_decision_model_is_one(fact: FactVerifier) -> None:
    """Both directions at once: a judge over the verifier's model."""
    own = langchain_secondpass.SecondPassDecisionModel(verifier=fact)
    reranker = sp.DecisionReranker(decision_model=own)
    low, high = reranker.score(QUERY, DOCUMENTS)
    assert 0 <= low <= 1 and 0 <= high <= 1
    (verdict,) = DecisionJudge(decision_model=own, threshold=0).judge([("A parcel is late.", ["It is late."])]).verdicts
    assert verdict is not None


def test_it_stands_in_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """By class and settings, where LangChain can serialize it; its settings are a part of the fingerprint."""
    reranker = sp.DecisionReranker(decision_model=SharedWords(model="words-2"))
    config = reranker.to_config()["decision_model"]
    assert (config["type"], config["model"]["kwargs"]["model"]) == ("langchain_core", "words-2")
    objects = importlib.import_module("langchain_secondpass.objects")
    monkeypatch.setattr(objects, "load", lambda written, **_: SharedWords(**written["kwargs"]))
    again = sp.from_config(reranker.to_config())
    assert isinstance(again, sp.DecisionReranker) and again.fingerprint == reranker.fingerprint
    assert sp.DecisionReranker(decision_model=SharedWords()).fingerprint != reranker.fingerprint
    with pytest.raises(ConfigError, match="LangChain can't serialize SecondPassDecisionModel"):
        sp.DecisionReranker(decision_model=langchain_secondpass.SecondPassDecisionModel()).to_config()
