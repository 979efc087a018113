r"""Trains the verifier's model with fewer layers: ``python -m training.shorter --pairs FILE --teacher NAME --out DIR``.

The student begins as some of its teacher's layers, with the embeddings and the head, and learns both the labels of the
pairs and what the teacher makes of them. Behind nine of its twelve layers the teacher has all but made up its mind: a
linear function of what stands there gives its log-odds with an R2 of .98, and of .80 behind eight. It is stopped,
started again and ended as `training.longrun` is.

Needs: pip install "secondpass[train]"
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import kl_div, log_softmax

from secondpass.learn.distillation import fewer_layers
from secondpass.models.backends.load import load_pair_model
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.tokens import Batch
from training.longrun import Settings, Trainer, add_arguments, go_on, loss_of
from training.mixing import load

__all__ = ["LAYERS", "ShorterTrainer", "main"]

LAYERS = tuple(range(9))
"""The teacher's layers, from 0, that are kept."""

_TEMPERATURE = 2.0  # at 1, what a pair is that is surely neutral would teach next to nothing
_LABELS, _TEACHER = 0.5, 2.0  # weights of the two losses


class ShorterTrainer(Trainer):
    """A student in training, beside its teacher."""

    def __init__(self, teacher: str, start: Path, pairs: Sequence[Any], out: Path, settings: Settings) -> None:
        super().__init__(start, pairs, out, settings)
        found = load_pair_model(teacher, task="nli", backend="onnx")
        assert isinstance(found, OnnxPairModel)
        self.teacher = found

    def taught(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the teacher's logits, shape (n, labels); it reads each pair alone."""
        rows = []
        for at, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
            alone = {name: each[at : at + 1, :length].numpy() for name, each in inputs.items()}
            rows.append(torch.from_numpy(self.teacher.session.run(Batch(**alone))))
        return torch.cat(rows)

    def loss(self, inputs: dict[str, torch.Tensor], pairs: Sequence[Any]) -> torch.Tensor:
        """Return the summed loss: of the labels, and of the distance to the teacher's probabilities."""
        logits = self.working(**inputs).logits.float()
        wanted = log_softmax(self.taught(inputs) / _TEMPERATURE, dim=1)
        found = log_softmax(logits / _TEMPERATURE, dim=1)
        distance = kl_div(found, wanted, reduction="sum", log_target=True) * _TEMPERATURE**2
        return _LABELS * loss_of(logits, pairs, self.settings) + _TEACHER * distance


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="what training.mixing.save wrote")
    parser.add_argument("--teacher", default="secondpass-nli-minilm", help="a name or a folder")
    parser.add_argument("--layers", type=int, nargs="+", default=LAYERS, help="of the teacher, from 0, that are kept")
    parser.add_argument("--start", type=Path, required=True, help="where the student's beginning is, or is written")
    add_arguments(parser)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    if not asked.start.is_dir():
        fewer_layers(asked.teacher, asked.start, asked.layers)
    settings = Settings(learning_rate=asked.learning_rate, seed=asked.seed, frozen=asked.frozen)
    go_on(ShorterTrainer(asked.teacher, asked.start, load(asked.pairs), asked.out, settings), asked)


if __name__ == "__main__":
    main()
