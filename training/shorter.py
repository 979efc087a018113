r"""Trains the verifier's model with fewer layers: ``python -m training.shorter --pairs FILE --teacher NAME --out DIR``.

The student begins as some of its teacher's layers, with the embeddings and the head, and learns what the teacher makes
of pairs: its log-odds, and the vectors of all tokens behind the layers that both have (Jiao et al. 2020,
arXiv:1909.10351). It reads no labels, which teach it other things than its teacher knows. Behind nine of its twelve
layers the teacher has all but made up its mind: a linear function of what stands there gives its log-odds with an R2 of
.98. Of these nine the third is missed least. What stands before the first layer that is left out stays as it is. The
student is stopped, started again and ended as `training.longrun` is.

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
from secondpass.learn.training.start import checkpoint_of
from training.longrun import Settings, Trainer, add_arguments, for_products, go_on, opened
from training.mixing import load

__all__ = ["LAYERS", "ShorterTrainer", "main"]

LAYERS = tuple(range(9))
"""The teacher's layers, from 0, that are kept."""

_ENTAILMENT, _NEUTRAL, _CONTRADICTION = range(3)  # of LABELS
_TEMPERATURE = 2.0  # at 1, what a pair is that is surely neutral would teach next to nothing
_PROBABILITIES, _LOG_ODDS, _VECTORS = 1.0, 0.5, 4.0  # weights of the three losses


class ShorterTrainer(Trainer):
    """A student in training, beside its teacher.

    Args:
        teacher: the folder of a checkpoint.
        layers: of the teacher, from 0, that the student has.
        start: the folder of the student's checkpoint.
        pairs: whose labels are not read.
        out: where the run is written.
        settings: of it.
    """

    def __init__(
        self, teacher: Path, layers: Sequence[int], start: Path, pairs: Sequence[Any], out: Path, settings: Settings
    ) -> None:
        super().__init__(start, pairs, out, settings)
        found = opened(teacher, **self.head).eval()
        self.teacher = (for_products(found) if settings.bfloat16 else found).requires_grad_(False)
        self.layers = tuple(layers)

    def loss(self, inputs: dict[str, torch.Tensor], pairs: Sequence[Any]) -> torch.Tensor:
        """Return the summed loss: how far probabilities, log-odds and vectors are from the teacher's."""
        with torch.no_grad():
            wanted = self.teacher(**inputs, output_hidden_states=True)
        found = self.working(**inputs, output_hidden_states=True)
        theirs, ours = wanted.logits.float(), found.logits.float()
        softened = (log_softmax(each / _TEMPERATURE, dim=1) for each in (ours, theirs))
        apart = kl_div(*softened, reduction="sum", log_target=True) * _TEMPERATURE**2
        odds = (_log_odds(ours) - _log_odds(theirs)).pow(2).mean(1).sum()
        loss = _PROBABILITIES * apart + _LOG_ODDS * odds
        # Layers before the first that is left out have the teacher's vectors anyhow.
        vectors = [
            _apart(found.hidden_states[own + 1], wanted.hidden_states[layer + 1], inputs["attention_mask"])
            for own, layer in enumerate(self.layers)
            if own != layer
        ]
        return loss + _VECTORS * torch.stack(vectors).mean(0).sum() if vectors else loss


def _log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Return what the verifier goes by: the log-odds of entailment and of contradiction, shape (n, 2)."""
    neutral = logits[:, _NEUTRAL]
    entailed, denied = logits[:, _ENTAILMENT], logits[:, _CONTRADICTION]
    return torch.stack([entailed - torch.logaddexp(neutral, denied), denied - torch.logaddexp(neutral, entailed)], 1)


def _apart(ours: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return how far vectors are apart, as a share of their mean square, for each pair: shape (n,)."""
    square = (ours.float() - theirs.float()).pow(2).mean(2) / theirs.float().pow(2).mean(2)
    return (square * mask).sum(1) / mask.sum(1)


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
    teacher = asked.start.with_name(f"{asked.start.name}-teacher")
    if not teacher.is_dir():
        teacher = checkpoint_of(asked.teacher, teacher)
    alike = next((own for own, layer in enumerate(asked.layers) if own != layer), 0)
    settings = Settings(learning_rate=asked.learning_rate, seed=asked.seed, frozen=max(asked.frozen, alike))
    go_on(ShorterTrainer(teacher, asked.layers, asked.start, load(asked.pairs), asked.out, settings), asked)


if __name__ == "__main__":
    main()
