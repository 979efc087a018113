"""Which arm a unit belongs to: for good, in the right shares, and by weights that are checked."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.composition import experiment_unit
from secondpass.composition.experiment.assignment import Allocation, checked_weights, current_unit, unit_hash

_WEIGHTS = {"control": 70.0, "b": 20.0, "c": 10.0}


def test_a_unit_stays_in_its_arm_and_arms_have_their_shares() -> None:
    """Of 20,000 units, each arm has its share to within a percent, and a second look finds the same."""
    allocation = Allocation(_WEIGHTS)
    arms = [allocation.arm_of(unit_hash("e", f"user {at}")) for at in range(20_000)]
    assert arms == [allocation.arm_of(unit_hash("e", f"user {at}")) for at in range(20_000)]
    for arm, weight in _WEIGHTS.items():
        assert abs(arms.count(arm) / 200 - weight) < 1


def test_experiments_are_independent_of_each_other() -> None:
    """Half of the treated units of one experiment are treated in another one."""
    allocation = Allocation({"control": 50.0, "treatment": 50.0})
    both = [
        [allocation.arm_of(unit_hash(name, f"user {at}")) == "treatment" for name in ("first", "second")]
        for at in range(10_000)
    ]
    assert abs(sum(first == second for first, second in both) / 10_000 - 0.5) < 0.02


@given(st.lists(st.integers(0, 100), min_size=2, max_size=6, unique=True), st.integers(0, 2**64 - 1))
def test_a_ramp_only_moves_units_to_the_treatment(shares: list[int], hashed: int) -> None:
    """While the control shrinks, no unit comes back to it."""
    arms = [
        Allocation({"control": 100.0 - share, "treatment": float(share)}).arm_of(f"{hashed:016x}")
        for share in sorted(shares)
    ]
    assert all((before, after) != ("treatment", "control") for before, after in pairwise(arms))


@given(st.integers(0, 2**64 - 1))
def test_an_arm_without_weight_has_no_unit(hashed: int) -> None:
    """Nor has any but the control, after a rollback."""
    assert Allocation({"control": 0.0, "b": 100.0, "c": 0.0}).arm_of(f"{hashed:016x}") == "b"
    assert Allocation({"control": 0.0, "b": 100.0}, rollback=True).arm_of(f"{hashed:016x}") == "control"


def test_the_unit_of_a_block_holds_in_it_alone() -> None:
    """In threads and tasks that are started with the context, too; blocks nest."""

    async def in_task() -> str | None:
        return await asyncio.to_thread(current_unit)

    with experiment_unit("outer"):
        with experiment_unit("inner"):
            assert current_unit() == "inner" and asyncio.run(in_task()) == "inner"
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(copy_context().run, current_unit).result() == "inner"
        assert current_unit() == "outer"
    assert current_unit() is None


@pytest.mark.parametrize("unit", ["", None, 3])
def test_a_unit_is_a_text(unit: object) -> None:
    """Anything else would be somebody else's mistake later on."""
    with pytest.raises(sp.InputError, match="a unit is a text"), experiment_unit(unit):  # type: ignore[arg-type]
        pass


def test_calls_that_share_a_batch_keep_their_units() -> None:
    """Threads and tasks that share the thread of a `CoalescingReranker` are answered by the arms of their own units."""
    test = sp.ABTestReranker({"control": "fake", "treatment": "fake"}, name="shared")
    units = [f"user {at}" for at in range(32)]

    def in_thread(unit: str) -> str:
        with experiment_unit(unit):
            return str(shared.rerank("copy a file", ["copy", "move"])[0].explanation["arm"])

    async def in_task(unit: str) -> str:
        with experiment_unit(unit):
            return str((await shared.arerank("copy a file", ["copy", "move"]))[0].explanation["arm"])

    async def in_tasks() -> list[str]:
        return await asyncio.gather(*map(in_task, units))

    expected = [test.arm_of(unit) for unit in units]
    with sp.CoalescingReranker(test) as shared, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(in_thread, units)) == expected == asyncio.run(in_tasks())
    assert set(expected) == {"control", "treatment"}


def test_the_unit_of_a_request_comes_before_that_of_the_block() -> None:
    """It goes with parts of the request as well, and is a text."""
    test = sp.ABTestReranker({"control": "fake", "treatment": "fake"}, name="own")
    users = [f"user {at}" for at in range(20)]
    with experiment_unit("nobody"):
        rankings = test.rerank_many([sp.Request("copy", ["a", "b"], unit=user).subset([1, 0]) for user in users])
    assert [ranking[0].explanation["arm"] for ranking in rankings] == [test.arm_of(user) for user in users]
    with pytest.raises(sp.InputError, match="unit must be a str that is not empty, or None, not 3"):
        sp.Request("copy", ["a"], unit=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"control": 50, "treatment": 40}, "weights must sum to 100, and {'control': 50, 'treatment': 40} sum to 90"),
        ({"control": 100}, "weights must be a mapping with a weight for each of the arms: control, treatment"),
        ({"control": 120, "treatment": -20}, "the weight of 'control' must be a number between 0 and 100, not 120"),
        ([50, 50], "weights must be a mapping with a weight for each of the arms"),
        ({"control": "50", "treatment": 50}, "write the number without quotes"),
    ],
)
def test_weights_are_checked(weights: object, said: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(sp.ConfigError, match=re.escape(said)):
        checked_weights(weights, {"control": 0, "treatment": 0}, "ABTestReranker")
    assert checked_weights({"treatment": 200 / 3, "control": 100 / 3}, {"control": 0, "treatment": 0}, "o") == {
        "control": 100 / 3,
        "treatment": 200 / 3,
    }
