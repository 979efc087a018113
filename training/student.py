"""Trains a smaller reranker to give the embedded one's logits: ``python -m training.student KIND... --out DIR``.

Each KIND is one of `training.exits`: ``man``, or files of JSON lines with commas between them; ``--questions`` are
further queries, one a line, that are asked of the documents of all kinds. Nobody needs to have judged anything.

The student begins as the first layers of its teacher, with the embeddings, which stay as they are, and its logits have
to be the teacher's, which scores each pair as its turn comes. `secondpass.learn.distil` is for some thousand pairs,
scored beforehand; this is for many, in bfloat16 on threads that don't wait for each other. It is stopped, started again
and ended as `training.longrun` is.

Needs: pip install "secondpass[train,embedded,bm25]"
"""

import argparse
import json
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch.nn.functional import smooth_l1_loss

from secondpass.learn.distillation import fewer_layers
from secondpass.learn.progressive import Unlabelled, unlabelled_requests
from secondpass.models.backends.load import load_pair_model
from secondpass.models.backends.onnx import OnnxPairModel
from training.exits import MODEL, kinds_of, requests_of
from training.longrun import Settings, Trainer, add_arguments, go_on

__all__ = ["Asked", "StudentTrainer", "main", "requests_of_kinds"]

_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A query and a document."""

    query: str
    document: str


class StudentTrainer(Trainer):
    """A student in training, beside its teacher."""

    head: ClassVar[dict[str, Any]] = {}
    cut: ClassVar[str] = "longest_first"

    def __init__(self, teacher: str, start: Path, pairs: Sequence[Asked], out: Path, settings: Settings) -> None:
        super().__init__(start, pairs, out, settings)
        found = load_pair_model(teacher, backend="onnx", max_length=settings.max_length)
        assert isinstance(found, OnnxPairModel)
        self.teacher = found

    def still(self) -> list[torch.nn.Module]:
        """Return the parts of the model that stay as they are: all of the embeddings among them."""
        return [*super().still(), self.model.base_model.embeddings]

    def taught(self, pairs: Sequence[Asked]) -> torch.Tensor:
        """Return the teacher's logits, shape (n,)."""
        batches = [self.teacher.tokenizer.pair_batch([tokens]) for tokens in self.teacher.tokenized(pairs)[0]]
        return torch.tensor([float(self.teacher.session.run(batch)[0, 0]) for batch in batches])

    def groups(self) -> Iterator[list[Asked]]:
        """Yield single pairs, in an order that is new in each round."""

        def endless() -> Iterator[list[Asked]]:
            for number in range(10**9):
                order = random.Random(f"{self.settings.seed} {number}").sample(range(len(self.pairs)), len(self.pairs))
                yield from ([self.pairs[at]] for at in order)

        return islice(endless(), self.position, None)

    def texts(self, pair: Asked) -> tuple[str, str]:
        """Return the query and the document."""
        return pair

    def loss(self, inputs: dict[str, torch.Tensor], pairs: Sequence[Asked]) -> torch.Tensor:
        """Return the summed loss."""
        found = self.working(**inputs).logits[:, 0].float()
        return smooth_l1_loss(found, self.taught(pairs), reduction="sum")


def requests_of_kinds(
    kinds: Sequence[str], questions: Sequence[str], n_queries: int, draw: random.Random
) -> Iterator[Unlabelled]:
    """Yield queries of each kind with candidates of that kind, and questions with candidates of all of them."""
    everything: list[str] = []
    for name, texts in kinds_of(kinds, draw):
        everything += texts[0]
        n = min(n_queries, len(set(texts[0])), 2 * len(set(texts[1])))
        _log.info("%s: %d documents, %d queries", name[:60], len(texts[0]), n)
        yield from requests_of(texts, draw, n)
    if questions:
        yield from unlabelled_requests(questions, list(dict.fromkeys(everything)), seed=draw.randrange(1000))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", help="man, or files of JSON lines with commas between them")
    parser.add_argument("--pairs", type=Path, required=True, help="where queries with documents are, or are written")
    parser.add_argument("--questions", type=Path, help="further queries, one a line")
    parser.add_argument("--queries", type=int, default=1500, help="of each kind, with 20 candidates each")
    parser.add_argument("--start", type=Path, required=True, help="where the student's beginning is, or is written")
    parser.add_argument("--teacher", default=MODEL, help="a name or a folder")
    parser.add_argument("--layers", type=int, default=6)
    add_arguments(parser)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    draw = random.Random(asked.seed)  # no secret
    if not asked.pairs.is_file():
        questions = asked.questions.read_text(encoding="utf-8").splitlines() if asked.questions else []
        requests = requests_of_kinds(asked.kinds, questions, asked.queries, draw)
        rows = [json.dumps([query, text]) for query, texts in requests for text in texts]
        asked.pairs.write_text("\n".join(draw.sample(rows, len(rows))) + "\n", encoding="utf-8")
    pairs = [Asked(*json.loads(line)) for line in asked.pairs.read_text(encoding="utf-8").splitlines()]
    _log.info("%d pairs", len(pairs))
    if not asked.start.is_dir():
        fewer_layers(asked.teacher, asked.start, asked.layers, keep="first")
    settings = Settings(learning_rate=asked.learning_rate, max_length=128, seed=asked.seed, frozen=asked.frozen)
    go_on(StudentTrainer(asked.teacher, asked.start, pairs, asked.out, settings), asked)


if __name__ == "__main__":
    main()
