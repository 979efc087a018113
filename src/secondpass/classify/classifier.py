"""Zero-shot classification: by a bi-encoder, an NLI model, a reranker, or several of them."""

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, ClassVar, Literal, Self

import numpy as np

from secondpass.base import in_thread
from secondpass.calibration.selection import Threshold
from secondpass.classify.ensemble import Panel
from secondpass.classify.hierarchy import Node, parsed_tree
from secondpass.classify.hypotheses import checked_labels, checked_wording
from secondpass.classify.kinds import Model, are_bi_encoders, loaded_model, member_of
from secondpass.classify.pipeline import Scored, break_ties, checked_texts, score_texts
from secondpass.classify.thresholds import (
    Thresholds,
    checked_thresholds,
    chosen_label,
    chosen_labels,
    fitted_thresholds,
    threshold_of,
    truths,
)
from secondpass.classify.types import Classification
from secondpass.config import Configured
from secondpass.errors import ConfigError, InputError, SecondPassError
from secondpass.registry import Registry
from secondpass.types import Trace
from secondpass.validation import SHARE, Flag, OneOf, check

__all__ = ["ZeroShotClassifier", "classifiers"]

Labels = Sequence[str] | Mapping[str, Any]

classifiers = Registry("secondpass.classifiers")

_LIKELIER_THAN_NOT = 0.5
_TEMPLATE = "This text is about {}."
_OF_BI_ENCODERS = ("{}", _TEMPLATE)


class ZeroShotClassifier(Configured):
    """Finds which labels a text has, from the labels' words alone (Yin et al. 2019, arXiv:1909.00161).

    The default, a bi-encoder, compares the text's vector with those of the labels, which are made once: a text costs
    one pass, however many labels there are. One label of several: a softmax over the cosines. Several at once
    (``multi_label``): "none of these" is a label more, and each label's probability comes from its share. Both are
    calibrated on sets of several kinds, which hold within about .1 on others (see the documentation).

    An NLI model says how much the text speaks for a sentence that the label becomes ("This text is about
    shipping."), one pass for each label. One label of several: a softmax over the labels' entailment logits. Several
    at once: for each label entailment against contradiction, or against the rest where a model has two labels. These
    are the rules of the zero-shot pipeline of transformers, with labels found by name. They are not calibrated.

    A text that is too long for the model is cut into windows, of which the best counts for each label. All texts,
    labels and windows are scored in one run. Safe to share between threads.

    Args:
        model: a bi-encoder (``"bi-encoder:MODEL"``, a `BiEncoder` or an `EmbeddingModel`); an NLI model (its name
            alone, or an `NliModel`); or any `Reranker` in its place (the sentence is the query, the text the
            document), by name too, as ``"cross-encoder:MODEL"``. Several are an ensemble: their probabilities are
            averaged, and their standard deviation is in `Classification.spread`. What a text is about the default
            tells best; the embedded NLI model (``"secondpass-nli-minilm"``) is made for checking facts.
        labels: what there is to choose from; nested mappings are a tree, which is searched from the top down for the
            path with the highest probability. May be left out and given with each text.
        multi_label: whether several labels may be true of a text, or none.
        template: a sentence with ``{}`` where the label stands; several are averaged. By default "This text is about
            {}.", and for a bi-encoder the bare label beside it.
        hypotheses: whole sentences for a label in place of the template, one or several to be averaged.
        descriptions: what stands in the template in place of a label's name; for a bi-encoder behind it, and a colon.
        calibrate: subtract what the model says about texts without content (contextual calibration, Zhao et al. 2021,
            arXiv:2102.09690), for labels that it favours for any text. Try it on examples: with a reranker, whose
            scores of such texts mean little, it does harm.
        thresholds: the probability that a label has to reach, one for all or one for each; `fit_thresholds` finds
            them. With ``multi_label`` 0.5 by default; else none, and a text whose best label does not reach its
            threshold gets no label. In a tree, where the path's probability counts, the way down ends there.
        margin: how far the best label must be ahead of the next.
        ties: what becomes of labels within the margin: ``abstain``, and choose none; or ``tournament``: up to six of
            them are compared pair by pair ("shipping rather than billing"), and their probabilities reassigned in
            that order. That takes a model which reads the two together: a bi-encoder hardly tells their order.

    Attributes:
        fits_: after `fit_thresholds`, each label's `Threshold` with its precision and recall.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        CompositionError: a reranker's scores can't be compared between labels.
        ConfigError: a setting can't be used.
    """

    registry_name: ClassVar[str] = "zero-shot"

    def __init__(
        self,
        model: Model | Sequence[Model] = "bi-encoder:bge-small-en-v1.5",
        *,
        labels: Labels | None = None,
        multi_label: bool = False,
        template: str | Sequence[str] | None = None,
        hypotheses: Mapping[str, str | Sequence[str]] | None = None,
        descriptions: Mapping[str, str] | None = None,
        calibrate: bool = False,
        thresholds: float | Mapping[str, float] | None = None,
        margin: float | None = None,
        ties: Literal["abstain", "tournament"] = "abstain",
    ) -> None:
        self.multi_label, self.template, self.calibrate = multi_label, template, calibrate
        self.hypotheses, self.descriptions = hypotheses, descriptions
        self.labels = _kept(tuple(hypotheses) if labels is None and isinstance(hypotheses, Mapping) else labels)
        self.thresholds: Thresholds = checked_thresholds(thresholds)
        self.margin, self.ties = margin, ties
        check(self, multi_label=Flag(), calibrate=Flag(), margin=SHARE | None, ties=OneOf("abstain", "tournament"))
        self.fits_: dict[str, Threshold] = {}
        checked_wording(_TEMPLATE if template is None else template, hypotheses, descriptions)
        self._tree = None if self.labels is None else self._parsed(self.labels, ConfigError)
        self._check_settings()
        models = list(model) if isinstance(model, list | tuple) else [model]
        if not models:
            raise ConfigError("ZeroShotClassifier needs at least one model")
        self._models = [loaded_model(each) for each in models]
        self.model = self._models if isinstance(model, list | tuple) else self._models[0]
        bi_encoders = are_bi_encoders(self._models)
        if template is None:
            template = _OF_BI_ENCODERS if bi_encoders else _TEMPLATE
        self._wording = checked_wording(template, hypotheses, descriptions, named=bi_encoders)
        self._panel = Panel([member_of(each, self._wording) for each in self._models], calibrate=self.calibrate)

    def _check_settings(self) -> None:
        if self.ties == "tournament" and self.margin is None:
            raise ConfigError("ties='tournament' needs margin, which says what a near tie is")
        if self.margin is not None and self.multi_label:
            raise ConfigError("margin compares the best label with the next one, so it can't be used with multi_label")
        if self._tree is None:
            return
        known = {node.label for node in self._tree.walk()}
        for name in ("hypotheses", "descriptions", "thresholds"):
            mapping = getattr(self, name)
            unknown = sorted(set(mapping) - known) if isinstance(mapping, Mapping) else []
            if unknown:
                labels = ", ".join(sorted(known))
                raise ConfigError(f"{name} has {unknown[0]!r}, which is not one of the labels: {labels}")

    def classify(self, text: str, labels: Labels | None = None) -> Classification:
        """Choose the labels of a text.

        Args:
            text: what to classify; not empty.
            labels: in place of those of the classifier. Its hypotheses, descriptions and thresholds are used for those
                that have some.

        Raises:
            InputError: the text or a label can't be used.
            ScoringError: a model failed.
        """
        return self.classify_many([text], labels)[0]

    def classify_many(self, texts: Iterable[str], labels: Labels | None = None) -> list[Classification]:
        """Find the labels of many texts in one run of the model; arguments as in `classify`."""
        tree = self._tree if labels is None else self._parsed(labels, InputError)
        if tree is None:
            raise InputError("there are no labels: pass them to the classifier, or with the text")
        start = time.perf_counter()
        opened = (lambda node, probability: probability >= self._threshold(node)) if self.multi_label else None
        scored = score_texts(self._panel, self._wording, checked_texts(texts), tree, self.multi_label, opened)
        if self.ties == "tournament" and self.margin is not None:
            break_ties(self._panel, self._wording, scored, self.margin)
        latency_s = time.perf_counter() - start
        return [self._classification(each, latency_s, deep=tree.is_deep) for each in scored]

    async def aclassify(self, text: str, labels: Labels | None = None) -> Classification:
        """Async version of `classify`, which runs in a worker thread."""
        return (await self.aclassify_many([text], labels))[0]

    async def aclassify_many(self, texts: Iterable[str], labels: Labels | None = None) -> list[Classification]:
        """Async version of `classify_many`, which runs in a worker thread."""
        return await in_thread(self.classify_many, texts, labels)

    def fit_thresholds(
        self, texts: Iterable[str], labels: Sequence[str | Iterable[str] | None], *, beta: float = 1.0
    ) -> Self:
        """Choose each label's threshold by its F-beta score on examples; returns itself.

        Don't use it in other threads meanwhile. Measure it on other examples than these.

        Args:
            texts: the examples.
            labels: what is true of each: a label, several, or None. In a tree, those above it are true as well.
            beta: how many times as much recall counts as precision.

        Raises:
            InputError: an example can't be used, or a label is true of none of them, or of all.
            ConfigError: the classifier has no labels of its own, or beta is not above 0.
        """
        if self._tree is None:
            raise ConfigError("thresholds belong to labels: give the classifier its labels first, as labels=...")
        checked = checked_texts(texts)
        nodes = {node.label: node for node in self._tree.walk()}
        if isinstance(labels, str) or not isinstance(labels, Sequence) or len(checked) != len(labels):
            raise InputError(f"there must be as many labels, or lists of labels, as texts: {len(checked)}")
        true = [frozenset(label for one in each for label in nodes[one].path) for each in truths(labels, list(nodes))]
        scored = score_texts(self._panel, self._wording, checked, self._tree, self.multi_label, lambda *_: True)
        values = np.array([[each.probabilities[node].mean() for node in nodes.values()] for each in scored])
        self.fits_ = fitted_thresholds(values.reshape(len(checked), len(nodes)), true, list(nodes), beta)
        self.thresholds = {label: threshold.value for label, threshold in self.fits_.items()}
        return self

    def _parsed(self, labels: Labels, error: type[SecondPassError]) -> Node:
        least = 1 if self.multi_label else 2
        tree = labels if isinstance(labels, Mapping) else dict.fromkeys(checked_labels(labels, least, error))
        root = parsed_tree(tree, least, error)
        if root.is_deep and self.margin is not None:
            raise error("margin compares the best label with the next one: in a tree of labels, use thresholds")
        return root

    def _threshold(self, node: Node) -> float:
        return threshold_of(self.thresholds, node.label, _LIKELIER_THAN_NOT if self.multi_label else 0.0)

    def _classification(self, scored: Scored, latency_s: float, *, deep: bool) -> Classification:
        means = scored.means()
        if self.multi_label:
            chosen, reason = chosen_labels(means, self._threshold)
        else:
            margin = self.margin if self.ties == "abstain" else None
            chosen, reason = chosen_label(means, self._threshold, margin)
        several = len(self._models) > 1
        return Classification(
            text=scored.text,
            labels=tuple(node.label for node in chosen),
            scores={node.label: probability for node, probability in means.items()},
            multi_label=self.multi_label,
            reason=reason,
            path=chosen[0].path if chosen and deep else (),
            spread={node.label: float(scored.probabilities[node].std()) for node in means} if several else {},
            windows={node.label: scored.windows[node.label] for node in means if node.label in scored.windows},
            trace=Trace(type(self).__name__, latency_s, dict(scored.counts), scored.notes),
        )

    def __repr__(self) -> str:
        models = ", ".join(map(repr, self._models))
        return f"ZeroShotClassifier({f'[{models}]' if isinstance(self.model, list) else models})"


def _kept(labels: Any) -> Any:
    """Return labels so that they can be read more than once; what is not a list is refused later."""
    if isinstance(labels, Set):
        return tuple(sorted(labels, key=str))  # as they are checked
    return tuple(labels) if isinstance(labels, Iterable) and not isinstance(labels, str | bytes | Mapping) else labels
