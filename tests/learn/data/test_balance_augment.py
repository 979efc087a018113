"""Balance changes how often labels come, and augmentation how texts are written; neither changes what is true."""

from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.learn import (
    BackTranslation,
    Deletion,
    LabelledPair,
    LabelledText,
    Swap,
    Synonyms,
    TrainingExample,
    augment,
    oversample,
    sample_weights,
    split,
    undersample,
    weighted_sample,
)

_TEXTS = [LabelledText(f"{label} {at}", label) for label, n in (("common", 30), ("rare", 3)) for at in range(n)]


def _counts(examples: list[LabelledText]) -> dict[str, int]:
    return dict(Counter(example.label for example in examples))


class TestBalance:
    def test_undersampled(self) -> None:
        """No label keeps more than the ratio allows; the order stays."""
        assert _counts(undersample(_TEXTS)) == {"common": 3, "rare": 3}
        kept = undersample(_TEXTS, ratio=2.5, seed=1)
        assert _counts(kept) == {"common": 7, "rare": 3} and kept == [text for text in _TEXTS if text in kept]

    def test_oversampled(self) -> None:
        """Each rare text is repeated equally often, behind the originals."""
        more = oversample(_TEXTS)
        assert _counts(more) == {"common": 30, "rare": 30} and more[:33] == _TEXTS
        assert set(Counter(more[33:]).values()) == {9}
        assert _counts(oversample(_TEXTS, ratio=4)) == {"common": 30, "rare": 8}

    def test_documents_of_a_query_are_thinned(self) -> None:
        """The relevant ones stay, with their scores; a query without any stays as it is."""
        example = TrainingExample("q", tuple("abcdef"), (1, 0, 0, 0, 0, 0), scores=tuple(range(6)))
        lone = TrainingExample("p", ("x", "y"), (0, 0))
        thin, same = undersample([example, lone], ratio=2)
        assert same == lone and thin.positives == ("a",) and len(thin.negatives) == 2 and thin.scores is not None
        assert [example.documents[int(score)] for score in thin.scores] == list(thin.documents)
        with pytest.raises(InputError, match="a TrainingExample has no label of its own"):
            oversample([example])

    def test_weights_make_up_for_numbers(self) -> None:
        """Each label's weights sum to the same, and their mean is 1."""
        weights = sample_weights(["a", "a", "a", "b"])
        np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])
        drawn = Counter(text.label for text in weighted_sample(_TEXTS, 2000))
        assert abs(drawn["rare"] - 1000) < 120
        assert weighted_sample(_TEXTS, 5, weights=[0.0] * 32 + [1.0]) == [_TEXTS[-1]] * 5
        for weights_ in ([1.0], [0.0] * 33, [-1.0] + [1.0] * 32):
            with pytest.raises(InputError, match="weights must be 33 numbers"):
                weighted_sample(_TEXTS, 5, weights=weights_)
        with pytest.raises(InputError, match="labels must be a list"):
            sample_weights([])

    @given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.floats(1, 5))
    def test_ratios_hold_for_all_counts(self, labels: list[str], ratio: float) -> None:
        """Whatever the labels are, none is lost, and none has more than the ratio times another."""
        texts = [LabelledText(str(at), label) for at, label in enumerate(labels)]
        for balanced in (undersample(texts, ratio=ratio), oversample(texts, ratio=ratio)):
            counts = _counts(balanced)
            assert counts.keys() == set(labels) and max(counts.values()) <= ratio * min(counts.values())


class TestAugmentation:
    _EXAMPLE: ClassVar = TrainingExample.of("how do I not copy 3 large files", ["a"], ["b"])

    @pytest.mark.parametrize("augmenter", [Deletion(0.9), Swap(3)])
    def test_what_a_text_hinges_on_stays(self, augmenter: Any) -> None:
        """Words with digits and words that deny are neither left out nor moved."""
        for seed in range(20):
            (_, variant) = augment([self._EXAMPLE], [augmenter], seed=seed)
            words = variant.query.split()
            assert {"not", "3"} <= set(words) <= set(self._EXAMPLE.query.split())
            if isinstance(augmenter, Swap):
                assert (words.index("not"), words.index("3")) == (3, 5) and len(words) == 8

    def test_synonyms_take_turns_with_others(self) -> None:
        """Augmenters are taken in turn; documents and labels stay; a variant that came out before does not count."""
        steps = [Synonyms({"copy": ["duplicate"]}), Deletion()]
        examples = augment([self._EXAMPLE], steps, n=3)
        assert examples[1].query == "how do I not duplicate 3 large files" and len(examples) == 3
        assert {(each.documents, each.labels) for each in examples} == {(("a", "b"), (1.0, 0.0))}

    def test_back_translation_is_a_pair_of_functions(self) -> None:
        """All texts are translated at once; what comes back wrong is named."""
        calls: list[list[str]] = []

        def there(texts: list[str]) -> list[str]:
            calls.append(texts)
            return [text.upper() for text in texts]

        texts = [LabelledText("one text", "x"), LabelledText("two texts", "y")]
        augmented = augment(texts, [BackTranslation(there, lambda found: [text.title() for text in found])])
        assert [each.text for each in augmented[2:]] == ["One Text", "Two Texts"] and calls == [
            ["one text", "two texts"]
        ]
        for wrong in (lambda found: found[:1], lambda found: "text", lambda found: [1, 2]):
            with pytest.raises(InputError, match="BackTranslation: back must return a text for each of 2"):
                augment(texts, [BackTranslation(there, wrong)])  # type: ignore[arg-type]  # that is what is tested

    def test_an_example_and_its_variants_are_not_split(self) -> None:
        """They share a group; a premise is left alone, and so are scores that were of another text."""
        pairs = [LabelledPair(f"premise {at * 7919}", f"it says a lot of things {at}", "neutral") for at in range(20)]
        parts = split(augment(pairs, [Deletion(), Swap()], n=2), dev=0.2, test=0.2, similarity=None)
        sides = [{each.first for each in part} for part in (parts.train, parts.dev, parts.test)]
        assert all(sides) and sum(map(len, sides)) == 20
        scored = TrainingExample("one two three", ("a",), (1,), scores=(0.5,))
        assert [each.scores for each in augment([scored], [Swap()])] == [(0.5,), None]
        (_, variant) = augment([TrainingExample.of("q", ["one two three"], ["x y z"])], [Swap()], part="positive")
        assert variant.positives != ("one two three",) and variant.negatives == ("x y z",)

    def test_settings_are_checked(self) -> None:
        """No augmenters, other things, parts that are not there."""
        for wrong in ([], "swap", [Swap], None):
            with pytest.raises(ConfigError, match="augmenters must be a list"):
                augment([self._EXAMPLE], wrong)  # type: ignore[arg-type]  # that is what is tested
        with pytest.raises(ConfigError, match="part='positive' is for a TrainingExample"):
            augment(_TEXTS, [Swap()], part="positive")
        with pytest.raises(ConfigError, match="share must be a number between 0 and 1, both excluded"):
            Deletion(1.0)
        with pytest.raises(ConfigError, match="there must be a function"):
            BackTranslation("de", "en")  # type: ignore[arg-type]  # that is what is tested
