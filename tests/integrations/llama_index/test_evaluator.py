"""`SecondPassEvaluator` in real runners, and the settings that it shares with the engine."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core import PromptTemplate, SummaryIndex
from llama_index.core.base.response.schema import PydanticResponse, Response, StreamingResponse
from llama_index.core.evaluation import BaseEvaluator, BatchEvalRunner, EvaluationResult
from llama_index.core.schema import MetadataMode

from llama_index.postprocessor.secondpass import SecondPassEvaluator, VerificationResult, VerifyingQueryEngine
from secondpass.errors import ConfigError, InputError, ScoringError
from secondpass.verify.types import Verification
from secondpass.verify.verifier import FactVerifier
from tests.integrations.llama_index.answers import QUESTION, RIGHT, TEXTS, WRONG, Broken, Counting, Engine, nodes


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
        assert (greeting.passing, greeting.feedback) == (False, "The response has no checkable claim.")

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
            ({"contexts": "one text"}, "contexts must be a list of texts, not str"),
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
