"""Who goes on, who leaves, and what is run at once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from secondpass.models.race import Race, heats


class TestRace:
    def test_those_within_the_margin_of_the_kth_stay(self) -> None:
        """The k best always do; with a margin of nothing also their equals."""
        race = Race("q", ["a", "b", "c", "d"], 2)
        race.logits[:] = [3.0, 2.0, 1.0, -4.0]
        everyone = np.arange(4)
        assert race.staying(everyone, 0.0).tolist() == [True, True, False, False]
        assert race.staying(everyone, 1.0).tolist() == [True, True, True, False]
        race.logits[2] = 2.0
        assert race.staying(everyone, 0.0).tolist() == [True, True, True, False]
        assert Race("q", ["a", "b"], 5).k == 5

    def test_what_ran_before_decides_as_well(self) -> None:
        """Two that finished leave no place for two others; those that left or have not run yet don't count."""
        race = Race("q", ["a", "b", "c", "d", "e"], 2)
        race.logits[:4] = [9.0, 8.0, 1.0, 2.0]
        assert race.staying(np.array([2, 3]), 1.0).tolist() == [False, False]
        race.left_after[:2] = 4
        assert race.staying(np.array([2, 3]), 1.0).tolist() == [True, True]

    def test_those_that_left_come_below_all_others_and_equal_documents_are_equal(self) -> None:
        """Estimates are lowered in their order, as far as it takes, and no further."""
        race = Race("q", ["a", "b", "a", "c", "d", "e"], 1)
        assert [pair[1] for pair in race.pairs] == ["a", "b", "c", "d", "e"]
        race.logits[:] = [1.0, 5.0, 2.0, 4.0, -7.0]
        race.left_after[:] = [0, 2, 0, 2, 4]
        output, left_after = race.output()
        assert left_after.tolist() == [0, 2, 0, 0, 2, 4]
        assert output.repeated.tolist() == [False, False, True, False, False, False]
        np.testing.assert_allclose(output.logits[:, 0], [1.0, 0.999, 1.0, 2.0, 0.998, -7.0], rtol=1e-6)


@given(
    sizes=st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), max_size=6),
    most=st.integers(10, 200),
)
def test_heats_have_every_document_once_and_no_more_than_fits(sizes: list[list[int]], most: int) -> None:
    """In the order of the races; and where a race is cut does not depend on the others."""
    races = [Race("", [f"{at:03d}" + "x" * size for at, size in enumerate(each)], 3) for each in sizes]
    found: dict[int, list[list[int]]] = {at: [] for at in range(len(races))}
    for heat in heats(races, 50, most):
        loads = [min(50, len(race.pairs[index][1])) for race, indices in heat for index in indices]
        assert sum(loads) <= most or len(loads) == 1
        for race, indices in heat:
            found[races.index(race)].append(indices.tolist())
    for at, race in enumerate(races):
        assert [index for part in found[at] for index in part] == list(range(len(race.pairs)))
        assert [indices.tolist() for heat in heats([race], 50, most) for _, indices in heat] == found[at]
