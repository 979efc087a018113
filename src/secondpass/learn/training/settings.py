"""How a model is trained: the settings, and what is a good choice of them for how much data there is."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from secondpass.errors import ConfigError
from secondpass.validation import SHARE, Constraint, Number, OneOf, Whole, check, nearest

__all__ = ["LossName", "TrainSettings", "TrainTask", "preset"]

TrainTask = Literal["rerank", "nli", "embed"]
"""What is trained: a cross-encoder that ranks, one that tells entailment, or a bi-encoder."""

LossName = Literal[
    "binary-cross-entropy",
    "margin-mse",
    "lambda",
    "list-net",
    "multiple-negatives",
    "cross-entropy",
    "contrastive",
    "triplet",
]

_SMALL, _LARGE = 1_000, 20_000  # examples, between which a set is of middling size


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train. `preset` has good ones for how many examples there are.

    Args:
        loss: what is minimised; by default what fits the labels: see `secondpass.learn.training.losses`.
        epochs: how often each example is seen.
        batch: examples of a step, over all processes; how many of them are computed at a time is found by what fits
            into memory, and changes nothing.
        learning_rate: the highest, of the topmost layer.
        warm_up: share of the steps in which it rises; it falls to 0 afterwards.
        weight_decay: of AdamW.
        layer_decay: what the learning rate of each layer is that of the layer above multiplied by; 1 for the same rate
            everywhere (discriminative rates: Howard and Ruder 2018, arXiv:1801.06146).
        frozen_layers: how many layers, from the bottom, are left as they are; the embeddings with them.
        max_length: tokens of a text or a pair; longer ones are cut.
        dropout: share of activations that are left out in training; 0 if two processes are to equal one.
        precision: ``bfloat16`` or ``float16`` for mixed precision; ``auto`` for bfloat16 where the hardware computes
            in it.
        evaluations: how often the dev set is measured, and what was reached saved.
        patience: measurements without a better one, after which training ends; 0 for never.
        negatives: of each positive example, at most, for losses of tuples.
        matryoshka: sizes that a bi-encoder's vectors may be cut to and still work (Kusupati et al. 2022,
            arXiv:2205.13147); none for none.
        query_prefix: what a bi-encoder reads before a query, and its trained version will expect.
        document_prefix: likewise, before a document.
        seed: of the order of examples, dropout and new heads.

    Raises:
        ConfigError: a setting is out of range.
    """

    loss: LossName | Literal["auto"] = "auto"
    epochs: int = 2
    batch: int = 32
    learning_rate: float = 2e-5
    warm_up: float = 0.1
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    frozen_layers: int = 0
    max_length: int = 256
    dropout: float = 0.1
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    evaluations: int = 5
    patience: int = 2
    negatives: int = 4
    matryoshka: tuple[int, ...] = ()
    query_prefix: str = ""
    document_prefix: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "matryoshka", tuple(self.matryoshka))
        check(self, **_CONSTRAINTS)
        for at, size in enumerate(self.matryoshka):
            Whole(at_least=1).checked(size, f"TrainSettings: matryoshka[{at}]")
        for name in ("query_prefix", "document_prefix"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(f"TrainSettings: {name} must be a text, such as 'query: '")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self) | {"matryoshka": list(self.matryoshka)}

    @classmethod
    def of(cls, data: "dict[str, Any] | TrainSettings") -> "TrainSettings":
        """Return the settings of plain data.

        Raises:
            ConfigError: a name is unknown, or a value out of range.
        """
        if isinstance(data, TrainSettings):
            return data
        known = [field.name for field in fields(cls)]
        for name in data:
            if name not in known:
                raise ConfigError(f"TrainSettings has no setting {name!r}{nearest(name, known)}")
        return cls(**data)


def preset(n_examples: int, task: TrainTask = "rerank", **settings: Any) -> TrainSettings:
    """Return settings for how many examples there are.

    Little data is seen more often, in small steps, with the lower half of the layers learning slowly: what the model
    knows from before is worth more than what a few hundred examples can teach.

    Args:
        n_examples: pairs of a query and a text.
        task: what is trained.
        settings: what is set otherwise.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    if n_examples < _SMALL:
        chosen = TrainSettings(epochs=4, batch=16, learning_rate=2e-5, layer_decay=0.9, evaluations=8, patience=3)
    elif n_examples < _LARGE:
        chosen = TrainSettings(epochs=2, batch=32, learning_rate=2e-5, layer_decay=0.95)
    else:
        chosen = TrainSettings(epochs=1, batch=64, learning_rate=3e-5, evaluations=10, patience=3)
    if task == "embed":  # in-batch negatives: the larger the batch, the more there are
        chosen = replace(chosen, batch=2 * chosen.batch)
    return TrainSettings.of(chosen.to_dict() | settings)


_CONSTRAINTS: dict[str, Constraint[Any]] = {
    "loss": OneOf("auto", *LossName.__args__),  # type: ignore[attr-defined]
    "epochs": Whole(at_least=1),
    "batch": Whole(at_least=1),
    "learning_rate": Number(above=0, at_most=1),
    "warm_up": SHARE,
    "weight_decay": Number(at_least=0),
    "layer_decay": Number(above=0, at_most=1),
    "frozen_layers": Whole(at_least=0),
    "max_length": Whole(at_least=8),
    "dropout": Number(at_least=0, below=1),
    "precision": OneOf("auto", "float32", "bfloat16", "float16"),
    "evaluations": Whole(at_least=1),
    "patience": Whole(at_least=0),
    "negatives": Whole(at_least=1),
    "seed": Whole(at_least=0),
}
