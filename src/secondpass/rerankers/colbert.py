"""Rerank by late interaction: query and document are read apart, and compared token by token."""

import os
from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np

from secondpass.base import Reranker
from secondpass.config import digest
from secondpass.errors import TruncationWarning, warn
from secondpass.models.backends.load import RunSettings, check_loading, where_and_how
from secondpass.models.colbert import ColbertModel
from secondpass.models.sources.resolve import find_model, model_name
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import Flag, OneOf, Whole, check
from secondpass.windowed import LONG_DOCUMENTS, LongDocuments, Windows
from secondpass.windows import ModelTokenization

__all__ = ["ColbertReranker"]


class ColbertReranker(Reranker):
    """Scores each document by the sum of its tokens' best matches with the query's (MaxSim).

    ColBERT (Khattab and Zaharia 2020, arXiv:2004.12832): every token of the query, marked and filled up with
    ``[MASK]`` to a fixed length, looks for the token of the document that is most like it, by cosine;
    punctuation of the document is left out. A document is encoded once, however many queries ask for it.

    A document that does not fit is scored by its windows, as a `CrossEncoderReranker` does it; with
    ``long_documents="truncate"`` it is cut, and so is a query that does not fit: that is counted in the trace under
    ``query_truncated`` or ``truncated``, noted there, and warned about once.

    Scores lie between minus and plus ``query_length``: higher is more relevant, but, unlike a cross-encoder's
    logits, they are all positive in practice and lie close together. So calibrate them with an intercept before
    a threshold or a sigmoid is put on them.

    The embedded model is the int8 encoder of answerai-colbert-small-v1 without the last projection, which its
    package left out; it is compared in the encoder's own 384 dimensions. A repository or a folder whose ONNX
    file has the projection (``colbert-ir/colbertv2.0``) works as it was trained.

    Args:
        model: a folder, a name from the catalogue, or a repository on the Hugging Face hub; ONNX, with a
            vocabulary of BERT.
        query_length: tokens that a query is cut to, or filled up to, special ones included.
        long_documents: ``windows`` or ``truncate``, see above.
        progress: show a bar when it takes longer than a second.
        loading: where the model is taken from and how it runs: see `secondpass.models.RunSettings`; ``max_length`` is
            that of a document, and it runs on ONNX Runtime.

    Attributes:
        colbert_model: the loaded `ColbertModel`, which gives the vectors as well.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "colbert"
    scale = Scale.LOGIT
    log_odds = False
    pointwise = True

    def __init__(
        self,
        model: str | os.PathLike[str] = "answerai-colbert-small-v1",
        *,
        query_length: int = 32,
        long_documents: LongDocuments = "windows",
        progress: bool = False,
        **loading: Unpack[RunSettings],
    ) -> None:
        self.model = model_name(model)
        self.query_length, self.long_documents = query_length, long_documents
        self.progress, self.loading = progress, loading
        check(self, query_length=Whole(at_least=1), long_documents=OneOf(*LONG_DOCUMENTS), progress=Flag())
        check_loading(loading, RunSettings, ColbertReranker)
        self._warned = False
        where, how = where_and_how(loading)
        files = find_model(self.model, "colbert", backend="onnx", **where)
        self.colbert_model = ColbertModel(files, query_length=query_length, **how)

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        how = [self.long_documents] if self.long_documents == "windows" else []
        return digest([self.registry_name, self.colbert_model.fingerprint, *how])

    @property
    def tokenization(self) -> ModelTokenization:
        """How the model counts tokens, and how many it takes: what a `PassageReranker` asks for."""
        return ModelTokenization(self.colbert_model.tokenizer, self.colbert_model.document_tokens, with_query=False)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        if self.long_documents == "truncate":
            return self._scored(requests)
        return Windows().scores(requests, self._scored, self.tokenization)

    def _scored(self, requests: Sequence[Request]) -> list[Scores]:
        pairs = [(request.query, text) for request in requests for text in request.texts]
        output = self.colbert_model.max_sim(pairs, progress=self.progress)
        first = np.zeros(len(pairs), dtype=np.bool_)
        first[list({pair: at for at, pair in reversed(list(enumerate(pairs)))}.values())] = True
        scores, start = [], 0
        for request in requests:
            part = slice(start, start + len(request))
            start = part.stop
            truncated = output.truncated[part]
            counts = {
                "pairs": len(request),
                "pairs_scored": int(first[part].sum()),
                "tokens": int(output.n_tokens[part].sum()),
                "truncated": int(truncated.sum()),
            }
            if output.query_truncated[part].any():
                counts["query_truncated"] = 1
            columns = {"truncated": truncated.tolist()} if truncated.any() else {}
            scores.append(Scores(output.values[part], columns, Trace(counts=counts, notes=self._cut(counts))))
        return scores

    def _cut(self, counts: dict[str, int]) -> tuple[str, ...]:
        notes = []
        if "query_truncated" in counts:
            notes.append(f"the query was cut to fit into {self.query_length} tokens")
        if counts["truncated"]:
            limit = self.colbert_model.max_length
            notes.append(f"{counts['truncated']} of {counts['pairs']} documents were cut to fit into {limit} tokens")
        if notes and not self._warned:
            self._warned = True
            warn(
                f"{self.colbert_model.files.name}: {'; '.join(notes)}; what was cut did not count towards the scores. "
                f"Raise query_length for queries, and take long_documents='windows' for documents (shown once; the "
                f"trace counts them)",
                TruncationWarning,
            )
        return tuple(notes)

    def __repr__(self) -> str:
        return f"ColbertReranker({self.model!r})"
