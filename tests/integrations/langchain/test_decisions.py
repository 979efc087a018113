"""Decisions, by langchain-core's own classes."""

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage

import langchain_secondpass
from secondpass.classify import ZeroShotClassifier
from secondpass.errors import ConfigError, InputError
from secondpass.verify.verifier import FactVerifier

decisions = pytest.importorskip("langchain_core.decisions", reason="langchain-core has these since 1.8")
Box, Choice, Noul, NoulCriteria, Score = (
    getattr(decisions, name) for name in ("Box", "Choice", "Noul", "NoulCriteria", "Score")
)

LATE = "My parcel is two weeks late, and nobody answers. I want my money back, today."
GLAD = "Thank you, everything arrived on time, and the colours are lovely."
REFUND = Noul(
    instructions="Does the customer want a refund?", criteria=NoulCriteria(true="The customer wants a refund.")
)
TEAMS = {"billing": "Invoices and payments.", "shipping": "Parcels and their delivery.", "sales": None}


@pytest.fixture(scope="module")
def model(fact: FactVerifier) -> Any:
    """Return a decision model, loaded once."""
    return langchain_secondpass.SecondPassDecisionModel(verifier=fact)


def _answers(model: Any, state: Any, **questions: Any) -> dict[str, Any]:
    answers: dict[str, Any] = model.invoke({"state": state, "questions": questions}).answers
    return answers


def test_one_request_with_each_kind(model: Any) -> None:
    """Answers come in the order of the questions, as langchain-core's own types."""
    levels = ["The parcel came on time.", "The parcel is late."]
    questions = {
        "team": Choice(instructions="Which team?", criteria=TEAMS),
        "refund": REFUND,
        "delay": Score(instructions="How late is it?", criteria=levels),
    }
    response = model.invoke({"state": LATE, "questions": questions})
    assert isinstance(response, decisions.ClassifierResponse)
    assert (list(response.answers), response.model) == (["team", "refund", "delay"], "secondpass")
    assert response.nouls["refund"].noul > 0.5
    team = response.choices["team"]
    assert (team.choice, list(team.probabilities)) == ("shipping", list(TEAMS))
    assert (sum(team.probabilities.values()), team.confidence) == (pytest.approx(1), team.probabilities["shipping"])
    delay = response.scores["delay"]
    assert delay.legend == dict(enumerate(levels))
    assert delay.score == pytest.approx(delay.probabilities[1]) and delay.score > 0.5
    assert delay.confidence == max(delay.probabilities.values())


def test_a_yes_is_the_verifier_s_probability(model: Any, fact: FactVerifier) -> None:
    """To the bit; what no says counts against it, and a state that says neither is uncertain."""
    both = NoulCriteria(true="The parcel is late.", false="The parcel came on time.")
    either = Noul(instructions="Is the parcel late?", criteria=both)
    late, on_time = (fact.verify(said, [LATE]).probability for said in (both.true, both.false))
    found = _answers(model, LATE, refund=REFUND, statement=Noul(instructions="The parcel is late."), either=either)
    assert found["refund"].noul == fact.verify("The customer wants a refund.", [LATE]).probability
    assert found["statement"].noul == late
    assert found["either"].noul == pytest.approx((1 + late - on_time) / 2)
    assert _answers(model, GLAD, refund=REFUND)["refund"].noul < 0.2
    assert 0.4 < _answers(model, "The library opens at nine.", either=either)["either"].noul < 0.6


def test_a_bare_question_is_read_as_it_is(model: Any) -> None:
    """It claims nothing that the verifier could check, and yet it is answered."""
    question = Noul(instructions="Is the parcel late?")
    assert _answers(model, LATE, late=question)["late"].noul > 0.8
    assert _answers(model, GLAD, late=question)["late"].noul < 0.2


@pytest.mark.parametrize(
    "state",
    [
        HumanMessage(LATE),
        [AIMessage("How can I help?"), HumanMessage([{"type": "text", "text": LATE}])],
        {"mail": {"text": LATE, "stars": 1, "read": True, "answer": None}},
    ],
    ids=["message", "conversation", "mapping"],
)
def test_states(model: Any, state: Any) -> None:
    """Messages, conversations and JSON say what they say."""
    assert _answers(model, state, refund=REFUND)["refund"].noul > 0.5


def test_async_batches_and_traces(model: Any) -> None:
    """As any Runnable; the run says whose model it is."""

    class Seen(BaseCallbackHandler):
        metadata: Any = None

        def on_chain_start(self, *args: Any, metadata: Any = None, **kwargs: Any) -> None:
            self.metadata = metadata

        def on_llm_start(self, *args: Any, metadata: Any = None, **kwargs: Any) -> None:
            self.metadata = metadata

    seen = Seen()
    requests = [{"state": state, "questions": {"refund": REFUND}} for state in (LATE, GLAD)]
    alone = [model.invoke(request, {"callbacks": [seen]}) for request in requests]
    assert (model.batch(requests), asyncio.run(model.ainvoke(requests[0]))) == (alone, alone[0])
    assert (seen.metadata["ls_provider"], seen.metadata["ls_model_name"]) == ("secondpass", "secondpass")


@pytest.mark.parametrize(
    ("state", "question", "said"),
    [
        (LATE, Box(instructions="the parcel"), "place in an image"),
        (LATE, Choice(instructions="Which?", criteria={"one": None}), "two labels"),
        (LATE, Score(instructions="How?", criteria=["It rains.", "It rains."]), "say the same"),
        (LATE, {"type": "guess", "instructions": "Why?"}, "questions can't be used"),
        (LATE, Noul(instructions=" "), "must say something"),
        (" ", REFUND, "state must say something"),
        ([HumanMessage([{"type": "image", "base64": "AA==", "mime_type": "image/png"}])], REFUND, "reads media"),
        ({"when": object()}, REFUND, "not object"),
    ],
)
def test_what_can_t_be_answered_is_refused(model: Any, state: Any, question: Any, said: str) -> None:
    """Each with what to do otherwise, or why not."""
    with pytest.raises(InputError, match=said):
        _answers(model, state, asked=question)


def test_a_state_that_contains_itself(model: Any) -> None:
    """It has no end, and no text."""
    state: dict[str, Any] = {}
    state["state"] = state
    with pytest.raises(InputError, match="contains itself"):
        _answers(model, state, refund=REFUND)


def test_settings(fact: FactVerifier) -> None:
    """The classifier's wording is kept, its labels and thresholds are not; misspelt settings are refused."""
    classifier = ZeroShotClassifier(labels=["x", "y"], thresholds=0.99, template="It is about {}.")
    own = langchain_secondpass.SecondPassDecisionModel(verifier=fact, classifier=classifier, model="mine")
    response = own.invoke({"state": LATE, "questions": {"team": Choice(instructions="Which?", criteria=TEAMS)}})
    expected = ZeroShotClassifier(
        labels=list(TEAMS),
        template="It is about {}.",
        descriptions={"billing": TEAMS["billing"]} | {"shipping": TEAMS["shipping"]},
    ).classify(LATE)
    assert response.model == "mine"
    assert response.choices["team"].probabilities == pytest.approx(expected.scores)
    with pytest.raises(ConfigError, match="verifier"):
        langchain_secondpass.SecondPassDecisionModel(verifer=fact)
    with pytest.raises(ConfigError, match="policy 'raise'"):
        langchain_secondpass.SecondPassDecisionModel(verifier={"policy": "raise"})
    with pytest.raises(ConfigError, match="not int"):
        langchain_secondpass.SecondPassDecisionModel(verifier=fact, classifier=3)
