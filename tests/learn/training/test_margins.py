"""Margin MSE over lists."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("datasets")

from secondpass.learn.training.models import open_model
from secondpass.learn.training.settings import TrainSettings

pytestmark = pytest.mark.slow


def test_it_is_the_mean_over_all_pairs(tiny: Callable[..., Path]) -> None:
    """Lists of any lengths, and more than are computed at a time; each list counts the same."""
    import torch

    from secondpass.learn.training.margins import MarginLists

    model = open_model(tiny(), "rerank", TrainSettings(dropout=0.0)).eval()
    lists = [["the cat is red", "the dog", "a"], ["not the bird " * at for at in range(1, 19)]]
    wanted = [[3.0, 0.5, -2.0], [float(at % 5) for at in range(18)]]
    with torch.no_grad():
        found = MarginLists(model)([["what is the cat", "who is"], lists], [torch.tensor(each) for each in wanted])
    means = []
    for query, texts, targets in zip(["what is the cat", "who is"], lists, wanted, strict=True):
        off = model.predict([(query, text) for text in texts]) - targets
        pairs = [float(one - other) ** 2 for one, other in itertools.product(off, off)]
        means.append(sum(pairs) / len(pairs))

    assert float(found) == pytest.approx(sum(means) / 2, rel=1e-4)
