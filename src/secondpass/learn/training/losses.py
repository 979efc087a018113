"""What is minimised: the losses of sentence-transformers, by their names here, and which fits the data."""

from collections.abc import Mapping, Sequence
from typing import Any

from secondpass.errors import ConfigError, InputError
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.training.settings import TrainSettings, TrainTask
from secondpass.validation import nearest

__all__ = ["LOSSES", "chosen_loss", "loss_module"]

LOSSES: Mapping[TrainTask, tuple[str, ...]] = {
    "rerank": ("binary-cross-entropy", "margin-mse", "lambda", "list-net", "multiple-negatives"),
    "nli": ("cross-entropy",),
    "embed": ("multiple-negatives", "contrastive", "triplet", "margin-mse"),
}
"""The losses of each task, the usual one first."""

_TEMPERATURE = 20.0  # of cosines, in losses of in-batch negatives; sentence-transformers' own


def chosen_loss(examples: Sequence[Any], settings: TrainSettings, task: TrainTask) -> str:
    """Return the name of the loss that is asked for, or that fits: a teacher's margins where there are scores.

    Raises:
        ConfigError: the task has no such loss.
        InputError: the examples are of another kind than the task's.
    """
    wanted = LabelledPair if task == "nli" else TrainingExample
    if not all(isinstance(example, wanted) for example in examples):
        raise InputError(f"a model for the task {task!r} learns from a list of {wanted.__name__}")
    if settings.loss != "auto":
        if settings.loss not in LOSSES[task]:
            raise ConfigError(
                f"the task {task!r} has no loss {settings.loss!r}{nearest(settings.loss, LOSSES[task])}; it "
                f"has {', '.join(LOSSES[task])}"
            )
        return settings.loss
    if task != "nli" and all(example.scores is not None for example in examples):
        return "margin-mse"
    if task == "rerank" and not any(example.negatives for example in examples):
        return "multiple-negatives"
    return LOSSES[task][0]


def loss_module(name: str, task: TrainTask, model: Any, settings: TrainSettings, part: int) -> Any:
    """Return the module of a loss.

    Args:
        name: as `chosen_loss` returns it.
        task: what is trained.
        model: the ``CrossEncoder`` or ``SentenceTransformer``.
        settings: of the training.
        part: examples that are computed at a time; the loss of in-batch negatives keeps whole batches together.

    Raises:
        ConfigError: vectors are to be cut to more dimensions than they have.
    """
    builders: dict[str, Any]
    if task != "embed":
        from sentence_transformers.cross_encoder import losses as of_pairs

        from secondpass.learn.training.margins import MarginLists

        builders = {
            "binary-cross-entropy": lambda: of_pairs.BinaryCrossEntropyLoss(model),
            "margin-mse": lambda: MarginLists(model),
            "lambda": lambda: of_pairs.LambdaLoss(model, mini_batch_size=part),
            "list-net": lambda: of_pairs.ListNetLoss(model, mini_batch_size=part),
            "multiple-negatives": lambda: of_pairs.CachedMultipleNegativesRankingLoss(
                model, num_negatives=settings.negatives, mini_batch_size=part
            ),
            "cross-entropy": lambda: of_pairs.CrossEntropyLoss(model),
        }
        return builders[name]()
    from sentence_transformers.sentence_transformer import losses as of_vectors

    builders = {
        "multiple-negatives": lambda: of_vectors.CachedMultipleNegativesRankingLoss(
            model, scale=_TEMPERATURE, mini_batch_size=part
        ),
        "contrastive": lambda: of_vectors.ContrastiveLoss(model),
        "triplet": lambda: of_vectors.TripletLoss(
            model, distance_metric=of_vectors.TripletDistanceMetric.COSINE, triplet_margin=0.3
        ),
        "margin-mse": lambda: of_vectors.MarginMSELoss(model),
    }
    loss = builders[name]()
    if settings.matryoshka:
        if max(settings.matryoshka) > (width := model.get_embedding_dimension()):
            raise ConfigError(
                f"matryoshka has the size {max(settings.matryoshka)}, but the model's vectors have {width} dimensions"
            )
        loss = of_vectors.MatryoshkaLoss(model, loss, matryoshka_dims=list(settings.matryoshka))
    return loss
