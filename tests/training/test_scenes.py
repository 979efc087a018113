"""Scenes as training pairs."""

import random
import re

from training.scenes import from_scenes, read_scenes, slots

SCENE = {
    "scene": "{a} bought {co1} in {y1} and sold it to {co2} in {y2}.",
    "true": ["{co2} bought {co1} from {a}."],
    "wrong": ["{a} bought {co2} in {y1}."],
    "open": ["{a} regretted it."],
    "asked": [{"question": "Did {a} sell {co1}?", "right": ["Yes"], "wrong": ["No"]}],
}


def test_slots_keep_their_order() -> None:
    """Numbers, years and times rise from the first to the third, and names differ."""
    for seed in range(50):
        values = slots(random.Random(seed))
        for slot in ("n", "y", "k"):
            numbers = [int(values[f"{slot}{at}"].replace(",", "")) for at in (1, 2, 3)]
            assert numbers == sorted(set(numbers))
        assert values["t1"] < values["t2"] < values["t3"]
        assert len({values[slot] for slot in ("a", "b", "c", "co1", "co2", "p1", "p2")}) == 7
        assert values["a"].endswith(values["a1"])


def test_a_scene_gives_pairs_of_each_label() -> None:
    """All of a filling share a premise and a group, and a short answer is read with its question."""
    pairs = list(from_scenes([SCENE], random.Random(1), 2))
    assert [pair.label for pair in pairs[:5]].count("entailment") == 2 and len({pair.group for pair in pairs}) == 2
    assert {pair.label for pair in pairs} == {"entailment", "not_entailment", "neutral"}
    assert not any("{" in pair.premise + pair.hypothesis for pair in pairs)
    answers = [pair.hypothesis for pair in pairs if pair.kind == "wrong answer"]
    assert answers and all(re.fullmatch(r".* did not sell .*\.|Did .*\? No", text) for text in answers)


def test_the_scenes_can_be_filled() -> None:
    """Each has all kinds of claims, no slot that is unknown, and no claim that is both right and wrong."""
    known = set(slots(random.Random(0)))
    scenes = read_scenes()
    assert len(scenes) >= 150
    for scene in scenes:
        claims = [*scene["true"], *scene["wrong"], *scene["open"]]
        assert len(claims) == len(set(claims)) >= 10
        assert set(re.findall(r"\{(\w+)\}", " ".join([scene["scene"], *claims]))) <= known
