"""A bi-encoder as a member: a text's vector against the labels' vectors, in one pass for a text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, Unpack

import numpy as np

from secondpass.classify.background import ANCHORS, TEXTS
from secondpass.classify.hypotheses import Wording
from secondpass.classify.member import Member, refuse_cut_hypothesis
from secondpass.config import Configured, digest
from secondpass.forking import product
from secondpass.logistic import FloatArray
from secondpass.models.backends.load import LoadSettings, check_loading, load_embedding_model
from secondpass.models.batching import Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.windows import ApproximateTokenization, ModelTokenization

__all__ = ["BiEncoder", "BiEncoderMember"]

# How much of what texts (and labels) have in common is taken off. All of it is best for several labels, none of it for
# labels that lie close together, such as kinds of question; half of it loses little on either.
_TAKEN_OFF = 0.5
# Fitted on the cosines of bge-small-en-v1.5, leaving one set out at a time (benchmarks/classify.py --fit); in units of
# the spread that a model's cosines of anchors and background texts have, so that other models come near it.
_SHARPNESS = 1.85  # of one label
_SHARPNESS_OF_SEVERAL = 1.15
_SLOPE, _INTERCEPT = 1.9, 2.93  # from the logarithm of a label's share to its log odds
_NONE = 10.0  # how many labels "none of these" counts for
_MOST_KEPT = 10_000  # vectors of hypotheses
_MOST_TEMPLATES = 16  # whose anchors are kept, some 100 KB each
# Where one matter ends and another may begin: after a sentence, and before "and" or "but" with three words or more.
_CLAUSE_END = re.compile(
    r"(?<=[.!?;\n])\s+|(?<=[\u3002\uff01\uff1f\uff1b])|(?<!\s),?\s+(?:and|but)\s+(?=\S+\s+\S+\s+\S)"
)
_CLAUSE_WORDS = 3  # of one at least, or there is nothing to tell a label by
_MOST_CLAUSES = 8  # of a message; among those of a long text some are near to any label


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What texts and labels in general are to a model.

    Attributes:
        common_to_texts: half of the mean of the background texts' vectors, shape (dim,).
        common_to_labels: half of the mean of the anchors' vectors, shape (dim,).
        anchors: of each anchor the mean of its wordings' vectors, shape (n_anchors, dim): its product with a text's
            vector is the mean of their cosines.
        spread: the standard deviation of the cosines of background texts and anchors.
        of_texts: half of the mean of the background texts' vectors, without what they have in common, shape (dim,).
    """

    common_to_texts: Rows
    common_to_labels: Rows
    anchors: Rows
    spread: float
    of_texts: Rows

    @classmethod
    def of(cls, model: EmbeddingModel, texts: Rows, templates: Sequence[str]) -> Self:
        """Return it for a model, with the vectors of the background texts, and the templates that labels stand in."""
        wording = Wording(tuple(templates), {}, {})
        anchors = [wording.filled(anchor) for anchor in ANCHORS]
        labels = model.encode_documents([one for several in anchors for one in several])
        common_to_texts, common_to_labels = _TAKEN_OFF * texts.mean(axis=0), _TAKEN_OFF * labels.mean(axis=0)
        of_anchors = _centred(labels, common_to_labels).reshape(len(ANCHORS), -1, labels.shape[1]).mean(axis=1)
        centred = _centred(texts, common_to_texts)
        spread = float(product(centred, of_anchors.T).std())
        return cls(common_to_texts, common_to_labels, of_anchors, spread, _TAKEN_OFF * centred.mean(axis=0))


class BiEncoder(Configured):
    """A bi-encoder for a `ZeroShotClassifier`: it compares meanings, and reads a text once, however many labels.

    Args:
        model: a folder, a name from the catalogue, a repository on the Hugging Face hub, or an `EmbeddingModel`.
        loading: see `LoadSettings`.

    Attributes:
        embedding_model: the loaded `EmbeddingModel`.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "bi-encoder"

    def __init__(self, model: str | EmbeddingModel = "bge-small-en-v1.5", **loading: Unpack[LoadSettings]) -> None:
        check_loading(loading, LoadSettings, BiEncoder, loaded=isinstance(model, EmbeddingModel))
        self.model, self.loading = model, loading
        self.embedding_model = model if isinstance(model, EmbeddingModel) else load_embedding_model(model, **loading)
        self._texts: Rows | None = None
        self._backgrounds: dict[tuple[str, ...], Background] = {}

    def background(self, templates: tuple[str, ...]) -> Background:
        """Return what texts and labels in general are to the model, which is found out once for some templates."""
        known = self._backgrounds
        if templates not in known:
            if self._texts is None:
                self._texts = self.embedding_model.encode_documents(TEXTS)
            found = Background.of(self.embedding_model, self._texts, templates)
            # Set once and not read again: another thread may put its own there at any time.
            self._backgrounds = known = dict([*known.items(), (templates, found)][-_MOST_TEMPLATES:])
        return known[templates]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_texts": None, "_backgrounds": {}}

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return digest([self.registry_name, self.embedding_model.fingerprint])

    def __repr__(self) -> str:
        return f"BiEncoder({self.embedding_model.name!r})"


class BiEncoderMember(Member):
    """Compares vectors from which half of what all texts, or all labels, have in common was taken off.

    For one label of several the cosines, less half of each label's mean over background texts, are put through a
    softmax. For several at once "none of these" is a label more, which stands for many others; the share of a label in
    that softmax is what its log odds are made of. A message's clauses are then read one by one, too, and the one that
    speaks most for a label counts.

    Args:
        model: the bi-encoder.
        wording: puts labels into sentences; the anchors are worded as they are.
    """

    def __init__(self, model: BiEncoder, wording: Wording) -> None:
        self.model = model
        tokenizer = getattr(model.embedding_model, "tokenizer", None)
        self.tokenization = (
            ApproximateTokenization()
            if tokenizer is None
            else ModelTokenization(tokenizer, tokenizer.single_room, with_query=False)
        )
        background = model.background(wording.templates)
        self._common_to_texts, self._common_to_labels = background.common_to_texts, background.common_to_labels
        self._anchors, self._spread = background.anchors, background.spread
        # Taken off a text's vector, it takes half of a label's mean over all texts off the label's cosine: a label that
        # is near to any text says less. Where several labels may be true, the anchors see to that.
        self._background = background.of_texts
        self._kept: dict[str, Rows] = {}
        self._last: dict[str, Rows] = {}

    @property
    def fingerprint(self) -> str:
        """The model's own."""
        return self.model.fingerprint

    def log_odds(self, logits: FloatArray) -> FloatArray:
        """Return the log odds of a text's labels, from their logits against "none of these"."""
        share = logits - np.logaddexp(0.0, np.logaddexp.reduce(logits))
        return np.asarray(_SLOPE * share + _INTERCEPT)

    def clauses(self, text: str) -> Sequence[str]:
        """Return the clauses of a message: one vector for two matters is near to neither."""
        parts = [part for part in _CLAUSE_END.split(text) if len(part.split()) >= _CLAUSE_WORDS]
        return parts if 1 < len(parts) <= _MOST_CLAUSES else ()

    def _hypothesis_lengths(self, hypotheses: Sequence[str]) -> list[int]:
        return [0] * len(hypotheses)  # they don't stand beside the text

    def _logits(self, pairs: Sequence[tuple[str, str]], odds: bool) -> tuple[FloatArray, list[int] | None]:
        texts = {text: at for at, text in enumerate(dict.fromkeys(text for text, _ in pairs))}
        hypotheses = {one: at for at, one in enumerate(dict.fromkeys(one for _, one in pairs))}
        of_texts = self._vectors_of_texts(list(texts))
        if not odds:
            of_texts = of_texts - self._background
        cosines = product(of_texts, self._vectors_of(list(hypotheses)).T).astype(np.float64) / self._spread
        logits = cosines * (_SHARPNESS_OF_SEVERAL if odds else _SHARPNESS)
        if odds:
            anchors = product(of_texts, self._anchors.T).astype(np.float64) / self._spread * _SHARPNESS_OF_SEVERAL
            logits -= (np.logaddexp.reduce(anchors, axis=1) + np.log(_NONE / len(ANCHORS)))[:, None]
        return logits[[texts[text] for text, _ in pairs], [hypotheses[one] for _, one in pairs]], None

    def _vectors_of_texts(self, texts: Sequence[str]) -> Rows:
        # Those of the last run are kept: in a tree, each level asks for the same texts again.
        known = self._last
        missing = [text for text in texts if text not in known]
        if missing:
            known = known | self._encoded(missing, self._common_to_texts)
        # Set once and not read again: another thread may put its own texts there at any time.
        self._last = asked = {text: known[text] for text in texts}
        return np.stack(list(asked.values()))

    def _vectors_of(self, hypotheses: Sequence[str]) -> Rows:
        known = self._kept
        missing = [one for one in hypotheses if one not in known]
        if missing:
            too_long = [length > self.tokenization.document_room(0) for length in self.tokenization.lengths(missing)]
            refuse_cut_hypothesis(too_long, missing)
            known = known | self._encoded(missing, self._common_to_labels)
            if len(known) <= _MOST_KEPT:
                self._kept = known
        return np.stack([known[one] for one in hypotheses])

    def _encoded(self, texts: Sequence[str], common: Rows) -> dict[str, Rows]:
        vectors = _centred(self.model.embedding_model.encode_documents(texts), common)
        return dict(zip(texts, vectors, strict=True))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_kept": {}, "_last": {}}


def _centred(vectors: Rows, common: Rows) -> Rows:
    """Return vectors without what they have in common, of length 1."""
    rest = vectors - common
    return np.asarray(rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9), dtype=np.float32)
