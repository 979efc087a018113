"""Typed decisions of the embedded models, over a real socket: what others' clients and our own get."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types import Decision

import secondpass as sp
from secondpass.errors import InputError
from secondpass.serve import ServeSettings, create_app
from secondpass.serve.call import Call
from secondpass.serve.routes.decisions import _answered
from secondpass.serve.served import Served
from secondpass.verify import DecisionJudge, Verdict
from tests.serve.conftest import listening

pytestmark = pytest.mark.filterwarnings("ignore::secondpass.errors.SecondPassWarning")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a server without any settings."""
    with listening(create_app()) as address:
        yield address


def _posted(url: str, body: dict[str, Any]) -> Any:
    response = httpx.post(f"{url}/v1/systemone", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


_LATE = "My parcel is two weeks late. I want my money back, today!"


def _decided(client: openai.OpenAI) -> Decision:
    return client.decisions.create(
        model="default",
        input=[{"type": "message", "role": "user", "content": [{"type": "input_text", "text": _LATE}]}],
        questions=[
            {"type": "predicate", "name": "refund", "instructions": "The customer wants a refund."},
            {
                "type": "choice",
                "instructions": "What is wrong?",
                "choices": [
                    {"value": True, "description": "The parcel is late."},
                    {"value": "broken", "description": "The parcel is broken."},
                ],
            },
            {
                "type": "score",
                "name": "delay",
                "instructions": "How late is it?",
                "levels": [{"label": "The parcel came on time."}, {"label": "The parcel is late."}],
            },
        ],
    )


def test_decisions_as_openai_s_client_asks_for_them(url: str) -> None:
    """A predicate, a choice and a score, each with probabilities; values keep their types."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k") as asked:
        decision = _decided(asked)
    refund, wrong, delay = decision.answers
    assert [answer.name for answer in decision.answers] == ["refund", None, "delay"]
    assert refund.type == "predicate" and refund.probability > 0.5
    assert wrong.type == "choice" and wrong.choice is True
    assert sum(each.probability for each in wrong.probabilities) == pytest.approx(1)
    assert (
        delay.type == "score" and delay.score == pytest.approx(delay.probabilities[1].probability) and delay.score > 0.5
    )


def test_decisions_as_system_one_answers_them(url: str) -> None:
    """A state of JSON, and answers by the names of the questions; what no says counts against yes."""
    questions = {
        "refund": {"type": "noul", "instructions": "Refund?", "criteria": {"true": "The customer wants a refund."}},
        "late": {"type": "noul", "criteria": {"true": "The parcel is late.", "false": "The parcel came on time."}},
        "wrong": {"type": "choice", "criteria": {"late": "The parcel is late.", "broken": "The parcel is broken."}},
        "delay": {"type": "score", "criteria": ["The parcel came on time.", "The parcel is late."]},
    }
    answers = _posted(url, {"state": {"mail": _LATE}, "questions": questions})["answers"]
    assert list(answers) == list(questions)
    assert answers["refund"]["noul"] > 0.5 and answers["late"]["noul"] > 0.75
    assert (answers["wrong"]["choice"], answers["delay"]["legend"]["1"]) == ("late", "The parcel is late.")
    for name in ("wrong", "delay"):
        assert sum(answers[name]["probabilities"].values()) == pytest.approx(1)
    assert answers["delay"]["score"] == pytest.approx(answers["delay"]["probabilities"]["1"])


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"type": "choice", "criteria": {"a": "It rains.", "b": "It rains."}}, "say the same"),
        ({"type": "noul"}, "needs instructions"),
        ({"type": "box", "instructions": "the parcel"}, "box"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(url: str, question: Any, said: str) -> None:
    """There would be nothing to choose by, or to look at."""
    response = httpx.post(f"{url}/v1/systemone", json={"state": "x", "questions": {"q": question}})
    assert (response.status_code, said in response.text) == (422, True)


def test_the_text_counts_for_each_statement_that_it_is_compared_with(url: str) -> None:
    """A few questions with many options can take as long as many questions."""
    options = [{"value": f"option {at}"} for at in range(255)]
    question = {"type": "choice", "instructions": "Which?", "choices": options}
    response = httpx.post(f"{url}/v1/decisions", json={"input": "late " * 1000, "questions": [question] * 2})
    assert (response.status_code, response.json()["error"]["message"]) == (
        413,
        "about 511020 tokens are more than 500000",
    )
    levels = {"type": "score", "criteria": [f"level {at}" for at in range(255)]}
    yes = {"type": "noul", "criteria": {"true": "It is late.", "false": "It is early."}}
    body = {"state": "late " * 1970, "questions": {"level": levels, "yes": yes}}
    response = httpx.post(f"{url}/v1/systemone", json=body)
    assert "about 506808 tokens" in response.json()["error"]["message"]


def test_questions_beside_one_that_cannot_be_answered_are_given_up() -> None:
    """The request is refused, so nobody waits for their answers."""
    given_up = []

    class Question:
        type = "predicate"

        def __init__(self, at: int) -> None:
            self.at = at

        def statements(self) -> list[str]:
            return ["It is late."]

        async def decide(self, _: object) -> dict[str, Any]:
            if self.at == 1:
                raise InputError("it can't be answered")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                given_up.append(self.at)
                raise
            return {}

    async def main() -> None:
        served = Served(ServeSettings(classifiers={"default": "zero-shot"}), [])
        with pytest.raises(InputError, match="can't be answered"):
            await _answered([Question(at) for at in range(3)], "x", None, Call(served, served.settings))
        await asyncio.sleep(0)
        assert given_up == [0, 2]
        served.close()

    asyncio.run(main())


@pytest.mark.parametrize("path", ["decisions", "systemone"])
def test_our_own_reranker_and_judge_ask_it(url: str, path: str) -> None:
    """In both shapes, and each mode; an NLI model judges claims, so no order of documents is expected of it."""
    documents = ["The weather stays sunny all week.", "shutil.copy copies a file to another path."]
    for mode, most in (("pointwise", 1), ("graded", 3)):
        reranker = sp.DecisionReranker("default", url=f"{url}/v1/{path}", mode=mode)
        ranking = reranker.rerank("How do I copy a file?", documents)
        assert all(0 < document.score < most and document.explanation == {"judged": True} for document in ranking)
        assert ranking.trace.counts["calls"] == 2 and ranking.trace.notes == ()
    judge = DecisionJudge("default", url=f"{url}/v1/{path}", threshold=0)
    (verdict,) = judge.judge([("The parcel is two weeks late.", [_LATE])]).verdicts
    assert isinstance(verdict, Verdict)
