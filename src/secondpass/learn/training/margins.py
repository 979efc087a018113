"""Margin MSE over whole lists: each document is computed once, and counts against every other one of its query."""

from typing import Any

import numpy as np
import torch
from sentence_transformers.util import batch_to_device

__all__ = ["MarginLists"]

_PART = 16  # pairs of one length, nearly, that are computed together


class MarginLists(torch.nn.Module):
    """The mean square of how far each two documents' margin is from the teacher's (Hofstätter et al. 2020).

    The mean over all pairs of documents of a list is twice the variance of the differences between the model's scores
    and the teacher's, so that no pair has to be laid out: a list of n documents is n forward passes, and not 2 for each
    of its n * (n - 1) / 2 pairs.

    Args:
        model: the ``CrossEncoder``, with one label.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, inputs: list[list[Any]], labels: list[torch.Tensor], prompt: str | None = None, task: str | None = None
    ) -> torch.Tensor:
        """Return the loss of a batch.

        Args:
            inputs: the queries, and a list of documents for each of them.
            labels: for each query, the teacher's scores of its documents.
            prompt: as sentence-transformers passes it on.
            task: likewise.
        """
        queries, lists = inputs
        pairs = [(query, text) for query, texts in zip(queries, lists, strict=True) for text in texts]
        # By length, so that little is computed for padding.
        order = np.argsort([len(query) + len(text) for query, text in pairs], kind="stable")
        scores = []
        for part in np.array_split(order, -(-len(order) // _PART)):
            tokens = self.model.preprocess([pairs[at] for at in part], prompt=prompt, task=task)
            scores.append(self.model(batch_to_device(tokens, self.model.device))["scores"].view(-1).float())
        ordered = torch.cat(scores)[torch.from_numpy(np.argsort(order)).to(self.model.device)]
        wanted = torch.cat(list(labels)).to(ordered)
        off = torch.split(ordered - wanted, [len(texts) for texts in lists])
        return 2 * torch.stack([each.var(correction=0) for each in off]).mean()
