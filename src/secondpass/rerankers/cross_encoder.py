"""Rerank with a cross-encoder: a model that reads the query and a document together."""

import os
from collections.abc import Sequence
from typing import ClassVar, Literal, Unpack

import numpy as np

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration, ready_calibration
from secondpass.calibration.saved import CALIBRATION, read_calibration
from secondpass.config import digest
from secondpass.errors import ConfigError, InputError, LanguageWarning, ModelFormatError, TruncationWarning, warn
from secondpass.language import prepare_detection, unread_language
from secondpass.logistic import sigmoid
from secondpass.models.backends.load import LoadSettings, check_loading, load_pair_model
from secondpass.models.pair import PairModel, PairOutput, relevance_logits
from secondpass.models.sources.catalog import languages_of
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import model_name
from secondpass.models.tokens import KeptTokens
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import Flag, OneOf, Text, Whole, check
from secondpass.windowed import LONG_DOCUMENTS, LongDocuments, Windows
from secondpass.windows import ModelTokenization

__all__ = ["CrossEncoderReranker"]

# Any relevance model tells these apart by a wide margin, unless its labels are swapped.
_QUESTION = "What is the capital of France?"
_MARGIN = 0.5  # logits; relevance models have 10 to 20 here, an untrained head hundredths
_WINDOWS = Windows()
_KEPT_TEXTS = 10_000  # while a call is answered
_ANSWER, _OFF_TOPIC = "Paris is the capital of France.", "Knead the dough and let it rest for an hour."


class CrossEncoderReranker(Reranker):
    """Scores each document by a cross-encoder (Nogueira and Cho 2019, arXiv:1901.04085).

    Pairs of all requests share batches, sorted by length; identical pairs are scored once; the query is
    tokenized once.

    A document that does not fit into the model is scored by its windows, and is as good as its best one, which is
    explained as a `secondpass.windowed.Passage`; a `PassageReranker` has more ways. With ``long_documents="truncate"``
    it is cut instead: it is counted in the trace under ``truncated``, marked in the ranking's explanations, and warned
    about once.

    If the catalogue says that the model does not read the language of the query, or of most documents, its logits would
    be guesses. By default all documents of such a request then get the same score, a logit of 0: that of no evidence,
    with which the order in which they came stands (or the retriever's prior, where there is one). The trace counts them
    under ``unread``, and a `LanguageWarning` is given once.

    Every document is scored, whatever the request's ``k``. Where only the first ``k`` matter, a `CascadeReranker`
    with ``early_exit`` and a smaller model before this one skips those that can't be among them.

    Args:
        model: a folder, a name from the catalogue (``secondpass models`` lists it), a repository on the
            Hugging Face hub, or a `PairModel`.
        activation: ``identity`` gives the model's logits, ``sigmoid`` probabilities. These are not
            calibrated: they order documents as the logits do, but 0.5 need not mean "as likely as not".
        long_documents: ``windows`` or ``truncate``, see above.
        keep_tokens: for how many of the latest texts the tokens are kept in memory, so that documents that
            come again with another query are not tokenized again. Scores are the same to the bit; it pays off where
            the model is small, or the documents much longer than what it reads of them.
        progress: show a bar when it takes longer than a second.
        smoke_test: score an answer and an unrelated sentence when loading, and refuse a model that prefers
            the latter; turn it off for a model that does not read English.
        instruction: what counts as relevant, in a sentence, for models that were trained to be told and whose template
            has a place for it, such as Qwen3-Reranker; a request's own comes before it.
        on_foreign: what happens if the model does not read the language: ``keep`` the order, see above; ``score``
            nonetheless; or ``raise``. Of models that are not in the catalogue, and of multilingual ones, nothing is
            asked.
        loading: where the model is taken from and how it runs: see `secondpass.models.LoadSettings`.

    Attributes:
        pair_model: the loaded `PairModel`, which another reranker can share.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range, or there is an instruction and the model takes none.
        InputError: the model does not read the language, and ``on_foreign`` is ``raise``; when scoring.
    """

    registry_name: ClassVar[str] = "cross-encoder"
    pointwise = True
    log_odds = True

    def __init__(
        self,
        model: str | os.PathLike[str] | PairModel = "ms-marco-MiniLM-L12-v2",
        *,
        activation: Literal["identity", "sigmoid"] = "identity",
        long_documents: LongDocuments = "windows",
        keep_tokens: int = 0,
        progress: bool = False,
        smoke_test: bool = True,
        on_foreign: Literal["keep", "score", "raise"] = "keep",
        instruction: str | None = None,
        **loading: Unpack[LoadSettings],
    ) -> None:
        self.model = model if isinstance(model, PairModel) else model_name(model)
        self.activation, self.long_documents, self.keep_tokens = activation, long_documents, keep_tokens
        self.progress, self.smoke_test, self.loading = progress, smoke_test, loading
        check(self, activation=OneOf("identity", "sigmoid"), keep_tokens=Whole(at_least=0, unit="texts"))
        check(self, long_documents=OneOf(*LONG_DOCUMENTS))
        self.on_foreign = on_foreign
        check(self, progress=Flag(), smoke_test=Flag(), on_foreign=OneOf("keep", "score", "raise"))
        self.instruction = instruction
        check(self, instruction=Text() | None)
        check_loading(loading, LoadSettings, CrossEncoderReranker, loaded=isinstance(model, PairModel))
        self._kept = KeptTokens(keep_tokens) if keep_tokens else None
        self.scale = Scale.LOGIT if activation == "identity" else Scale.PROBABILITY
        self._warned = self._warned_of_language = False
        self.pair_model: PairModel = self._loaded(self.model)
        self.takes_instruction = self.pair_model.takes_instruction
        self._told = self._instructed(instruction)
        self._languages = None if on_foreign == "score" else languages_of(self.pair_model.name)
        if self._languages is not None:
            prepare_detection()
        self._calibration = _calibration_of(self.pair_model, self._identity("identity"))
        if smoke_test:
            self._check_order()

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return self._identity(self.activation)

    def _identity(self, activation: str) -> str:
        identity = [self.registry_name, self._told.fingerprint, activation]
        # What is the default stays as it was, and what raises has no other scores.
        others = [self.on_foreign] if self.on_foreign == "score" else []
        return digest([*identity, *others, *([self.long_documents] if self.long_documents == "windows" else [])])

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That which comes with the model: the catalogue's, or that in its folder, if it was fitted on these scores."""
        return self._calibration

    @property
    def tokenization(self) -> ModelTokenization:
        """How the model counts tokens, and how many it takes: what a `PassageReranker` asks for."""
        return ModelTokenization(self._told.tokenizer, self._told.tokenizer.pair_room)

    def _loaded(self, model: str | PairModel) -> PairModel:
        return model if isinstance(model, PairModel) else load_pair_model(model, **self.loading)

    def _instructed(self, instruction: str | None) -> PairModel:
        if instruction is None:
            return self.pair_model
        try:
            return self.pair_model.instructed(instruction)
        except InputError as exc:
            raise ConfigError(str(exc)) from exc

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        if self._languages is None:
            return self._read(requests)
        unread = [unread_language(request.query, request.texts, self._languages) for request in requests]
        read = [request for request, language in zip(requests, unread, strict=True) if language is None]
        scored = iter(self._read(read) if read else [])
        return [
            next(scored) if language is None else self._without_evidence(request, language)
            for request, language in zip(requests, unread, strict=True)
        ]

    def _without_evidence(self, request: Request, language: str) -> Scores:
        what = (
            f"{self.pair_model.name} does not read the language of the query or of most documents ({language!r}), so "
            f"their order stands"
        )
        advice = (
            "take a model that does, such as 'cross-encoder:mmarco-mMiniLMv2-L12-H384-v1' or "
            "'cross-encoder:bge-reranker-v2-m3', or pass on_foreign='score'"
        )
        if self.on_foreign == "raise":
            raise InputError(f"{what.removesuffix(', so their order stands')}: {advice}")
        if not self._warned_of_language:
            self._warned_of_language = True
            warn(f"{what}; {advice} (shown once; the trace counts them)", LanguageWarning)
        values = np.full(len(request), 0.0 if self.activation == "identity" else 0.5)
        return Scores(values, trace=Trace(counts={"unread": len(request)}, notes=(f"{what}; {advice}",)))

    def _read(self, requests: Sequence[Request]) -> list[Scores]:
        of_one: dict[str | None, list[Request]] = {}
        for request in requests:
            of_one.setdefault(request.instruction, []).append(request)
        scored = {instruction: iter(self._told_of(instruction, those)) for instruction, those in of_one.items()}
        return [next(scored[request.instruction]) for request in requests]

    def _told_of(self, instruction: str | None, requests: Sequence[Request]) -> list[Scores]:
        model = self._told if instruction is None else self.pair_model.instructed(instruction)
        if self.long_documents == "truncate":
            return self._scored(model, requests, self._kept)
        # Texts are tokenized once: to see whether they fit, and to score them.
        kept = self._kept or KeptTokens(_KEPT_TEXTS)
        return _WINDOWS.scores(
            requests,
            lambda windows: self._scored(model, windows, kept),
            ModelTokenization(model.tokenizer, model.tokenizer.pair_room, kept=kept),
        )

    def _scored(self, model: PairModel, requests: Sequence[Request], kept: KeptTokens | None) -> list[Scores]:
        pairs = [(request.query, text) for request in requests for text in request.texts]
        output = model.run(pairs, progress=self.progress, kept_tokens=kept)
        logits = relevance_logits(output.logits, self.pair_model.labels)
        values = logits if self.activation == "identity" else sigmoid(logits)
        limit = model.tokenizer.max_length
        ends = np.cumsum([len(request) for request in requests])
        return [
            self._scores(values[end - len(request) : end], output, slice(end - len(request), end), limit)
            for request, end in zip(requests, ends.tolist(), strict=True)
        ]

    def _scores(self, values: np.ndarray, output: PairOutput, part: slice, limit: int) -> Scores:
        query_truncated, truncated = output.truncated[part].T
        n_truncated = int(truncated.sum())
        counts = {
            "pairs": len(values),
            "pairs_scored": int((~output.repeated[part]).sum()),
            "tokens": int(output.n_tokens[part].sum()),
            "truncated": n_truncated,
        }
        notes = []
        if query_truncated.any():
            counts["query_truncated"] = 1
            notes.append(f"the query was cut to fit into {limit} tokens with a document")
        if n_truncated:
            notes.append(f"{n_truncated} of {len(values)} documents were cut to fit into {limit} tokens")
        if notes and not self._warned:
            self._warned = True
            warn(
                f"{self.pair_model.name}: {'; '.join(notes)}; what was cut did not count towards the scores. With "
                f"long_documents='windows' nothing of a document is cut (shown once; the trace counts them)",
                TruncationWarning,
            )
        explanations = {"truncated": truncated.tolist()} if n_truncated else {}
        return Scores(values, explanations, Trace(counts=counts, notes=tuple(notes)))

    def _check_order(self) -> None:
        logits = self.pair_model.logits([(_QUESTION, _ANSWER), (_QUESTION, _OFF_TOPIC)])
        answer, off_topic = relevance_logits(logits, self.pair_model.labels)
        if not answer - off_topic > _MARGIN:
            raise ModelFormatError(
                f"{self.pair_model.name} does not score the answer ({answer:.3f}) above an unrelated sentence "
                f"({off_topic:.3f}): it is not a relevance model, its labels ({', '.join(self.pair_model.labels)}) are "
                f"named wrongly, or it does not read English; in that last case pass smoke_test=False"
            )

    def __repr__(self) -> str:
        return f"CrossEncoderReranker({self.pair_model.name!r})"


def _calibration_of(model: PairModel, fingerprint: str) -> ReadyCalibration | None:
    files: ModelFiles | None = getattr(model, "files", None)
    if files is None:
        return None
    own = files.folder / CALIBRATION
    if own.is_file():  # fitted with the weights, by secondpass.learn
        saved = read_calibration(own)
        return ReadyCalibration(documents=saved.calibrator) if saved.fitted_on == fingerprint else None
    # A folder may have the name of a model in the catalogue, and be a fine-tuned one.
    if files.spec is None or files.source == "folder":
        return None
    return ready_calibration(files.spec.name, files.spec.sha256)
