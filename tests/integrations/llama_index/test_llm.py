"""A LlamaIndex language model in place of a server, for rerankers, judges and the like."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LogProb
from llama_index.core.llms import MockLLM
from llama_index.core.llms.loading import RECOGNIZED_LLMS

import secondpass as sp
from secondpass.errors import ConfigError
from secondpass.llm import Budget
from secondpass.verify import LLMJudge

DOCUMENTS = ["os.remove deletes a file.", "shutil.copy copies a file."]
QUERY = "how do I copy a file?"


class Told(MockLLM):
    """Says what it was told, with log-probabilities if it has some."""

    text: str = "[2] > [1]"
    sure: float | None = None
    counted: dict[str, Any] = {}
    api_key: str = "sk-123"

    def __init__(
        self, text: str = "[2] > [1]", sure: float | None = None, counted: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.text, self.sure, self.counted = text, sure, counted or {}

    @classmethod
    def class_name(cls) -> str:
        return "Told"

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        assert [message.role.value for message in messages] == ["system", "user"]
        logprobs = None
        if self.sure is not None:
            logprobs = [[LogProb(token="yes", logprob=-0.1), LogProb(token="no", logprob=self.sure)]]
        return ChatResponse(message=ChatMessage(self.text), logprobs=logprobs, **self.counted)


def test_it_reranks_and_judges_as_it_is() -> None:
    """Its answers are read as a server's are."""
    assert sp.LLMReranker(llm=Told()).rerank(QUERY, DOCUMENTS)[0].index == 1
    judge = LLMJudge(llm=Told(text='{"verdict": "supported"}'))
    assert judge.judge([("shutil.copy copies.", ["shutil.copy copies."])]).verdicts == (sp.Verdict.SUPPORTED,)


def test_its_log_probabilities_are_read() -> None:
    """`pointwise` gives the share of yes; without any it says what to do."""
    (score, _) = sp.LLMReranker(llm=Told(sure=-2.4), mode="pointwise").score(QUERY, DOCUMENTS)
    assert score == pytest.approx(1 / (1 + 2.718281828 ** (-2.4 + 0.1)))
    with pytest.raises(sp.ScoringError, match="use mode='graded'"):
        sp.LLMReranker(llm=Told(text="yes"), mode="pointwise").score(QUERY, DOCUMENTS)


@pytest.mark.parametrize(
    "counted",
    [
        {"additional_kwargs": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}},
        {"raw": {"usage": {"input_tokens": 7, "output_tokens": 3}}},
        {"raw": SimpleNamespace(usage=SimpleNamespace(prompt_tokens=7, completion_tokens=3))},
        {"raw": {"usage": None, "usage_metadata": {"prompt_token_count": 7, "candidates_token_count": 3}}},
    ],
)
def test_its_own_count_of_tokens_is_the_one_that_counts(counted: dict[str, Any]) -> None:
    """In the trace, and against a budget, wherever a provider's package leaves it."""
    budget = Budget(100_000)
    reranker = sp.LLMReranker(llm=Told(counted=counted), budget=budget)
    counts = reranker.rerank(QUERY, DOCUMENTS).trace.counts
    assert (counts["prompt_tokens"], counts["completion_tokens"], counts["tokens"]) == (7, 3, 10)
    assert budget.spent_tokens == 10


def test_it_stands_in_a_configuration_where_llama_index_can_read_it() -> None:
    """By class and settings; of another class the error says that, and no key is written or shown."""
    reranker = sp.LLMReranker(llm=MockLLM(max_tokens=7))
    config = reranker.to_config()
    assert config["llm"]["model"]["max_tokens"] == 7
    again = sp.from_config(config)
    assert isinstance(again, sp.LLMReranker) and again.settings["llm"].model.max_tokens == 7
    assert again.fingerprint == reranker.fingerprint != sp.LLMReranker(llm=MockLLM(max_tokens=8)).fingerprint
    with pytest.raises(ConfigError, match="no configuration can name Told") as caught:
        sp.LLMReranker(llm=Told()).to_config()
    assert "sk-123" not in str(caught.value)


def test_no_key_is_written_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not among the arguments of each request either; what only resembles one is."""

    class Keyed(MockLLM):
        aws_session_token: str = "sk-1"
        access_token: str = "sk-2"
        max_tokens: int | None = 7
        credentials: dict[str, str] = {"user": "sk-3"}
        eos_token: str = "</s>"
        additional_kwargs: dict[str, Any] = {
            "extra_headers": {"Authorization": "sk-4"},
            "each": [{"api_key": "sk-5", "top_k": 3}],
        }

        def __init__(self, **settings: Any) -> None:
            super(MockLLM, self).__init__(**settings)  # MockLLM's own takes none but its own

        @classmethod
        def class_name(cls) -> str:
            return "Keyed"

    monkeypatch.setitem(RECOGNIZED_LLMS, "Keyed", Keyed)
    config = sp.LLMReranker(llm=Keyed()).to_config()
    assert "sk-" not in str(config)
    written = config["llm"]["model"]
    assert (written["eos_token"], written["additional_kwargs"]) == ("</s>", {"each": [{"top_k": 3}]})
