"""Verifying in LlamaIndex: the evaluator and the query engine, with real engines, runners and handlers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core import PromptTemplate, QueryBundle, SummaryIndex
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.evaluation import BaseEvaluator, BatchEvalRunner, EvaluationResult
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.query import QueryEndEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llama_index.core.tools import QueryEngineTool

from llama_index.postprocessor.secondpass import SecondPassEvaluator, VerificationResult, VerifyingQueryEngine
from secondpass.errors import ConfigError, InputError, ScoringError, VerificationFailedError
from secondpass.verify.types import CheckedClaim, Claim, Verdict, Verification
from secondpass.verify.verifier import FactVerifier

QUESTION = "What does shutil.rmtree delete?"
TEXTS = [
    "os.remove deletes a file, and raises OSError for a directory.",
    "shutil.rmtree deletes an entire directory tree.",
    "A lease of the meeting room costs 40 euros an hour.",
]
RIGHT = TEXTS[1]
WRONG = "A lease of the meeting room costs 70 euros an hour."
MESSAGE = "The sources that were found do not support an answer."


class Engine(BaseQueryEngine):
    """Answers what it is told, from three nodes: it stands for an engine with an LLM."""

    def __init__(self, answer: Any, manager: CallbackManager | None = None) -> None:
        self.answer, self.asked = answer, []
        super().__init__(manager)

    def _respond(self, query_bundle: QueryBundle, how: str) -> Any:
        self.asked.append((how, query_bundle.query_str))
        return Response(self.answer, nodes(), {"n0": {"page": 1}}) if isinstance(self.answer, str) else self.answer

    def _query(self, query_bundle: QueryBundle) -> Any:
        return self._respond(query_bundle, "query")

    async def _aquery(self, query_bundle: QueryBundle) -> Any:
        return self._respond(query_bundle, "aquery")

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return nodes()

    def synthesize(self, query_bundle: QueryBundle, nodes: Any, additional_source_nodes: Any = None) -> Any:
        return Response(self.answer, [*nodes, *(additional_source_nodes or [])])

    async def asynthesize(self, query_bundle: QueryBundle, nodes: Any, additional_source_nodes: Any = None) -> Any:
        return self.synthesize(query_bundle, nodes, additional_source_nodes)


class Counting(FactVerifier):
    """Counts how it was called, and keeps what it was given."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.calls: list[tuple[str, Any, Any]] = []
        self.awaited = 0

    def verify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        self.calls.append((answer, passages, question))
        return super().verify(answer, passages, question=question)

    async def averify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        self.awaited += 1
        return await super().averify(answer, passages, question=question)


class Broken(FactVerifier):
    """Fails as a backend does, or gives a verification in which a claim could not be checked."""

    fails = True

    def verify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        if self.fails:
            raise ScoringError("the backend is down")
        claim = CheckedClaim(Claim(answer, 0, len(answer), 0), Verdict.ERROR, reason="the accelerator is gone")
        return Verification(answer, (claim,), passed=False, text=answer)


class Recorder(BaseEventHandler):
    """Keeps every event of the dispatcher."""

    events: list[Any] = []

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)


@pytest.fixture(scope="module")
def verifier() -> FactVerifier:
    """Return the embedded verifier; with low thresholds, so that what is verbatim is supported by any model."""
    return FactVerifier(threshold=0.2, contradiction_threshold=0.6)


@pytest.fixture(scope="module")
def make(verifier: FactVerifier) -> Any:
    """Return a function that makes verifiers which share the loaded model."""

    def made(kind: type[FactVerifier] = FactVerifier, **settings: Any) -> Any:
        return kind(model=verifier.nli, threshold=0.2, contradiction_threshold=0.6, **settings)

    return made


@pytest.fixture
def spans() -> Iterator[SimpleSpanHandler]:
    """Listen for spans on the root dispatcher, for one test."""
    handler, root = SimpleSpanHandler(), get_dispatcher()
    root.add_span_handler(handler)
    yield handler
    root.span_handlers = [other for other in root.span_handlers if other is not handler]


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """Listen for events on the root dispatcher, for one test."""
    recorder, root = Recorder(), get_dispatcher()
    root.add_event_handler(recorder)
    yield recorder.events
    root.event_handlers = [other for other in root.event_handlers if other is not recorder]


def nodes(texts: Sequence[str] = TEXTS, **fields: Any) -> list[NodeWithScore]:
    """Return nodes with the ids n0, n1..."""
    return [NodeWithScore(node=TextNode(id_=f"n{at}", text=t, **fields), score=0.5) for at, t in enumerate(texts)]


def finished(result: Any) -> Any:
    """Return a result, awaited if it is a coroutine."""
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def both(engine: BaseQueryEngine) -> Response:
    """Ask synchronously and asynchronously, check that the verdicts are equal, and return one response."""
    waited, called = asyncio.run(engine.aquery(QUESTION)), engine.query(QUESTION)
    assert type(waited) is type(called) is Response
    assert waited.response == called.response
    assert waited.metadata["verification"]["claims"] == called.metadata["verification"]["claims"]
    return called


class TestEvaluator:
    def test_a_supported_response_passes(self, verifier: FactVerifier) -> None:
        """What stands in a context word for word passes with a score of 1, and the verification is there."""
        result = SecondPassEvaluator(verifier).evaluate(QUESTION, RIGHT, TEXTS)
        assert isinstance(result, EvaluationResult) and isinstance(result.verification, Verification)
        assert (result.passing, result.score, result.invalid_result) == (True, 1.0, False)
        assert (result.query, result.response, result.contexts) == (QUESTION, RIGHT, TEXTS)
        assert result.feedback == "1 of 1 checkable claims are supported."
        evidence = result.verification.claims[0].evidence[0]
        assert (evidence.passage, TEXTS[1][evidence.start : evidence.end]) == (1, RIGHT)

    def test_feedback_names_the_claim_and_the_evidence(self, verifier: FactVerifier) -> None:
        """A wrong number fails, half of the claims are supported, and the feedback says which one is not, and why."""
        result = SecondPassEvaluator(verifier).evaluate(QUESTION, f"{RIGHT} {WRONG}", TEXTS)
        assert (result.passing, result.score) == (False, 0.5)
        head, claim, evidence = result.feedback.splitlines()
        assert head == "1 of 2 checkable claims are supported."
        assert claim.startswith(f'- contradicted: "{WRONG}" (') and "70" in claim and "40" in claim
        assert evidence == f'  context 3: "{TEXTS[2]}"'

    def test_async_gives_what_sync_gives(self, make: Any) -> None:
        """Awaiting awaits averify, with the same result."""
        counting = make(Counting)
        evaluator = SecondPassEvaluator(counting)
        called = evaluator.evaluate(QUESTION, WRONG, TEXTS)
        assert counting.awaited == 0
        waited = asyncio.run(evaluator.aevaluate(QUESTION, WRONG, TEXTS))
        assert counting.awaited == 1
        assert waited.verification.claims == called.verification.claims
        assert waited.model_dump(exclude={"verification"}) == called.model_dump(exclude={"verification"})
        assert counting.calls[0] == counting.calls[1] == (WRONG, TEXTS, QUESTION)

    def test_source_nodes_of_a_response(self, verifier: FactVerifier) -> None:
        """evaluate_response takes text, nodes and their ids from the response; the feedback names the node."""
        evaluator, response = SecondPassEvaluator(verifier), Response(WRONG, nodes())
        result = evaluator.evaluate_response(QUESTION, response)
        assert (result.passing, result.response, result.contexts) == (False, WRONG, TEXTS)
        assert result.verification.claims[0].contradicting[0].id == "n2"
        assert f'context 3, n2: "{TEXTS[2]}"' in result.feedback
        waited = asyncio.run(evaluator.aevaluate_response(QUESTION, response))
        assert waited.verification.claims == result.verification.claims
        streamed = StreamingResponse(iter([WRONG[:9], WRONG[9:]]), nodes())
        assert evaluator.evaluate_response(QUESTION, streamed).verification.claims == result.verification.claims

    def test_nothing_to_rest_on(self, verifier: FactVerifier) -> None:
        """Without contexts nothing is supported; an empty response, and one without a fact, do not pass."""
        evaluator = SecondPassEvaluator(verifier)
        without = evaluator.evaluate(QUESTION, RIGHT, [])
        assert (without.passing, without.score) == (False, 0.0)
        assert f'not enough info: "{RIGHT}"' in without.feedback
        empty = evaluator.evaluate_response(QUESTION, Response(None, nodes()))
        assert (empty.passing, empty.score, empty.response) == (False, 0.0, "")
        assert empty.feedback == "The response is empty."
        greeting = evaluator.evaluate(QUESTION, "Hello there!", TEXTS)
        assert (greeting.passing, greeting.feedback) == (False, "No claim of the response is checkable.")

    def test_a_policy_that_raises_is_reported_not_raised(self, make: Any) -> None:
        """An evaluation says what does not pass, as a runner would repeat, and then be ended by, an error."""
        evaluator = SecondPassEvaluator(make(policy="raise"))
        assert evaluator.evaluate(QUESTION, WRONG, TEXTS).passing is False
        assert asyncio.run(evaluator.aevaluate(QUESTION, WRONG, TEXTS)).passing is False

    def test_what_could_not_be_checked_is_invalid(self, make: Any) -> None:
        """A claim with the verdict ERROR does not pass, and the reason says how many there are."""
        broken = make(Broken)
        broken.fails = False
        result = SecondPassEvaluator(broken).evaluate(QUESTION, RIGHT, TEXTS)
        assert (result.passing, result.score, result.invalid_result) == (False, 0.0, True)
        assert result.invalid_reason == "1 of 1 claims could not be checked: the accelerator is gone"

    def test_a_backend_that_fails_raises(self, make: Any) -> None:
        """It is no verdict on the response, so it comes through."""
        evaluator = SecondPassEvaluator(make(Broken))
        with pytest.raises(ScoringError, match="the backend is down"):
            evaluator.evaluate(QUESTION, RIGHT, TEXTS)
        with pytest.raises(ScoringError, match="the backend is down"):
            asyncio.run(evaluator.aevaluate(QUESTION, RIGHT, TEXTS))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"response": None}, "pass both"),
            ({"contexts": None}, "pass both"),
            ({"contexts": "one text"}, "contexts must be a list of texts, not one str"),
            ({"contexts": [3]}, r"documents\[0\] is of type int"),
            ({"response": 3}, "the answer must be a str, not int"),
            ({"query": 3}, "the question must be a str or None, not int"),
        ],
    )
    def test_bad_input(self, verifier: FactVerifier, arguments: dict[str, Any], message: str) -> None:
        """What can't be used is refused with what is wrong, by both ways of evaluating."""
        evaluator = SecondPassEvaluator(verifier)
        given = {"query": QUESTION, "response": RIGHT, "contexts": TEXTS} | arguments
        with pytest.raises(InputError, match=message):
            evaluator.evaluate(**given)
        with pytest.raises(InputError, match=message):
            asyncio.run(evaluator.aevaluate(**given))

    @pytest.mark.parametrize("response", [None, PydanticResponse(None), "a text"])
    def test_no_response(self, verifier: FactVerifier, response: Any) -> None:
        """evaluate_response needs a response with a text."""
        evaluator = SecondPassEvaluator(verifier)
        with pytest.raises(InputError, match="must be a Response or a streaming one"):
            evaluator.evaluate_response(QUESTION, response)
        with pytest.raises(InputError, match="must be a Response or a streaming one"):
            asyncio.run(evaluator.aevaluate_response(QUESTION, response))

    def test_lone_surrogates(self, verifier: FactVerifier) -> None:
        """They are replaced everywhere, as pydantic takes none; offsets stay."""
        result = SecondPassEvaluator(verifier).evaluate("a\ud800?", f"\udfff {RIGHT}", [f"\ud800 {RIGHT}"])
        assert (result.query, result.response) == ("a\ufffd?", f"\ufffd {RIGHT}")
        assert result.contexts == [f"\ufffd {RIGHT}"]

    @settings(max_examples=25)
    @given(st.text(st.characters(), max_size=60), st.lists(st.text(st.characters(), max_size=60), max_size=2))
    def test_any_text_can_be_evaluated(self, verifier: FactVerifier, response: str, contexts: list[str]) -> None:
        """Whatever the characters are, the result is data, and nothing is supported without a context."""
        result = SecondPassEvaluator(verifier).evaluate(response, response, contexts)
        assert json.loads(result.model_dump_json())["score"] == result.score
        assert len(result.response) == len(response) and len(result.contexts) == len(contexts)
        assert "".join(contexts).strip() or (result.passing, result.score) == (False, 0.0)

    def test_it_is_data(self, verifier: FactVerifier) -> None:
        """A result can be written as JSON, the verification as its to_dict; without one, as null."""
        result = SecondPassEvaluator(verifier).evaluate_response(QUESTION, Response(WRONG, nodes()))
        data = json.loads(result.model_dump_json())
        assert data["verification"] == json.loads(json.dumps(result.verification.to_dict()))
        assert (data["passing"], data["score"]) == (False, 0.0)
        assert VerificationResult().model_dump()["verification"] is None

    @pytest.mark.filterwarnings("ignore:asyncio_module:DeprecationWarning")  # of LlamaIndex, to itself
    def test_in_a_batch_runner(self, verifier: FactVerifier) -> None:
        """A BatchEvalRunner evaluates strings and responses, beside another evaluator and with its arguments."""

        class Exact(BaseEvaluator):
            async def aevaluate(self, query=None, response=None, contexts=None, reference=None, **kwargs):  # type: ignore[no-untyped-def]
                return EvaluationResult(passing=response == reference)

            def _get_prompts(self) -> dict[str, Any]:
                return {}

            def _update_prompts(self, prompts: Any) -> None:
                """There is none."""

        runner = BatchEvalRunner({"ours": SecondPassEvaluator(verifier), "exact": Exact()})
        results = runner.evaluate_response_strs(
            queries=[QUESTION] * 2,
            response_strs=[RIGHT, WRONG],
            contexts_list=[TEXTS] * 2,
            reference=[RIGHT, RIGHT],
        )
        assert [result.passing for result in results["ours"]] == [True, False]
        assert [result.passing for result in results["exact"]] == [True, False]
        responses = [Response(RIGHT, nodes()), Response(WRONG, nodes())]
        again = asyncio.run(runner.aevaluate_responses(queries=[QUESTION] * 2, responses=responses))
        assert [result.score for result in again["ours"]] == [1.0, 0.0]

    def test_it_has_no_prompts(self, verifier: FactVerifier) -> None:
        """No LLM is asked, so there is nothing to read and nothing to change."""
        evaluator = SecondPassEvaluator(verifier)
        evaluator.update_prompts({"eval_template": PromptTemplate("x")})
        assert evaluator.get_prompts() == {}


class TestSettings:
    def test_a_verifier_in_three_ways(self, verifier: FactVerifier) -> None:
        """One is taken as it is, a mapping holds settings, and the default is the embedded model."""
        assert SecondPassEvaluator(verifier).verifier is verifier
        engine = VerifyingQueryEngine(Engine(RIGHT), {"policy": "drop", "window_tokens": 64})
        assert (engine.verifier.policy, engine.verifier.window_tokens) == ("drop", 64)
        assert SecondPassEvaluator().verifier.nli.name == verifier.nli.name

    @pytest.mark.parametrize("build", [SecondPassEvaluator, lambda *a, **k: VerifyingQueryEngine(Engine(""), *a, **k)])
    @pytest.mark.parametrize(
        ("arguments", "settings", "message"),
        [
            ([3], {}, "verifier must be a model's name, a mapping or a FactVerifier, not int"),
            ([None], {}, "not NoneType"),
            ([FactVerifier], {}, "not type"),
            ([{"polcy": "drop"}], {}, "polcy"),
            ([{"policy": "hide"}], {}, "policy must be one of"),
            ([], {"metadata_mode": "some"}, "metadata_mode must be one of all, embed, llm, none, not 'some'"),
        ],
    )
    def test_bad_settings(self, build: Any, arguments: list[Any], settings: dict[str, Any], message: str) -> None:
        """They are refused at construction."""
        with pytest.raises(ConfigError, match=message):
            build(*arguments, **settings)

    def test_what_is_wrapped_must_be_a_query_engine(self, verifier: FactVerifier) -> None:
        """An index in place of its engine is refused at construction."""
        with pytest.raises(ConfigError, match="wraps a query engine, not a SummaryIndex"):
            VerifyingQueryEngine(SummaryIndex([]), verifier)  # type: ignore[arg-type]

    def test_metadata(self, make: Any) -> None:
        """A node's text alone is read by default; with a mode, what the LLM or the embedding model read."""
        whole = nodes(["text"], metadata={"a": 1, "b": 2, "c": 3}, excluded_llm_metadata_keys=["b"])
        whole[0].node.excluded_embed_metadata_keys = ["c"]
        seen = {}
        for mode in ["none", "llm", MetadataMode.EMBED]:
            counting = make(Counting)
            SecondPassEvaluator(counting, metadata_mode=mode).evaluate_response(QUESTION, Response(RIGHT, whole))
            seen[str(MetadataMode(mode).value)] = counting.calls[0][1]
        assert seen == {
            "none": [{"text": "text", "id": "n0"}],
            "llm": [{"text": "a: 1\nc: 3\n\ntext", "id": "n0"}],
            "embed": [{"text": "a: 1\nb: 2\n\ntext", "id": "n0"}],
        }


class TestQueryEngine:
    def test_a_supported_answer_comes_as_it_is(self, verifier: FactVerifier) -> None:
        """Text and nodes are the wrapped engine's, and its metadata is kept beside the verification."""
        response = both(VerifyingQueryEngine(Engine(RIGHT), verifier))
        assert response.response == RIGHT and [node.node_id for node in response.source_nodes] == ["n0", "n1", "n2"]
        assert response.metadata["n0"] == {"page": 1}
        verification = response.metadata["verification"]
        assert (verification["passed"], verification["supported_fraction"]) == (True, 1.0)
        assert verification["claims"][0]["evidence"][0]["id"] == "n1"
        json.dumps(response.metadata)

    @pytest.mark.parametrize(
        ("policy", "text"),
        [
            ("annotate", f"{RIGHT} {WRONG} [contradicted]"),
            ("flag", f"{RIGHT} {WRONG}"),
            ("drop", RIGHT),
            ("abstain", MESSAGE),
        ],
    )
    def test_policies(self, make: Any, policy: str, text: str) -> None:
        """The response's text is what the policy made; the answer as it was is in the verification."""
        response = both(VerifyingQueryEngine(Engine(f"{RIGHT} {WRONG}"), make(policy=policy)))
        assert str(response) == text
        assert response.metadata["verification"]["answer"] == f"{RIGHT} {WRONG}"
        assert [claim["verdict"] for claim in response.metadata["verification"]["claims"]] == [
            "supported",
            "contradicted",
        ]

    def test_a_policy_that_raises(self, make: Any) -> None:
        """The error comes through, with the verification."""
        engine = VerifyingQueryEngine(Engine(WRONG), make(policy="raise"))
        with pytest.raises(VerificationFailedError) as caught:
            engine.query(QUESTION)
        assert caught.value.verification.contradicted
        with pytest.raises(VerificationFailedError):
            asyncio.run(engine.aquery(QUESTION))

    def test_what_the_wrapped_engine_gave_stays_as_it_is(self, verifier: FactVerifier) -> None:
        """The response is a copy: a cached one is not marked, and its metadata get no key."""
        kept = Response(WRONG, nodes(), None)
        response = VerifyingQueryEngine(Engine(kept), verifier).query(QUESTION)
        assert response is not kept and response.response != WRONG
        assert (kept.response, kept.metadata) == (WRONG, None)

    def test_true_async(self, make: Any) -> None:
        """An awaited query awaits the wrapped aquery and averify; query calls neither; the question goes along."""
        counting, inner = make(Counting), Engine(RIGHT)
        engine = VerifyingQueryEngine(inner, counting)
        engine.query(QUESTION)
        assert (inner.asked, counting.awaited) == ([("query", QUESTION)], 0)
        asyncio.run(engine.aquery(QueryBundle(QUESTION)))
        assert (inner.asked[1:], counting.awaited) == ([("aquery", QUESTION)], 1)
        expected = [{"text": text, "id": f"n{at}"} for at, text in enumerate(TEXTS)]
        assert counting.calls == [(RIGHT, expected, QUESTION)] * 2

    def test_a_streaming_response_is_read_to_its_end(self, verifier: FactVerifier) -> None:
        """Both kinds of stream become a whole Response, from a synchronous as from an asynchronous call."""

        async def chunks() -> AsyncIterator[str]:
            for chunk in (WRONG[:5], WRONG[5:]):
                yield chunk

        def streams() -> list[Any]:
            return [
                StreamingResponse(iter([WRONG[:5], WRONG[5:]]), nodes(), {"k": 1}),
                AsyncStreamingResponse(chunks(), nodes(), {"k": 1}),
            ]

        responses = [VerifyingQueryEngine(Engine(stream), verifier).query(QUESTION) for stream in streams()]

        async def waited() -> list[Any]:
            return [await VerifyingQueryEngine(Engine(stream), verifier).aquery(QUESTION) for stream in streams()]

        for response in [*responses, *asyncio.run(waited())]:
            assert type(response) is Response
            assert response.response == f"{WRONG} [contradicted]"
            assert response.metadata["k"] == 1 and len(response.source_nodes) == 3

    def test_an_empty_answer_does_not_pass(self, make: Any) -> None:
        """No text at all is an answer without a claim; without nodes nothing is supported."""
        engine = VerifyingQueryEngine(Engine(Response(None, nodes())), make(policy="abstain"))
        response = both(engine)
        assert str(response) == MESSAGE and response.metadata["verification"]["passed"] is False
        without = both(VerifyingQueryEngine(Engine(Response(RIGHT, [])), make()))
        assert without.response == f"{RIGHT} [unsupported]"

    def test_an_output_class_is_refused(self, verifier: FactVerifier) -> None:
        """A PydanticResponse holds fields and no text, and is not let through unverified."""

        class Answer(BaseModel):
            text: str

        engine = VerifyingQueryEngine(Engine(PydanticResponse(Answer(text=RIGHT), nodes())), verifier)
        with pytest.raises(InputError, match=r"not PydanticResponse: .*without an output class"):
            engine.query(QUESTION)
        with pytest.raises(InputError, match="not PydanticResponse"):
            asyncio.run(engine.aquery(QUESTION))

    def test_retrieving_and_synthesizing(self, verifier: FactVerifier) -> None:
        """What is retrieved is the wrapped engine's; what is made of nodes is verified against all of them."""
        engine, bundle = VerifyingQueryEngine(Engine(RIGHT), verifier), QueryBundle(QUESTION)
        assert [node.node_id for node in engine.retrieve(bundle)] == ["n0", "n1", "n2"]
        kept = nodes()
        made = engine.synthesize(bundle, kept[:1], additional_source_nodes=kept[1:])
        waited = asyncio.run(engine.asynthesize(bundle, kept[:1], additional_source_nodes=kept[1:]))
        for response in (made, waited):
            assert response.metadata["verification"]["passed"] is True
            assert response.metadata["verification"]["claims"][0]["evidence"][0]["passage"] == 1
        assert engine.synthesize(bundle, kept[:1]).metadata["verification"]["passed"] is False

    def test_as_a_tool(self, verifier: FactVerifier) -> None:
        """An agent's tool gives out the text after the policy."""
        tool = QueryEngineTool.from_defaults(VerifyingQueryEngine(Engine(WRONG), verifier), name="docs", description="")
        assert tool.call(QUESTION).content == f"{WRONG} [contradicted]"
        assert asyncio.run(tool.acall(QUESTION)).content == f"{WRONG} [contradicted]"

    def test_the_prompts_are_those_of_the_wrapped_engine(self, verifier: FactVerifier) -> None:
        """They can be read and changed through it, as if it were not there."""
        inner = real_engine()
        engine = VerifyingQueryEngine(inner, verifier)
        assert set(engine.get_prompts()) == set(inner.get_prompts())
        key = "response_synthesizer:text_qa_template"
        engine.update_prompts({key: PromptTemplate("Only {context_str}")})
        assert inner.get_prompts()[key].template == "Only {context_str}"


def real_engine(**settings: Any) -> RetrieverQueryEngine:
    """Return a retriever and a synthesizer; MockLLM answers with its prompt, which here is the context alone."""
    index = SummaryIndex([node.node for node in nodes([RIGHT])])
    return RetrieverQueryEngine.from_args(
        index.as_retriever(),
        llm=MockLLM(),
        text_qa_template=PromptTemplate("{context_str}"),
        response_mode=ResponseMode.COMPACT,
        **settings,
    )


class TestRealEngine:
    def test_an_answer_out_of_the_context_passes(self, verifier: FactVerifier) -> None:
        """Retriever, prompt, LLM and verifier, synchronously, asynchronously and streamed."""
        response = both(VerifyingQueryEngine(real_engine(), verifier))
        assert response.response == RIGHT and response.metadata["verification"]["passed"] is True
        streamed = both(VerifyingQueryEngine(real_engine(streaming=True), verifier))
        assert streamed.response == RIGHT and streamed.metadata["verification"]["passed"] is True

    def test_spans_and_callbacks(self, verifier: FactVerifier, spans: SimpleSpanHandler, events: list[Any]) -> None:
        """The verification is a span within the query's; the last QUERY and QueryEnd events have what is given out."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        engine = VerifyingQueryEngine(real_engine(callback_manager=CallbackManager([debug])), verifier)
        responses = [engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))]
        spanned = {span.id_: str(span.parent_id) for span in spans.completed_spans}
        for method, parent in (("_verified", "_query"), ("_averified", "_aquery")):
            (own,) = [name for name in spanned if name.startswith(f"VerifyingQueryEngine.{method}-")]
            assert spanned[own].startswith(f"VerifyingQueryEngine.{parent}-")
        pairs = debug.get_event_pairs(CBEventType.QUERY)
        assert len(pairs) == 4  # ours around the wrapped engine's, twice
        ends = [end.payload[EventPayload.RESPONSE] for start, end in pairs]
        assert [response for response in ends if "verification" in response.metadata] == responses
        given_out = [event.response for event in events if isinstance(event, QueryEndEvent)]
        assert [given_out[1], given_out[3]] == responses

    @pytest.mark.parametrize("method", ["query", "aquery"])
    def test_a_failure_closes_everything(self, make: Any, spans: SimpleSpanHandler, method: str) -> None:
        """The error comes through; our QUERY event ends with it, and no span is left open."""
        debug = LlamaDebugHandler(print_trace_on_end=False)
        engine = VerifyingQueryEngine(Engine(RIGHT), make(Broken), callback_manager=CallbackManager([debug]))
        with pytest.raises(ScoringError, match="the backend is down") as caught:
            finished(getattr(engine, method)(QUESTION))
        ((_, end),) = debug.get_event_pairs(CBEventType.QUERY)
        assert end.payload == {EventPayload.EXCEPTION: caught.value}
        assert spans.open_spans == {}
        dropped = {span.id_.partition("-")[0] for span in spans.dropped_spans}
        assert dropped >= {f"VerifyingQueryEngine.{name}" for name in (method, f"_{method}")}

    def test_many_at_once(self, verifier: FactVerifier) -> None:
        """Concurrent queries get what a single one gets."""
        engine = VerifyingQueryEngine(Engine(f"{RIGHT} {WRONG}"), verifier)

        async def gather() -> list[Any]:
            return await asyncio.gather(*(engine.aquery(QUESTION) for _ in range(4)))

        single = engine.query(QUESTION)
        assert [response.response for response in asyncio.run(gather())] == [single.response] * 4
