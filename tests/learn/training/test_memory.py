"""How much of a batch fits into memory."""

import pytest

torch = pytest.importorskip("torch")

from secondpass.learn.training.memory import free_memory, part_size  # noqa: E402


def test_the_largest_part_that_fits() -> None:
    """What is kept for the backward pass is counted, and the part is the largest divisor of the batch within it."""
    weights = torch.ones(100, requires_grad=True)
    made = []

    def forward(n: int) -> object:
        made.append(n)
        return torch.exp(weights.expand(n, 100)).sum()  # keeps its result: 400 bytes an example

    assert part_size(12, forward, free=5 * 400) == 4
    assert part_size(12, forward, free=100 * 400) == 12
    assert part_size(12, forward, free=0) == 1
    assert made == [2, 2, 2]


def test_free_memory_is_of_this_machine() -> None:
    """It is a number of bytes between a megabyte and a petabyte."""
    assert 1 << 20 < free_memory() < 1 << 50
