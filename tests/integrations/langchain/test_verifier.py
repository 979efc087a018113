"""`SecondPassVerifier` alone, in chains, in batches and in traces."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
import time
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from pydantic import ValidationError

import langchain_secondpass
from langchain_secondpass import SecondPassVerifier
from langchain_secondpass.answers import with_text
from secondpass.cancellation import WorkCancelledError, check_cancelled
from secondpass.errors import ConfigError, InputError, MissingExtraError, ModelNotFoundError, VerificationFailedError
from secondpass.verify.types import Verdict, Verification
from secondpass.verify.verifier import FactVerifier
from tests.integrations.langchain.answers import MARKED, QUESTION, REFUSED, RIGHT, TEMPFILE, WRONG, documents
from tests.integrations.langchain.doubles import FixedRetriever, Recorder


class CountingVerifier(FactVerifier):
    """Writes down how many answers each call had."""

    calls: list[int]

    def verify_many(self, items: Any) -> list[Verification]:
        items = list(items)
        self.calls.append(len(items))
        return super().verify_many(items)


class SteppingVerifier(FactVerifier):
    """Works in steps until it is stopped, or for half a minute."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.began, self.stopped = threading.Event(), threading.Event()

    def verify_many(self, items: Any) -> list[Verification]:
        self.began.set()
        try:
            for _ in range(3000):
                check_cancelled()
                time.sleep(0.01)
        except WorkCancelledError:
            self.stopped.set()
            raise
        return super().verify_many(items)


def given_answer(answer: Any = RIGHT, **more: Any) -> dict[str, Any]:
    """Return an input of the step."""
    return {"answer": answer, "context": documents(), "question": QUESTION, **more}


def verdicts(verification: Verification) -> list[Verdict]:
    """Return the verdict of each claim."""
    return [checked.verdict for checked in verification]


def seen(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without the times in its trace."""
    verification = result["verification"].to_dict()
    return {**result, "verification": {key: value for key, value in verification.items() if key != "trace"}}


@pytest.fixture
def step(fact: FactVerifier) -> SecondPassVerifier:
    """Return a step with it."""
    return SecondPassVerifier(verifier=fact)


class TestVerifying:
    """`invoke` and `ainvoke`."""

    def test_a_supported_answer(self, step: SecondPassVerifier) -> None:
        """It passes as it is; the evidence names the Document that says it, which is still there with its metadata."""
        result = step.invoke(given_answer(more="kept"))
        verification = result["verification"]
        assert list(result) == ["answer", "context", "question", "more", "verification"]
        assert (result["answer"], result["more"], verification.passed) == (RIGHT, "kept", True)
        assert verdicts(verification) == ["supported"]
        best = verification.claims[0].evidence[0]
        found = result["context"][best.passage]
        assert (best.id, found.id, found.metadata) == ("copy2", "copy2", {"tags": ["shutil"]})
        assert found.page_content[best.start : best.end] == best.text and RIGHT in best.text

    def test_a_wrong_number(self, step: SecondPassVerifier) -> None:
        """The answer that comes out is marked by the policy, and the one that went in is in the verification."""
        result = step.invoke(given_answer(f"{TEMPFILE} {WRONG}"))
        verification = result["verification"]
        assert verdicts(verification) == ["supported", "contradicted"] and not verification.passed
        assert result["answer"] == verification.text == f"{TEMPFILE} {MARKED}"
        assert verification.answer == f"{TEMPFILE} {WRONG}"
        (mismatch,) = verification.claims[1].mismatches
        assert (mismatch.kind, mismatch.claim, mismatch.evidence) == ("number", "128 kilobytes", "64 kilobytes")

    @pytest.mark.parametrize(
        ("policy", "text"), [("flag", WRONG), ("abstain", REFUSED), ("drop", REFUSED), ("annotate", MARKED)]
    )
    def test_policies(self, fact: FactVerifier, policy: str, text: str) -> None:
        """The verifier's policy decides what comes out under `answer`."""
        result = SecondPassVerifier(verifier=FactVerifier(fact.nli, policy=policy)).invoke(given_answer(WRONG))
        assert result["answer"] == text and result["verification"].policy == policy

    def test_the_policy_raise(self, fact: FactVerifier) -> None:
        """An answer that did not pass raises, with its verification; the run says so."""
        recorder = Recorder()
        strict = SecondPassVerifier(verifier=FactVerifier(fact.nli, policy="raise"))
        with pytest.raises(VerificationFailedError) as caught:
            strict.invoke(given_answer(WRONG), {"callbacks": [recorder]})
        assert caught.value.verification is not None and caught.value.verification.contradicted
        assert recorder.errors == {"SecondPassVerifier": caught.value}
        assert strict.invoke(given_answer(RIGHT))["answer"] == RIGHT

    @pytest.mark.parametrize(
        "context",
        [
            documents(),
            tuple(documents()),
            documents()[0],
            documents()[0].page_content,
            [document.page_content for document in documents()],
            ["unrelated", documents()[0]],
        ],
        ids=["documents", "tuple", "one document", "one text", "texts", "mixed"],
    )
    def test_kinds_of_context(self, step: SecondPassVerifier, context: Any) -> None:
        """Documents, texts, both, and one of either are read, and come back as they were."""
        result = step.invoke({"answer": RIGHT, "context": context})
        assert verdicts(result["verification"]) == ["supported"]
        assert result["context"] is context and "question" not in result

    def test_messages(self, step: SecondPassVerifier) -> None:
        """An answer that is a message stays one, with all but its text; a question may be one as well."""
        message = AIMessage(WRONG, id="run-1", response_metadata={"model": "m"}, usage_metadata=None)
        before = copy.deepcopy(message)
        result = step.invoke(given_answer(message, question=HumanMessage(QUESTION)))
        assert result["answer"] == before.model_copy(update={"content": MARKED})
        assert message == before
        right = AIMessage(RIGHT)
        assert step.invoke(given_answer(right))["answer"] is right

    def test_no_context(self, step: SecondPassVerifier) -> None:
        """Without documents nothing is supported."""
        result = step.invoke({"answer": RIGHT, "context": []})
        assert verdicts(result["verification"]) == ["not_enough_info"] and not result["verification"].passed
        assert result["answer"] == f"{RIGHT} [unsupported]"

    @pytest.mark.parametrize("answer", ["", " ", "Hello there!"])
    def test_nothing_to_check(self, step: SecondPassVerifier, answer: str) -> None:
        """An answer that claims nothing does not pass, and comes back as it is."""
        result = step.invoke(given_answer(answer))
        assert result["answer"] == answer and not result["verification"].passed

    def test_the_question_helps_with_short_answers(self, fact: FactVerifier) -> None:
        """It reaches the verifier, as a text."""
        asked: list[Any] = []

        class Recording(FactVerifier):
            def verify_many(self, items: Any) -> list[Verification]:
                items = list(items)
                asked.extend(question for _, _, question in items)
                return super().verify_many(items)

        step = SecondPassVerifier(verifier=Recording(fact.nli))
        step.invoke(given_answer())
        step.invoke(given_answer(question=HumanMessage("And here?")))
        step.invoke(given_answer(question=None))
        assert asked == [QUESTION, "And here?", None]

    def test_the_callers_input_is_untouched(self, step: SecondPassVerifier) -> None:
        """Neither the mapping nor a document changes."""
        value = given_answer(WRONG)
        before = copy.deepcopy(value)
        step.invoke(value)
        assert value == before

    @pytest.mark.asyncio
    async def test_async_gives_the_same(self, step: SecondPassVerifier) -> None:
        """`ainvoke` gives what `invoke` gives, also many at once."""
        expected = seen(step.invoke(given_answer(WRONG)))
        results = await asyncio.gather(*(step.ainvoke(given_answer(WRONG)) for _ in range(3)))
        assert [seen(result) for result in results] == [expected] * 3

    @pytest.mark.asyncio
    async def test_async_awaits_the_verifiers_own(self, fact: FactVerifier) -> None:
        """A verifier with an async method of its own is awaited in the caller's event loop."""

        class AsyncVerifier(FactVerifier):
            async def averify(self, *args: Any, **kwargs: Any) -> Verification:
                loops.append(asyncio.get_running_loop())
                return self.verify(*args, **kwargs)

        loops: list[Any] = []
        await SecondPassVerifier(verifier=AsyncVerifier(fact.nli)).ainvoke(given_answer())
        assert loops == [asyncio.get_running_loop()]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("text", "must be a mapping with 'answer' and 'context', not a str"),
            ({"answer": RIGHT}, "not a dict with 'answer'"),
            ({"answer": None, "context": []}, "answer must be a str or a message, not a NoneType"),
            ({"answer": RIGHT, "context": None}, "context must be a list of LangChain Documents or texts, or one"),
            ({"answer": RIGHT, "context": {"text": "a"}}, "or one, not a dict with 'text'"),
            ({"answer": RIGHT, "context": b"a"}, "or one, not a bytes"),
            ({"answer": RIGHT, "context": ["a", 3]}, r"context\[1\] must be a LangChain Document or a str, not a int"),
            ({"answer": RIGHT, "context": [], "question": 3}, "question must be a str or a message, not a int"),
        ],
    )
    def test_bad_input(self, step: SecondPassVerifier, value: Any, message: str) -> None:
        """What can't be verified is refused with a message that says where it is."""
        with pytest.raises(InputError, match=message):
            step.invoke(value)

    def test_lone_surrogates(self, step: SecondPassVerifier) -> None:
        """Half a character in an answer or a document does no harm."""
        result = step.invoke({"answer": f"{RIGHT} \ud800", "context": [f"{RIGHT} \udfff"]})
        assert result["verification"].claims[0].verdict == "supported"
        assert result["answer"].encode() == result["verification"].text.encode()


class TestWithText:
    """`with_text`, which changes what a message says."""

    blocks = st.lists(
        st.text(max_size=5)
        | st.text(max_size=5).map(lambda text: {"type": "text", "text": text, "annotations": [1]})
        | st.text(max_size=5).map(lambda text: {"type": "reasoning", "reasoning": text})
    )

    @given(content=st.text(max_size=9) | blocks, text=st.text(max_size=9))
    def test_any_content(self, content: Any, text: str) -> None:
        """The copy says the text, keeps what is no text in order, and the message is as it was."""
        message = AIMessage(content, id="m")
        before = copy.deepcopy(message)
        changed = with_text(message, text)
        assert str(changed.text) == text and changed.id == "m" and message == before
        others = [block for block in content if not isinstance(block, str) and block["type"] != "text"]
        assert [block for block in changed.content if not isinstance(block, str) and block["type"] != "text"] == others

    def test_the_text_stands_where_the_first_one_did(self) -> None:
        """Reasoning before and after it keeps its place."""
        first, last = {"type": "reasoning", "reasoning": "hm"}, {"type": "image", "url": "u"}
        message = AIMessage([first, {"type": "text", "text": "a"}, "b", last])
        assert with_text(message, "c").content == [first, {"type": "text", "text": "c"}, last]


class TestConstruction:
    """What the constructor takes and refuses, and the step as data."""

    def test_by_name_by_configuration_and_as_an_object(self, fact: FactVerifier) -> None:
        """All three ways lead to a verifier, and an object is taken as it is."""
        assert SecondPassVerifier(verifier=fact).verifier is fact
        assert SecondPassVerifier().verifier.nli.name == fact.nli.name == "secondpass-nli-minilm"
        by_config = SecondPassVerifier(verifier={"policy": "abstain", "windows_per_claim": 2}).verifier
        assert (by_config.policy, by_config.windows_per_claim) == ("abstain", 2)

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"verifier": "no-such-model"}, ModelNotFoundError, "no model 'no-such-model'"),
            ({"verifier": {"polcy": "flag"}}, ConfigError, "its settings are: model, retriever"),
            ({"verifier": {"policy": "shout"}}, ConfigError, "policy must be one of annotate, cite, flag"),
            ({"verifier": 3}, ConfigError, "verifier must be a model's name, a mapping or a FactVerifier, not int"),
            ({"verifyer": "x"}, ConfigError, "no setting 'verifyer' .did you mean 'verifier'"),
            ({"answer_key": ""}, ConfigError, "answer_key must be a str that is not empty"),
            ({"answer_key": "context"}, ConfigError, "must differ, not .'context', 'context', 'question'"),
        ],
    )
    def test_wrong_settings_fail_at_once(self, settings: Any, error: type[Exception], message: str) -> None:
        """A setting that can't be used is refused in the constructor, by an error of ours."""
        with pytest.raises(error, match=message) as caught:
            SecondPassVerifier(**settings)
        assert type(caught.value) is error

    def test_within_pydantic_the_message_survives_and_the_input_does_not(self) -> None:
        """`model_validate` wraps our error with its message, and shows none of the configuration."""
        with pytest.raises(ValidationError, match="its settings are: model, retriever") as caught:
            SecondPassVerifier.model_validate({"verifier": {"token": "sk-123"}})
        assert "sk-123" not in str(caught.value)

    def test_as_data(self) -> None:
        """`model_dump` writes the verifier as a configuration, from which an equal step is built."""
        step = SecondPassVerifier(verifier={"policy": "drop", "threshold": 0.6})
        data = json.loads(step.model_dump_json())
        assert data["verifier"]["policy"] == "drop"
        again = SecondPassVerifier.model_validate(data)
        assert again.verifier.fingerprint == step.verifier.fingerprint
        assert "verifier" in SecondPassVerifier.model_json_schema()["properties"]

    def test_settings_are_frozen(self, step: SecondPassVerifier) -> None:
        """A step that others may share can't be changed."""
        with pytest.raises(ValidationError, match="frozen"):
            step.verifier = None  # type: ignore[misc,assignment]

    def test_pickle(self, step: SecondPassVerifier) -> None:
        """It survives pickling."""
        again = pickle.loads(pickle.dumps(step))
        assert seen(again.invoke(given_answer(WRONG))) == seen(step.invoke(given_answer(WRONG)))

    def test_schemas(self, step: SecondPassVerifier) -> None:
        """What goes in and out can be asked for, as graphs and servers do."""
        goes_in = step.get_input_jsonschema()["$defs"]["SecondPassVerifierInput"]
        comes_out = step.get_output_jsonschema()["$defs"]["SecondPassVerifierOutput"]
        assert goes_in["required"] == ["answer", "context"] and "question" in goes_in["properties"]
        assert comes_out["required"] == ["answer", "context", "verification"]

    def test_a_chain_s_own_keys(self, fact: FactVerifier) -> None:
        """`create_retrieval_chain` says ``input`` for the question, others ``result`` and ``source_documents``."""
        step = SecondPassVerifier(
            verifier=fact, answer_key="result", context_key="source_documents", question_key="input", name="check"
        )
        own = given_answer(WRONG)
        value = {"result": own["answer"], "source_documents": own["context"], "input": own.get("question"), "more": 1}
        result = step.invoke(value)
        assert result["result"] == SecondPassVerifier(verifier=fact).invoke(own)["answer"] != own["answer"]
        assert result["more"] == 1 and set(result) == {*value, "verification"}
        schema = step.get_output_jsonschema()["$defs"]["SecondPassVerifierOutput"]
        assert set(schema["properties"]) == {"result", "source_documents", "input", "verification"}
        assert (
            SecondPassVerifier.model_validate(step.model_dump()).answer_key == "result" and step.get_name() == "check"
        )
        with pytest.raises(InputError, match=r"'result' and 'source_documents', not a dict with 'answer'.*answer_key"):
            step.invoke(own)


class TestInChains:
    """The step with others, in batches, and traced."""

    @pytest.fixture
    def chain(self, step: SecondPassVerifier) -> Any:
        model = RunnableLambda(lambda value: AIMessage(WRONG if "Windows" in value["question"] else TEMPFILE))
        retrieved = {"context": FixedRetriever(documents=documents()), "question": RunnablePassthrough()}
        return retrieved | RunnablePassthrough.assign(answer=model | (lambda message: message.content)) | step

    def test_lcel(self, chain: Any) -> None:
        """A chain's answer is verified against what its retriever found, and goes on marked."""
        assert (chain | itemgetter("answer")).invoke(QUESTION) == MARKED
        assert chain.invoke("And temporary files?")["verification"].passed

    def test_streaming(self, chain: Any) -> None:
        """A streamed chain waits for the whole answer, and gives the same."""
        streamed: dict[str, Any] = {}
        for chunk in chain.stream(QUESTION):
            streamed |= chunk
        assert seen(streamed) == seen(chain.invoke(QUESTION))

    @pytest.mark.asyncio
    async def test_batches_are_one_call(self, fact: FactVerifier) -> None:
        """`batch` and `abatch` verify all inputs together, in order, and what can't be used fails alone."""
        verifier = CountingVerifier(fact.nli)
        verifier.calls = []
        step = SecondPassVerifier(verifier=verifier)
        inputs: list[Any] = [given_answer(RIGHT), {"answer": 3, "context": []}, given_answer(WRONG)]
        for results in (step.batch(inputs, return_exceptions=True), await step.abatch(inputs, return_exceptions=True)):
            assert isinstance(results[1], InputError)
            assert [results[0]["answer"], results[2]["answer"]] == [RIGHT, MARKED]
        assert verifier.calls == [2, 2]
        with pytest.raises(InputError, match="answer must be a str"):
            step.batch(inputs)
        assert step.batch([]) == [] and await step.abatch([]) == []

    @pytest.mark.asyncio
    async def test_a_batch_that_is_given_up_stops(self, fact: FactVerifier) -> None:
        """As with `ainvoke`, the work ends at its next step once the task is cancelled."""
        verifier = SteppingVerifier(fact.nli)
        task = asyncio.create_task(SecondPassVerifier(verifier=verifier).abatch([given_answer()]))
        await asyncio.to_thread(verifier.began.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(verifier.stopped.wait, 60)

    @pytest.mark.asyncio
    async def test_an_answer_that_raises_fails_alone(self, fact: FactVerifier) -> None:
        """With the policy `raise`, the other answers of a batch still come back."""
        step = SecondPassVerifier(verifier=FactVerifier(fact.nli, policy="raise"))
        inputs = [given_answer(WRONG), given_answer(RIGHT), given_answer(f"{TEMPFILE} {WRONG}")]
        for results in (step.batch(inputs, return_exceptions=True), await step.abatch(inputs, return_exceptions=True)):
            first, right, last = results
            assert right["answer"] == RIGHT
            assert [len(error.verification) for error in (first, last)] == [1, 2]
        with pytest.raises(VerificationFailedError):
            step.batch(inputs)

    @pytest.mark.asyncio
    async def test_tracing(self, chain: Any, step: SecondPassVerifier) -> None:
        """Each call is a run within the chain's, which says what the verifier is; sync, async and in batches."""
        sync, background, batched = Recorder(), Recorder(), Recorder()
        chain.invoke(QUESTION, {"callbacks": [sync]})
        await chain.ainvoke(QUESTION, {"callbacks": [background]})
        for recorder in (sync, background):
            assert recorder.parents["SecondPassVerifier"] == "RunnableSequence"
            assert recorder.metadata["SecondPassVerifier"]["verifier"] == repr(step.verifier)
            assert recorder.outputs["SecondPassVerifier"]["answer"] == MARKED
        config: Any = {"callbacks": [batched], "metadata": {"user": "me"}, "run_name": "check"}
        step.batch([given_answer(), given_answer()], config)
        assert batched.started == ["check", "check"] and batched.metadata["check"]["user"] == "me"

    def test_configured_by_the_call(self, step: SecondPassVerifier, fact: FactVerifier) -> None:
        """The verifier can be left to the call."""
        open_step = step.configurable_fields(verifier=ConfigurableField(id="verifier"))
        strict = FactVerifier(fact.nli, policy="abstain")
        config: Any = {"configurable": {"verifier": strict}}
        assert open_step.with_config(config).invoke(given_answer(WRONG))["answer"] == REFUSED
        assert open_step.invoke(given_answer(WRONG))["answer"] == MARKED


class TestPackage:
    """What the package offers, with and without langchain."""

    def test_without_langchain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With langchain-core alone all but the middleware can be used, and that says what to install."""
        monkeypatch.delitem(sys.modules, "langchain_secondpass.middleware", raising=False)
        monkeypatch.setitem(sys.modules, "langchain.agents.middleware", None)
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain-agents\]"') as caught:
            _ = langchain_secondpass.SecondPassVerificationMiddleware
        assert isinstance(caught.value.__cause__, ImportError)
        assert langchain_secondpass.SecondPassVerifier is SecondPassVerifier

    def test_names(self) -> None:
        """The middleware is found as the others are, and what isn't there is said so."""
        assert "SecondPassVerificationMiddleware" in dir(langchain_secondpass)
        with pytest.raises(AttributeError, match="no attribute 'SecondPassVerifyer'"):
            _ = langchain_secondpass.SecondPassVerifyer

    def test_the_verifier_needs_langchain_core_alone(self) -> None:
        """Using the step imports neither langchain nor langgraph, nor PyTorch."""
        code = (
            "import sys\n"
            "from langchain_secondpass import SecondPassVerifier\n"
            "SecondPassVerifier().invoke({'answer': 'It is 3.', 'context': 'It is 3.'})\n"
            "loaded = {name.partition('.')[0] for name in sys.modules}\n"
            "sys.exit(str(loaded & {'langchain', 'langchain_classic', 'langgraph', 'torch'}))"
        )
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert child.stderr.strip() == "set()"
