"""The evaluator: from a response with its contexts, by `FactVerifier.verify`, to an `EvaluationResult`."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BaseEvaluator
from llama_index.core.prompts.mixin import PromptDictType
from llama_index.core.schema import MetadataMode

from llama_index.postprocessor.secondpass.responses import acompleted, checked_mode, completed, passages_of
from llama_index.postprocessor.secondpass.results import VerificationResult, result_of
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.errors import InputError, VerificationFailedError
from secondpass.types import Document
from secondpass.verify.types import Verification

__all__ = ["SecondPassEvaluator"]


class SecondPassEvaluator(BaseEvaluator):
    """Evaluates whether each claim of a response is supported by its contexts, without an LLM.

    ```python
    result = SecondPassEvaluator().evaluate_response(query=question, response=query_engine.query(question))
    result.passing, result.score, result.feedback, result.verification
    ```

    Of the `VerificationResult`, ``passing`` is `Verification.passed`, ``score`` is the share of checkable claims that
    are supported, in [0, 1], and ``feedback`` lists those that are not, with the evidence. If a claim could not be
    checked, ``invalid_result`` says so, and ``passing`` is False. The verifier's policy has no effect here:
    an evaluation reports what a policy of ``raise`` would raise for.

    It works in a `BatchEvalRunner`. Further arguments, which such a runner passes to all evaluators, are ignored.

    Args:
        verifier: the name or folder of an NLI model, the settings of a `FactVerifier` as a mapping, or a
            `FactVerifier`. It is loaded here.
        metadata_mode: what is read of source nodes besides their text. By default nothing (``MetadataMode.NONE``), so
            that offsets of evidence are those in the node's text. ``MetadataMode.LLM`` is what the LLM read, so that
            claims that rest on metadata are supported; but paths and the like in it make verdicts less sure.

    Attributes:
        verifier: the loaded `FactVerifier`.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: the model can't be loaded.
    """

    def __init__(
        self,
        verifier: VerifierLike = "secondpass-nli-minilm",
        *,
        metadata_mode: MetadataMode | str = MetadataMode.NONE,
    ) -> None:
        self.metadata_mode = checked_mode(metadata_mode)
        self.verifier = load_verifier(verifier)

    def evaluate(
        self,
        query: str | None = None,
        response: str | None = None,
        contexts: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> VerificationResult:
        """Verify a response against its contexts.

        Args:
            query: what was asked; helps with responses of a word or two.
            response: what was generated.
            contexts: what it was generated from; ``[1]`` in the response is the first. Without any (``[]``), nothing
                is supported.
            kwargs: ignored.

        Raises:
            InputError: the response or the contexts are missing, or one of them is not a text.
        """
        return self._verified(query, *_given(response, contexts))

    async def aevaluate(
        self,
        query: str | None = None,
        response: str | None = None,
        contexts: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> VerificationResult:
        """Async version of `evaluate`: arguments, result and errors are the same."""
        return await self._averified(query, *_given(response, contexts))

    def evaluate_response(
        self, query: str | None = None, response: Response | None = None, **kwargs: Any
    ) -> VerificationResult:
        """Verify the text of a response against its source nodes; a streaming one is read to its end.

        Raises:
            InputError: the response is missing, or holds no text.
        """
        whole = completed(response)
        return self._verified(query, whole.response or "", passages_of(whole.source_nodes, self.metadata_mode))

    async def aevaluate_response(
        self, query: str | None = None, response: Response | None = None, **kwargs: Any
    ) -> VerificationResult:
        """Async version of `evaluate_response`."""
        whole = await acompleted(response)
        return await self._averified(query, whole.response or "", passages_of(whole.source_nodes, self.metadata_mode))

    def _verified(self, query: str | None, answer: str, passages: Sequence[Document]) -> VerificationResult:
        try:
            verification = self.verifier.verify(answer, passages, question=query)
        except VerificationFailedError as exc:
            verification = _not_passed(exc)
        return result_of(query, passages, verification)

    async def _averified(self, query: str | None, answer: str, passages: Sequence[Document]) -> VerificationResult:
        try:
            verification = await self.verifier.averify(answer, passages, question=query)
        except VerificationFailedError as exc:
            verification = _not_passed(exc)
        return result_of(query, passages, verification)

    def _get_prompts(self) -> PromptDictType:
        return {}

    def _update_prompts(self, prompts: PromptDictType) -> None:
        """Do nothing: no LLM is asked, so there is no prompt."""


def _given(response: str | None, contexts: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    if response is None or contexts is None:
        raise InputError("a response is verified against contexts: pass both (without any context, contexts=[])")
    if isinstance(contexts, str | bytes) or not isinstance(contexts, Sequence):
        raise InputError(f"contexts must be a list of texts, not {type(contexts).__name__}")
    return response, contexts


def _not_passed(error: VerificationFailedError) -> Verification:
    verification: Verification | None = error.verification
    if verification is None:
        raise error
    return verification
