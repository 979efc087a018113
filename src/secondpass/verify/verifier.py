"""The verifier: checks an answer, claim by claim, against the passages that it was made from."""

import inspect
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Unpack

from secondpass.base import Reranker, in_thread
from secondpass.config import Configured, digest, identity_of
from secondpass.errors import ConfigError, InputError, VerificationFailedError
from secondpass.loading import load
from secondpass.logistic import FloatArray
from secondpass.models.backends.load import LoadSettings
from secondpass.models.nli import NliModel
from secondpass.models.pair import PairModel
from secondpass.registry import Registry
from secondpass.types import Document, Trace, well_formed
from secondpass.validation import SHARE, Flag, Function, Number, OneOf, Text, Whole, check, check_names, must_be
from secondpass.verify.claims.citations import marker_pattern
from secondpass.verify.claims.decompose import LLMDecomposer
from secondpass.verify.claims.split import Decomposer
from secondpass.verify.combination import OPERATING_POINTS, SignalCombination, nli_probabilities
from secondpass.verify.decision_judge import DecisionJudge
from secondpass.verify.evidence import Passages
from secondpass.verify.judge import Judge, LLMJudge
from secondpass.verify.pipeline import Pipeline
from secondpass.verify.policy import Policy, find_policy, has_passed
from secondpass.verify.selection import Selection
from secondpass.verify.stages import Answer
from secondpass.verify.types import CheckedClaim, Verification
from secondpass.windows import ApproximateTokenization, ModelTokenization, Tokenization

__all__ = ["FactVerifier", "verifiers"]

verifiers = Registry("secondpass.verifiers")

_THRESHOLD = Number(at_least=1e-6, at_most=1)
_MESSAGE = "The sources that were found do not support an answer."
Item = tuple[str, Sequence[Document]] | tuple[str, Sequence[Document], str | None]


class FactVerifier(Configured):
    """Checks each claim of an answer against passages, and shows the evidence.

    The answer is split into claims, and each passage into windows of whole sentences, which overlap. For each claim,
    an NLI model reads the window that matches it best and, unless that settles the claim, the next ones as well, one by
    one and the best two together; the claims of all answers share two calls. The model's probabilities, the words that
    claim and window share, and checks of numbers, dates, units, names and negation are combined into one probability. A
    claim is never truncated: its windows get smaller instead, and a claim that is still too long is an error.

    **Safe by default.** A claim is supported if a sentence of a passage is the same, word for word; otherwise only if
    its probability is at least ``threshold`` and the evidence does not state another number, date or unit. Without
    passages, every claim is ``not_enough_info``; what fails is an ``error``; and a claim in a language other than
    English is ``not_enough_info``, since the model reads only English. A claim is contradicted only by a window about
    the same subject. ``passed`` means that no claim is contradicted or an error, and that at least ``min_supported``
    of the checkable claims are supported. An answer with nothing to check (a greeting, "I don't know") does not pass
    unless ``allow_unchecked`` is set; an empty answer never passes.

    **Policies** make ``Verification.text``: ``annotate`` marks each sentence that is not supported, ``cite`` writes the
    numbers of passages into each other one that cites none as well, ``flag`` changes nothing, ``drop`` removes
    sentences that are not supported, ``abstain`` replaces an answer that did not pass with ``message``, and ``raise``
    raises an error for it. A function ``(answer, claims, passed, message) -> str`` works as well.

    The trace counts ``claims`` and, with a judge, ``escalated``, ``fallbacks`` and what the judge counts. Its stage
    ``nli`` counts ``pairs``, ``pairs_scored`` and ``tokens``, and has the seconds spent in the model. Answers that
    are verified together share the runs of the model, and therefore this stage.

    Args:
        model: an `NliModel` (or `PairModel`), or its name: a folder, a name from the catalogue, or a repository on the
            hub.
        retriever: a `Reranker`, its name or its configuration, which ranks the windows for each claim. The default is
            BM25, which costs next to nothing. A reranker sees only the best eight times ``windows_per_claim`` windows
            by BM25.
        window_tokens: the most tokens in a window, at least 16.
        overlap: the most tokens that neighbouring windows share, at most half of a window.
        windows_per_claim: how many the model reads for a claim, at most.
        policy: the name of a policy or a function, as described above.
        min_supported: the share of checkable claims that must be supported, in [0, 1].
        allow_unchecked: whether an answer passes in which no claim is checkable.
        message: what ``abstain``, and ``drop`` where nothing is left, give instead of the answer.
        threshold: the lowest probability of a supported claim, above 0, or the name of an operating point: ``strict``
            lets few wrong claims through, ``lenient`` stops few right ones, and ``balanced`` lets three in four of the
            right ones through. What each lets through was measured: see "The verifier" in the
            documentation.
        contradiction_threshold: the lowest probability of a contradicted claim, above 0.
        combination: a `SignalCombination`, its configuration, or the path of its JSON file; by default the one that
            comes with secondpass. A combination that was fitted for another model is not used: the verdicts then rest
            on the model's own, uncalibrated probabilities, and the trace says so.
        decomposer: splits claims further, into texts that each say one thing: an `LLMDecomposer`, its configuration,
            or any `Decomposer`. Where it fails, the claim is verified as it is.
        judge: an `LLMJudge` or a `DecisionJudge`, the configuration of one, or any `Judge`, asked about claims whose
            probability lies in ``band``. It can't overrule numbers, dates and units that differ. Where it fails, the
            model's verdict stands, the trace counts the failure, and a warning reports it.
        band: the lowest and the highest probability at which the judge is asked, with ``threshold`` between them.
        citation_pattern: how the answer cites passages, as a regular expression; ``[1]`` and ``[2, 3]`` by default.
        english_only: whether the model reads only English; switch it off for a multilingual model.
        loading: how the model is loaded, if ``model`` is a name: see `LoadSettings`.

    Attributes:
        nli: the loaded `NliModel`.
        support_threshold: the probability that ``threshold`` stands for.

    Raises:
        ConfigError: a setting is out of range.
        ModelError: the model can't be found, read or used.
    """

    registry_name: ClassVar[str] = "fact"

    def __init__(
        self,
        model: NliModel | PairModel | str | os.PathLike[str] = "secondpass-nli-minilm",
        *,
        retriever: Reranker | str | Mapping[str, Any] | None = None,
        window_tokens: int = 96,
        overlap: int = 32,
        windows_per_claim: int = 3,
        policy: str | Policy = "annotate",
        min_supported: float = 1.0,
        allow_unchecked: bool = False,
        message: str = _MESSAGE,
        threshold: float | Literal["strict", "balanced", "lenient"] = "balanced",
        contradiction_threshold: float = 0.7,
        combination: SignalCombination | Mapping[str, Any] | str | None = None,
        decomposer: Decomposer | Mapping[str, Any] | None = None,
        judge: Judge | Mapping[str, Any] | None = None,
        band: tuple[float, float] | None = None,
        citation_pattern: str | None = None,
        english_only: bool = True,
        **loading: Unpack[LoadSettings],
    ) -> None:
        own = [name for name in inspect.signature(FactVerifier).parameters if name != "loading"]
        check_names(loading, (*own, *LoadSettings.__annotations__), "FactVerifier")
        self.model = os.fspath(model) if isinstance(model, os.PathLike) else model
        self.window_tokens, self.overlap = window_tokens, overlap
        self.retriever = None if retriever is None else load(retriever)
        self.windows_per_claim, self.policy, self.min_supported = windows_per_claim, policy, min_supported
        self.allow_unchecked, self.message = allow_unchecked, message
        self.threshold, self.contradiction_threshold = threshold, contradiction_threshold
        self.combination = combination
        self.decomposer = LLMDecomposer.from_config(decomposer) if isinstance(decomposer, Mapping) else decomposer
        self.band = tuple(band) if isinstance(band, list) else band
        self.judge = _judge_of(judge) if isinstance(judge, Mapping) else judge
        self.citation_pattern, self.english_only = citation_pattern, english_only
        self.loading = loading
        check(
            self,
            window_tokens=Whole(at_least=16),
            overlap=Whole(at_least=0),
            windows_per_claim=Whole(at_least=1),
            min_supported=SHARE,
            allow_unchecked=Flag(),
            message=Text(empty=True),
            threshold=_THRESHOLD | OneOf(*OPERATING_POINTS),
            contradiction_threshold=_THRESHOLD,
            english_only=Flag(),
            decomposer=Function("from a Claim to texts") | None,
        )
        if 2 * self.overlap > self.window_tokens:
            raise ConfigError(must_be("FactVerifier: overlap", "at most half of window_tokens", self.overlap))
        self._policy_name, self._policy = find_policy(policy)
        self._combination = _combination(combination)
        self.support_threshold = self._combination.threshold(threshold) if isinstance(threshold, str) else threshold
        self._check_judge()
        self.nli: NliModel = _loaded(model, loading)
        self._pipeline = self._new_pipeline()

    def _check_judge(self) -> None:
        if (self.judge is None) != (self.band is None):
            raise ConfigError(
                "FactVerifier: judge and band can only be set together: what is asked, and at which probabilities"
            )
        if self.band is None:
            return
        if not isinstance(self.judge, Judge):
            raise ConfigError(
                must_be("FactVerifier: judge", "an object with a method judge, as LLMJudge is", self.judge)
            )
        takes = f"(lowest, highest), two probabilities with the threshold {self.support_threshold:g} between them"
        if not isinstance(self.band, tuple) or len(self.band) != 2:
            raise ConfigError(must_be("FactVerifier: band", takes, self.band))
        low, high = (SHARE.checked(end, "FactVerifier: each end of the band") for end in self.band)
        if not low <= self.support_threshold <= high:
            raise ConfigError(must_be("FactVerifier: band", takes, self.band))
        self.band = low, high

    def _new_pipeline(self) -> Pipeline:
        pair_model = getattr(self.nli, "pair_model", None)
        tokenization: Tokenization = ApproximateTokenization()
        if pair_model is not None:
            tokenization = ModelTokenization(pair_model.tokenizer, pair_model.tokenizer.pair_room)
        return Pipeline(
            pattern=marker_pattern(self.citation_pattern),
            decomposer=self.decomposer,
            selection=Selection(
                tokenization=tokenization,
                room=None if pair_model is None else pair_model.tokenizer.pair_room,
                retriever=self.retriever,
                windows_per_claim=self.windows_per_claim,
                english_only=self.english_only,
            ),
            model=self.nli,
            probabilities=self._probabilities,
            threshold=self.support_threshold,
            contradiction_threshold=self.contradiction_threshold,
            judge=self.judge,
            band=self.band,
        )

    @property
    def calibrated(self) -> bool:
        """Whether the probabilities come from a combination that was fitted for this very model."""
        return self._combination.fitted and self._combination.model == self.nli.fingerprint

    def _probabilities(self, features: FloatArray) -> FloatArray:
        usable = self.calibrated or not self._combination.fitted
        return self._combination.probabilities(features) if usable else nli_probabilities(features)

    def verify(self, answer: str, passages: Sequence[Document], *, question: str | None = None) -> Verification:
        """Verify an answer.

        Args:
            answer: what was generated; an empty one has no claims, and does not pass.
            passages: what it was generated from: texts, or mappings with ``text`` and optionally ``id``. ``[1]`` in
                the answer means the first of them.
            question: what was asked; helps with answers of a word or two ("Paris.").

        Raises:
            InputError: the answer, a passage or the question is not text.
            ConfigError: the policy is a function, and does not return a text.
            VerificationFailedError: it did not pass, and the policy is ``raise``.
        """
        return self.verify_many([(answer, passages, question)])[0]

    def verify_many(self, items: Iterable[Item]) -> list[Verification]:
        """Verify many answers together, so that they share batches.

        Args:
            items: answers with their passages and, optionally, the question.

        Raises:
            InputError: one of them can't be used.
            ConfigError: as for `verify`.
            VerificationFailedError: one of them did not pass, and the policy is ``raise``; it has the first such one.
        """
        answers = [self._prepared(item, at) for at, item in _items(items)]
        results = [
            self._verification(answer.text, claims, trace, answer.question or None)
            for answer, (claims, trace) in zip(
                answers, self._pipeline.verify(answers, self._calibration_note), strict=True
            )
        ]
        if self.policy == "raise":
            _raise_first(results)
        return results

    def signals(self, claims: Iterable[Item]) -> FloatArray:
        """Return the signals of claims, as `SignalCombination.fit` takes them: to calibrate it for a model.

        Args:
            claims: texts, each one claim, with the passages that they are measured against and, optionally, the
                question that they answer.

        Returns:
            Shape (n_claims, len(FEATURES)), float64; a row of NaN where there is nothing to measure: no passages, a
            claim that is too long or in another language, or one that failed.

        Raises:
            InputError: one of them can't be used.
        """
        return self._pipeline.signals([self._prepared(item, at) for at, item in _items(claims)])

    async def averify(self, answer: str, passages: Sequence[Document], *, question: str | None = None) -> Verification:
        """Async version of `verify`; it runs in a worker thread."""
        return await in_thread(self.verify, answer, passages, question=question)

    def stream(
        self, chunks: Iterable[str], passages: Sequence[Document], *, question: str | None = None
    ) -> Iterator[CheckedClaim]:
        """Verify an answer while it is generated: each claim is yielded as soon as its sentence ends.

        The verdicts are those of `verify` on the whole answer. No policy is applied, as there is no answer yet.

        Args:
            chunks: pieces of the answer, of any length, in order.
            passages: as for `verify`; cut into windows once.
            question: as for `verify`.

        Raises:
            InputError: at once, if the passages or the question can't be used; while iterating, if a chunk is not text.
        """
        answer = self._prepared(("", passages, question), 0)
        if isinstance(chunks, str | bytes) or not isinstance(chunks, Iterable):
            raise InputError(f"chunks must be an iterable of texts, not {type(chunks).__name__}")
        return self._pipeline.stream(chunks, answer)

    def _prepared(self, item: object, at: int) -> Answer:
        if not isinstance(item, tuple | list) or len(item) not in (2, 3):
            raise InputError(f"items[{at}] must be an answer, its passages and, optionally, a question")
        answer, documents, question = item if len(item) == 3 else (*item, None)
        if not isinstance(answer, str):
            raise InputError(f"the answer must be a str, not {type(answer).__name__}")
        if question is not None and not isinstance(question, str):
            raise InputError(f"the question must be a str or None, not {type(question).__name__}")
        passages = Passages(
            documents, self._pipeline.selection.tokenization, self.window_tokens, self.overlap, self.english_only
        )
        return Answer(well_formed(answer), passages, well_formed(question or "").strip())

    def _verification(
        self, answer: str, claims: tuple[CheckedClaim, ...], trace: Trace, question: str | None
    ) -> Verification:
        passed = has_passed(claims, self.min_supported, self.allow_unchecked)
        text = self._policy(answer, claims, passed, self.message)
        if not isinstance(text, str):
            raise ConfigError(must_be(f"the text that the policy {self._policy_name!r} makes", "a str", text))
        return Verification(answer, claims, passed, self._policy_name, text, trace, question, self.nli.name)

    @property
    def _calibration_note(self) -> tuple[str, ...]:
        if not self._combination.fitted:
            return ("the weights of the signals are not fitted: probabilities are not calibrated",)
        if not self.calibrated:
            return (
                f"the combination was fitted for another model than {self.nli!r}: verdicts rest on the model's own "
                f"probabilities, which are not calibrated",
            )
        return ()

    @property
    def fingerprint(self) -> str:
        """The identity of the model, the combination and all settings that can change a verdict."""
        named = identity_of(self) | {"model": self.nli.fingerprint, "combination": self._combination.fingerprint}
        kept = {name: value for name, value in named.items() if name not in LoadSettings.__annotations__}
        return digest([self.registry_name, kept])

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return the NLI model for its configuration; all else is taken as it is."""
        return NliModel.from_config(value) if name == "model" and isinstance(value, Mapping) else value

    def __repr__(self) -> str:
        return f"FactVerifier({self.nli!r}, policy={self._policy_name!r})"


def _items(items: object) -> Iterator[tuple[int, object]]:
    if not isinstance(items, Iterable):
        raise InputError(f"items must be a list of answers with their passages, not {type(items).__name__}")
    return enumerate(items)


def _judge_of(config: Mapping[str, Any]) -> Judge:
    is_decision = config.get("type") == DecisionJudge.registry_name
    return DecisionJudge.from_config(config) if is_decision else LLMJudge.from_config(config)


def _loaded(model: object, loading: LoadSettings) -> Any:
    if isinstance(model, str | os.PathLike):
        return NliModel(model, **loading)
    if loading:
        raise ConfigError(f"FactVerifier: the model is loaded already: {', '.join(loading)} can't be set any more")
    if isinstance(model, PairModel):
        return NliModel(model)
    if not all(hasattr(model, name) for name in ("run", "name", "fingerprint")):
        raise ConfigError(must_be("FactVerifier: model", "an NliModel, or a model's name", model))
    return model  # whatever does as an NliModel does


def _combination(given: SignalCombination | Mapping[str, Any] | str | None) -> SignalCombination:
    if isinstance(given, SignalCombination):
        return given
    return SignalCombination.from_config(given) if isinstance(given, Mapping) else SignalCombination.load(given)


def _raise_first(results: Sequence[Verification]) -> None:
    for verification in results:
        if not verification.passed:
            supported = f"{verification.supported_fraction:.0%} of its checkable claims are supported"
            raise VerificationFailedError(f"the answer did not pass its verification: {supported}", verification)
