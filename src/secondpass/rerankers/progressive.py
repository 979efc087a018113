"""Rerank with a cross-encoder whose layers let go of the documents that can't be among the best any more."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Unpack

import numpy as np

from secondpass.cancellation import check_cancelled
from secondpass.config import digest
from secondpass.errors import ConfigError
from secondpass.logistic import sigmoid
from secondpass.models.backends.load import LoadSettings, load_pair_model, where_and_how
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.batching import progress_bar
from secondpass.models.exits import Exits
from secondpass.models.pair import PairModel
from secondpass.models.race import Race, heats, run_heat
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from secondpass.models.tokens import KeptTokens
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.types import Request, Scores
from secondpass.validation import NOT_NEGATIVE, Whole, check
from secondpass.windowed import LongDocuments

__all__ = ["ProgressiveReranker"]

_STATES = 1 << 28  # bytes of vectors that are kept at once, at most; those of a passage of MS MARCO are 140,000


class ProgressiveReranker(CrossEncoderReranker):
    """A cross-encoder that stops reading a document when it can't be among the first ``k`` any more.

    Behind some layers (see `secondpass.models.exits.Exits`) the final logit of each document is estimated from what the
    layers so far made of it. Documents that lie further below the k-th best estimate than estimates err leave. The
    vectors of the others go on to the next layer, so nothing is computed twice, and documents that reach the end have
    the scores that `CrossEncoderReranker` gives them: to the bit, but on OpenVINO, which rounds to bfloat16 within the
    whole graph otherwise than at the ends of its pieces, to a few hundredths of a logit.

    Documents that left rank below those, by their estimates, which are lowered where they would not. Their explanation
    ``left_after`` is the number of layers that read them; it is None for the others. The trace counts
    ``left_after_3`` and the like, and those that ``finished``.

    As a score depends on the other documents, neither a cache nor a `PassageReranker` can be put around it. A request
    with no more documents than ``k`` costs as much as with `CrossEncoderReranker`. One of more than a million
    characters is ranked in portions of about that many, each by itself.

    That documents leave by an estimate behind a layer is from Xin et al. (2020, arXiv:2004.12993) and, for rerankers,
    from Soldaini and Moschitti (2020, arXiv:2005.02534).

    Args:
        model: a folder or a name, as of `CrossEncoderReranker`; or what `load_pair_model` opened with ``exits``.
        k: how many of the best have to be right if a request does not say how many it wants.
        caution: what the margins of the exits are multiplied by: the larger, the fewer of the first ``k`` are lost. At
            0 little more than ``k`` documents reach the end.
        exits: what decides: a file that `Exits.save` wrote, or an `Exits`. By default those that come with secondpass,
            which are for the embedded reranker.
        activation: as of `CrossEncoderReranker`, like all that follow.
        long_documents: see there. Among windows fewer leave, as those of one document may be the best ones.
        keep_tokens: see there.
        progress: see there.
        smoke_test: see there.
        on_foreign: see there.
        loading: see there; the model has to run as a fused graph, by ONNX Runtime or OpenVINO.

    Attributes:
        pair_model: the loaded `OnnxPairModel`.

    Raises:
        ModelError: the model can't be found, read or used, or does not run as a fused graph.
        ConfigError: a setting is out of range, no exits come with the model, or they are those of another one.
    """

    registry_name: ClassVar[str] = "progressive"
    pointwise = False
    pair_model: OnnxPairModel

    def __init__(
        self,
        model: str | os.PathLike[str] | PairModel = "ms-marco-MiniLM-L12-v2",
        *,
        k: int = 10,
        caution: float = 1.0,
        exits: Exits | str | os.PathLike[str] | None = None,
        activation: Literal["identity", "sigmoid"] = "identity",
        long_documents: LongDocuments = "windows",
        keep_tokens: int = 0,
        progress: bool = False,
        smoke_test: bool = True,
        on_foreign: Literal["keep", "score", "raise"] = "keep",
        **loading: Unpack[LoadSettings],
    ) -> None:
        self.k, self.caution, self.exits = k, caution, exits
        check(self, k=Whole(at_least=1, unit="documents"), caution=NOT_NEGATIVE)
        if not isinstance(exits, Exits | str | os.PathLike | None):
            raise ConfigError(f"ProgressiveReranker: exits is a file or an Exits, not {type(exits).__name__}")
        self._exits = Exits.load(exits) if isinstance(exits, str | os.PathLike) else exits
        super().__init__(
            model,
            activation=activation,
            long_documents=long_documents,
            keep_tokens=keep_tokens,
            progress=progress,
            smoke_test=smoke_test,
            on_foreign=on_foreign,
            **loading,
        )

    def _loaded(self, model: str | PairModel) -> OnnxPairModel:
        if isinstance(model, PairModel):
            if not (isinstance(model, OnnxPairModel) and model.exits):
                raise ConfigError(
                    "ProgressiveReranker: the model is loaded already, and can't stop between its layers; give its "
                    "name, or open it by load_pair_model(name, exits=...)"
                )
            self._exits = self._exits_of(model.files)
            if self._exits.layers != model.exits:
                raise ConfigError(
                    f"ProgressiveReranker: the exits stand behind the layers {self._exits.layers}, and the model was "
                    f"opened with {model.exits}"
                )
            return model
        files = find_model(model, "rerank", **where_and_how(self.loading)[0])
        self._exits = self._exits_of(files)
        opened = load_pair_model(model, exits=self._exits.layers, **self.loading)
        assert isinstance(opened, OnnxPairModel)  # all others refuse exits
        return opened

    def _exits_of(self, files: ModelFiles) -> Exits:
        if self._exits is not None:
            self._exits.check(files)
            return self._exits
        ready = Exits.ready(files)
        if ready is None:
            raise ConfigError(
                f"no exits come with secondpass for {files.name}: fit them in a minute, by "
                f"secondpass.learn.progressive.fit_exits, and pass them as exits=..."
            )
        return ready

    @property
    def fingerprint(self) -> str:
        """The identity of the weights and the exits, and of all settings that can change a score."""
        return digest([super().fingerprint, self._known_exits.fingerprint, self.k, self.caution])

    @property
    def _known_exits(self) -> Exits:
        assert self._exits is not None  # the model was opened with them
        return self._exits

    def _read(self, requests: Sequence[Request]) -> list[Scores]:
        return super()._read([replace(request, k=request.k or self.k) for request in requests])

    def _scored(self, model: PairModel, requests: Sequence[Request], kept: KeptTokens | None) -> list[Scores]:
        exits = self._known_exits
        races = [Race(request.query, request.texts, request.k or self.k) for request in requests]
        most = _STATES // (4 * exits.hidden_size)
        with progress_bar(sum(len(race.pairs) for race in races), "pair", self.progress) as advance:
            for heat in heats(races, model.tokenizer.max_length, most):
                check_cancelled()
                run_heat(self.pair_model, exits, heat, caution=self.caution, kept_tokens=kept)
                advance(sum(len(indices) for _, indices in heat))
        return [self._scores_of(race) for race in races]

    def _scores_of(self, race: Race) -> Scores:
        output, left_after = race.output()
        logits = output.logits[:, 0].astype(np.float64)
        values = logits if self.activation == "identity" else sigmoid(logits)
        scores = self._scores(values, output, slice(None), self.pair_model.tokenizer.max_length)
        left = {f"left_after_{layer}": int((left_after == layer).sum()) for layer in self._known_exits.layers}
        counts = {**scores.trace.counts, **left, "finished": int((left_after == 0).sum())}
        explanations = {**scores.explanations, "left_after": [layer or None for layer in left_after.tolist()]}
        return Scores(scores.values, explanations, replace(scores.trace, counts=counts))

    def __repr__(self) -> str:
        return f"ProgressiveReranker({self.pair_model.name!r})"
