"""A LangChain chat model in place of a server, for rerankers, judges and the like."""

import sys
from types import ModuleType
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tracers.context import collect_runs
from pydantic import SecretStr

import secondpass as sp
from langchain_secondpass import SecondPassReranker
from secondpass.errors import ConfigError
from secondpass.verify import LLMJudge

DOCUMENTS = ["os.remove deletes a file.", "shutil.copy copies a file."]
QUERY = "how do I copy a file?"


class ChatOpenAI(BaseChatModel):
    """Stands where langchain_openai's class would: serializable, with a key, and with log-probabilities."""

    model_name: str = "gpt"
    temperature: float | None = None
    openai_api_key: SecretStr | None = None
    logprobs: bool | None = None

    @property
    def lc_secrets(self) -> dict[str, str]:
        return {"openai_api_key": "OPENAI_API_KEY"}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        return ["langchain", "chat_models", "openai"]

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        assert [message.type for message in messages] == ["system", "human"]
        if kwargs == {"logprobs": True, "top_logprobs": 20}:
            yes = "shutil" in str(messages[1].content)
            words = ("yes", "no") if yes else ("no", "yes")
            top = [{"token": word, "logprob": logprob} for word, logprob in zip(words, (-0.1, -3.0), strict=True)]
            said = {"content": [{**top[0], "top_logprobs": top}]}
            reply = AIMessage(top[0]["token"], response_metadata={"logprobs": said})
        else:
            reply = AIMessage(
                "[2] > [1]",
                usage_metadata={"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
                response_metadata={"finish_reason": "stop"},
            )
        return ChatResult(generations=[ChatGeneration(message=reply)])


@pytest.fixture
def _partner_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the class where LangChain looks for it."""
    package, chat_models, base = (ModuleType(name) for name in _NAMES)
    base.ChatOpenAI = ChatOpenAI  # type: ignore[attr-defined]
    for module in (package, chat_models, base):
        monkeypatch.setitem(sys.modules, module.__name__, module)


_NAMES = ("langchain_openai", "langchain_openai.chat_models", "langchain_openai.chat_models.base")


def test_it_reranks_as_it_is() -> None:
    """Its answers are read as a server's are, with its own count of tokens, and its name is in the repr."""
    reranker = sp.LLMReranker(llm=ChatOpenAI(model_name="gpt-5-mini"))
    ranking = reranker.rerank(QUERY, DOCUMENTS)
    assert [document.index for document in ranking] == [1, 0]
    assert (ranking.trace.counts["prompt_tokens"], ranking.trace.counts["completion_tokens"]) == (7, 3)
    assert repr(reranker) == "LLMReranker('gpt-5-mini', mode='listwise')"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_calls_side_by_side_stand_in_the_trace_of_their_caller(concurrency: int) -> None:
    """As children of the reranking run, in whatever threads they were made."""
    model = FakeListChatModel(responses=['{"grade": 1}'])
    reranker = sp.LLMReranker(llm=model, mode="graded", concurrency=concurrency)
    with collect_runs() as traced:
        step = SecondPassReranker(reranker=reranker).as_runnable()
        step.invoke({"query": QUERY, "documents": [Document(text) for text in DOCUMENTS]})
    (run,) = traced.traced_runs
    assert [(child.name, child.run_type) for child in run.child_runs] == [("FakeListChatModel", "llm")] * 2


def test_log_probabilities_are_asked_of_models_that_have_them() -> None:
    """So `pointwise` gives probabilities; one that has none says what to do."""
    reranker = sp.LLMReranker(llm=ChatOpenAI(), mode="pointwise")
    low, high = reranker.score(QUERY, DOCUMENTS)
    assert low == pytest.approx(1 - high) and high > 0.9
    with pytest.raises(sp.ScoringError, match="use mode='graded'"):
        sp.LLMReranker(llm=FakeListChatModel(responses=["yes"]), mode="pointwise").score(QUERY, DOCUMENTS)


@pytest.mark.parametrize(("finish", "count"), [("length", "cut_answers"), ("content_filter", "refusals")])
def test_answers_that_were_cut_or_refused_are_counted(finish: str, count: str) -> None:
    """By what the provider says of how it ended."""
    message = AIMessage("[2] > [1]", response_metadata={"finish_reason": finish})
    reranker = sp.LLMReranker(llm=GenericFakeChatModel(messages=iter([message])), on_error="keep")
    assert reranker.rerank(QUERY, DOCUMENTS).trace.counts[count] == 1


def test_it_judges() -> None:
    """A judge of the verifier asks it as well."""
    judge = LLMJudge(llm=FakeListChatModel(responses=['{"verdict": "contradicted"}']))
    assert judge.judge([("shutil.copy deletes.", ["shutil.copy copies."])]).verdicts == (sp.Verdict.CONTRADICTED,)


@pytest.mark.usefixtures("_partner_package")
def test_it_stands_in_a_configuration_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """By class and settings, as LangChain writes them; the key is read from the environment again."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    model = ChatOpenAI(model_name="gpt-5-mini", temperature=0.5, openai_api_key=SecretStr("sk-123"))
    reranker = sp.LLMReranker(llm=model, mode="graded")
    config = reranker.to_config()
    assert "sk-123" not in str(config) and config["llm"]["type"] == "langchain_core"
    again = sp.from_config(config)
    assert isinstance(again, sp.LLMReranker) and again.fingerprint == reranker.fingerprint
    inner = again.settings["llm"].model
    assert (inner.model_name, inner.temperature) == ("gpt-5-mini", 0.5)
    assert inner.openai_api_key.get_secret_value() == "sk-from-the-environment"
    other = sp.LLMReranker(llm=ChatOpenAI(model_name="gpt-5"), mode="graded")
    assert other.fingerprint != reranker.fingerprint
    with pytest.raises(ConfigError, match="llm can't be built as LangChain wrote it"):
        sp.LLMReranker(llm={"type": "langchain_core", "model": {"lc": 1, "type": "constructor", "id": ["os", "x"]}})


def test_one_that_langchain_can_not_serialize_stands_in_none() -> None:
    """It works, and says so when it is asked for its configuration."""
    reranker = sp.LLMReranker(llm=FakeListChatModel(responses=["[2] > [1]"]))
    assert reranker.rerank(QUERY, DOCUMENTS)[0].index == 1
    with pytest.raises(ConfigError, match="LangChain can't serialize FakeListChatModel"):
        reranker.to_config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"llm": 3}, "must be a language model of langchain_core or llama_index .a function is completion="),
        ({"llm": ChatOpenAI}, "must be a language model of"),
        ({"llm": ChatOpenAI(), "base_url": "http://localhost/v1"}, "so base_url can't be set as well"),
        ({}, "needs model, the model's name at its server, or llm"),
    ],
)
def test_what_is_none_is_refused(settings: dict[str, Any], message: str) -> None:
    """A class is no model, and two places to ask are one too many."""
    with pytest.raises(ConfigError, match=message):
        sp.LLMReranker(**settings)
