"""NLI models: does a text (the premise) say what a sentence (the hypothesis) says?"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

import numpy as np
import numpy.typing as npt

from secondpass.config import Configured, digest
from secondpass.errors import InputError, ModelFormatError
from secondpass.logistic import FloatArray, softmax
from secondpass.models.backends.load import LoadSettings, check_loading, load_pair_model
from secondpass.models.pair import PairModel
from secondpass.models.sources.resolve import model_name
from secondpass.types import well_formed

__all__ = ["LABELS", "NliModel", "NliOutput", "entailment_columns"]

LABELS = ("entailment", "neutral", "contradiction")
"""The order of the columns of an `NliOutput`."""

_ENTAILMENT, _NEUTRAL, _CONTRADICTION = range(3)
# What checkpoints call them, in small letters with one space between words; a 2 or 3 of a data set's numbering is none.
_NAMES = {
    **dict.fromkeys(("entailment", "entail", "entails", "entailed"), _ENTAILMENT),
    **dict.fromkeys(("supports", "support", "supported", "consistent", "factual", "attributable"), _ENTAILMENT),
    **dict.fromkeys(("neutral", "not enough info", "not enough information", "nei"), _NEUTRAL),
    **dict.fromkeys(("contradiction", "contradict", "contradicts", "contradicted"), _CONTRADICTION),
    **dict.fromkeys(("refutes", "refute", "refuted"), _CONTRADICTION),
}
# Of heads with two labels: all that is not entailment, whether contradicted or not said at all.
_REST = frozenset(
    {
        *("not entailment", "not entailed", "non entailment", "unsupported", "not supported", "inconsistent"),
        *("not consistent", "not attributable", "hallucinated", "hallucination"),
    }
)
# Premise, and hypotheses that it entails, contradicts and does not speak of.
_PROBES = (
    (
        "The bridge was built in 1932 by a Danish company.",
        "The bridge was built in 1932.",
        "The bridge was built in 1987.",
        "The museum sells coffee and cake.",
    ),
    (
        "The shop is closed on Sundays, and open on all other days.",
        "On Sundays the shop is closed.",
        "The shop is open on Sundays.",
        "Her brother plays the violin.",
    ),
    (
        "Marie Curie won two Nobel Prizes.",
        "Marie Curie won two Nobel Prizes.",
        "Marie Curie never won a Nobel Prize.",
        "The train to Leeds leaves at nine.",
    ),
    (
        "All of the passengers survived the crash.",
        "The passengers survived the crash.",
        "None of the passengers survived the crash.",
        "The recipe needs two eggs and some flour.",
    ),
)
_MARGIN = 0.1  # of the mean probability; a useful model has 0.5 to 0.9 here, an untrained head hundredths


@dataclass(frozen=True, slots=True)
class NliOutput:
    """The output of an `NliModel` for pairs, one row or entry for each, in their order.

    Attributes:
        probabilities: shape (n_pairs, 3), float64, in the order of `LABELS`; each row sums to 1.
        n_tokens: tokens that the model read for the pair, shape (n_pairs,), int64.
        truncated: whether the premise and the hypothesis were cut to fit, shape (n_pairs, 2), bool.
        repeated: whether the same pair stood before it, and so was not scored again, shape (n_pairs,), bool.
        logits: what the softmax was taken of, shape (n_pairs, 3), float64; -inf for a label that the head lacks. The
            logarithm of the probabilities if none are given.
    """

    probabilities: FloatArray
    n_tokens: npt.NDArray[np.int64]
    truncated: npt.NDArray[np.bool_]
    repeated: npt.NDArray[np.bool_]
    logits: FloatArray = None  # type: ignore[assignment]  # __post_init__ fills it in

    def __post_init__(self) -> None:
        if self.logits is None:
            with np.errstate(divide="ignore"):
                object.__setattr__(self, "logits", np.log(self.probabilities))

    def __len__(self) -> int:
        return len(self.probabilities)


class NliModel(Configured):
    """A model that says whether a premise entails a hypothesis, contradicts it, or neither (Bowman et al. 2015).

    The labels are found by their names, never by their positions: entailment, neutral, contradiction; SUPPORTS,
    REFUTES, NOT ENOUGH INFO; and, of heads that only tell entailment from the rest, entailment / not_entailment,
    supported / unsupported, consistent / inconsistent. The rest then stands under ``neutral``, and
    ``contradiction`` is 0. A head with one output called by a name of entailment is put through the logistic
    function. Identical pairs are scored once. Safe to share between threads, and to pickle.

    Args:
        model: a folder, a name from the catalogue, a repository on the Hugging Face hub, or a `PairModel`.
        smoke_test: run a few pairs when loading, and refuse a model that does not tell what is entailed from
            what is not; switch it off for a model that does not read English.
        settings: see `LoadSettings`.

    Attributes:
        pair_model: the loaded `PairModel`.
        has_contradiction: whether the head has a label for contradiction.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "nli"

    def __init__(
        self,
        model: str | os.PathLike[str] | PairModel = "secondpass-nli-minilm",
        *,
        smoke_test: bool = True,
        **settings: Unpack[LoadSettings],
    ) -> None:
        check_loading(settings, LoadSettings, NliModel, loaded=isinstance(model, PairModel))
        self.model = model if isinstance(model, PairModel) else model_name(model)
        self.settings, self.smoke_test = settings, smoke_test
        self.pair_model: PairModel = (
            self.model if isinstance(self.model, PairModel) else load_pair_model(self.model, task="nli", **settings)
        )
        self._columns = entailment_columns(self.pair_model.labels, self.pair_model.name)
        if smoke_test:
            self._check_order()

    @property
    def name(self) -> str:
        """What the model is called in messages and configurations."""
        return self.pair_model.name

    @property
    def has_contradiction(self) -> bool:
        """Whether the head has a label for contradiction; else that column is 0."""
        return _CONTRADICTION in self._columns

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a probability."""
        return digest(["nli", self.pair_model.fingerprint, list(self._columns)])

    def run(self, pairs: Sequence[tuple[str, str]], *, progress: bool = False) -> NliOutput:
        """Score pairs of a premise and a hypothesis; the two together should fit into the model.

        What does not fit is cut (the longer one first), and is marked in ``truncated``.

        Args:
            pairs: premise and hypothesis; a lone surrogate in them is read as U+FFFD.
            progress: show a bar if it takes longer than a second.

        Raises:
            InputError: a pair is not two strings.
            OutOfMemoryError: a single pair does not fit into memory.
            ScoringError: the backend failed; its own error is the cause.
        """
        output = self.pair_model.run([_checked_pair(pair, at) for at, pair in enumerate(pairs)], progress=progress)
        logits = np.full((len(output.logits), len(LABELS)), -np.inf)
        logits[:, list(self._columns)] = output.logits
        if len(self._columns) == 1:  # one output is the log odds of entailment
            logits[:, _NEUTRAL] = 0.0
        return NliOutput(softmax(logits), output.n_tokens, output.truncated, output.repeated, logits)

    def _check_order(self) -> None:
        pairs = [(premise, hypothesis) for premise, *hypotheses in _PROBES for hypothesis in hypotheses]
        means = self.run(pairs).probabilities.reshape(len(_PROBES), 3, len(LABELS)).mean(axis=0)
        entailed, contradicted, unrelated = means[:, _ENTAILMENT]
        labels = ", ".join(self.pair_model.labels)
        if not entailed - (contradicted + unrelated) / 2 > _MARGIN:
            raise ModelFormatError(
                f"{self.name} gives sentences that a text entails {entailed:.3f} for entailment on average, and those "
                f"that it contradicts or says nothing of {contradicted:.3f} and {unrelated:.3f}: it is not an NLI "
                f"model, its labels ({labels}) are named wrongly, or it does not read English; pass "
                f"smoke_test=False for the last"
            )
        contradicted, unrelated = means[1:, _CONTRADICTION]
        if unrelated - contradicted > _MARGIN:
            raise ModelFormatError(
                f"{self.name} gives unrelated sentences {unrelated:.3f} for contradiction on average, and contradicted "
                f"ones {contradicted:.3f}: its labels ({labels}) are named wrongly; correct id2label in its config.json"
            )

    def __repr__(self) -> str:
        return f"NliModel({self.name!r})"


def entailment_columns(labels: Sequence[str], name: str = "the model") -> tuple[int, ...]:
    """Return for each output of a head its position in `LABELS`, by the labels' names.

    Args:
        labels: the checkpoint's label names, in the order of its outputs.
        name: what to call the model in errors.

    Raises:
        ModelFormatError: the names don't say which output means what.
    """
    plain = [" ".join(label.lower().replace("_", " ").replace("-", " ").split()) for label in labels]
    columns = tuple(_NAMES.get(label, _NEUTRAL if label in _REST and len(plain) == 2 else -1) for label in plain)
    distinct = len(set(columns)) == len(columns) and -1 not in columns
    if distinct and _ENTAILMENT in columns and len(columns) in (1, 2, 3):
        return columns
    if plain == ["relevance"]:
        raise ModelFormatError(
            f"{name} has one output that is not named, as rerankers have: use it with CrossEncoderReranker. If it is "
            f"the log odds of entailment, name it so: id2label {{'0': 'entailment'}} in its config.json"
        )
    raise ModelFormatError(
        f"{name} has the labels {', '.join(labels)}, which don't say what its outputs mean: an NLI model has "
        f"{', '.join(LABELS)} (or SUPPORTS, REFUTES, NOT ENOUGH INFO), or the two of entailment and not_entailment; "
        f"name them so, as its authors document them, under id2label in its config.json, or register a ModelSpec with "
        f"labels"
    )


def _checked_pair(pair: object, at: int) -> tuple[str, str]:
    if isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str):
        return well_formed(pair[0]), well_formed(pair[1])
    raise InputError(f"pairs[{at}] must be a premise and a hypothesis, both str, not {pair!r:.80}")
