"""Groups of queries: what can be told from their texts, languages included, and what the user says."""

from typing import Any

import pytest

from secondpass.errors import ConfigError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.groups import OTHERS, query_groups
from secondpass.evaluate.metrics import measure
from secondpass.testing import FakeReranker
from tests.evaluate.example import Opposite, example

_ENGLISH = "The library is open on every day of the week but Sunday, from nine in the morning."
_GERMAN = "Die Bibliothek ist an jedem Tag der Woche außer Sonntag ab neun Uhr morgens geöffnet."


def _dataset(queries: list[str], documents: list[str] | str = _ENGLISH) -> Dataset:
    texts = [documents] * len(queries) if isinstance(documents, str) else documents
    ids = range(len(queries))
    return Dataset.of(
        {f"d{at}": text for at, text in enumerate(texts)},
        {f"q{at}": text for at, text in enumerate(queries)},
        {f"q{at}": {f"d{at}": 1} for at in ids},
        {f"q{at}": [f"d{at}"] for at in ids},
    )


def _right_below(limit: int, dataset: Dataset) -> dict[str, list[str]]:
    """Return a run that is right on the first queries and finds nothing on the others."""
    run = dataset.candidates or {}
    return {query: [*found][::-1] if int(query[1:]) < limit else [*found][:1] for query, found in run.items()}


@pytest.mark.parametrize(
    ("text", "length", "kind"),
    [
        ("opening hours", "up to 3 words", "keywords"),
        ("when is the library open", "4 to 8 words", "question"),
        ("the library, on which days of the week can I go there?", "9 words or more", "question"),
        ("¿cuándo abre la biblioteca", "4 to 8 words", "question"),
        ("TypeError: unsupported operand", "up to 3 words", "code or error"),
        ("os.path.join with spaces in it", "4 to 8 words", "code or error"),
        ("read_csv is slow", "up to 3 words", "code or error"),
        ("The library opens at nine.", "4 to 8 words", "statement"),
        ("isolated keywords", "up to 3 words", "keywords"),
    ],
)
def test_length_and_kind(text: str, length: str, kind: str) -> None:
    """By words, and by what stands in them."""
    # Five of another kind and length beside five of this one, so that both are groups.
    other = "who is it then" if length != "4 to 8 words" else "sing"
    groups = query_groups(_dataset([text] * 5 + [other] * 5))
    assert groups["length"]["q0"] == length
    if "kind" in groups:
        assert groups["kind"]["q0"] == kind


def test_words_in_common_are_those_of_the_best_relevant_document() -> None:
    """Small words don't count."""
    queries = ["is the library open"] * 5 + ["may I come in"] * 5
    assert set(query_groups(_dataset(queries))["words in common"].values()) == {"most", "less than a third"}


def test_languages_and_pairs_of_them() -> None:
    """Short queries are told apart among the languages that are there; crossing is a group of its own."""
    english, german = ["when is the library open"] * 6, ["wann ist die Bibliothek geöffnet"] * 6
    groups = query_groups(_dataset([*english, *german], [*[_ENGLISH] * 9, *[_GERMAN] * 3]))
    assert [groups["language"][f"q{at}"] for at in (0, 8, 11)] == ["en", "de", "de"]
    joined = groups["languages"]
    assert joined["q0"] == "en to en" and {joined["q7"], joined["q11"]} == {OTHERS}
    assert "languages" not in query_groups(_dataset([*english, *german], [*[_ENGLISH] * 6, *[_GERMAN] * 6]))
    assert "language" not in query_groups(_dataset(english))


def test_metrics_of_a_language_are_those_of_its_queries() -> None:
    """As if only they had been measured; p is adjusted for the number of groups and systems."""
    queries = ["when is the library open"] * 6 + ["wann ist die Bibliothek geöffnet"] * 6
    dataset = _dataset(queries, [*[f"{_ENGLISH} {at}" for at in range(6)], *[f"{_GERMAN} {at}" for at in range(6)]])
    run = {f"q{at}": [f"d{at}"] if at < 6 else ["d0", f"d{at}"] for at in range(12)}
    comparison = compare({"first": None, "run": run}, dataset, measures=("RR",), depth=5, n_samples=500)
    found = {of.group: of for of in comparison.by_group if of.by == "language"}
    assert found["en"].means["run"].value == 1.0 and found["de"].means["run"].value == 0.5
    german = {query: grades for query, grades in dataset.qrels.items() if query in list(dataset.qrels)[6:]}
    assert found["de"].means["run"].value == pytest.approx(measure(german, run, "RR")["RR"])
    difference = found["de"].differences["run"]
    assert (difference.better, difference.worse, difference.p) == (0, 6, 2 / 2**6)
    assert difference.p_adjusted >= difference.p and found["en"].differences["run"].p_adjusted == 1.0


def test_groups_of_the_user_are_measured_too() -> None:
    """Small ones together; and what is true of one group only is said."""
    groups = {"category": {f"q{at}": "billing" if at < 9 else f"rare {at % 3}" for at in range(14)}}
    dataset = example()
    run = _right_below(9, dataset)
    comparison = compare({"first": None, "run": run}, dataset, groups=groups, depth=10, n_samples=2000)
    of = {each.group: each for each in comparison.by_group if each.by == "category"}
    assert (of["billing"].n_queries, of[OTHERS].n_queries) == (9, 5)
    assert of["billing"].differences["run"].verdict == "better"
    mixed = _right_below(7, dataset)
    halves = {"half": {f"q{at}": "one" if at < 7 else "two" for at in range(14)}}
    said = compare({"first": None, "mixed": mixed}, dataset, groups=halves, depth=10, n_samples=2000).advice
    assert any(s.startswith("mixed is worse than first where half is 'two' (7 queries): nDCG@10 changes") for s in said)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"length": {"q0": "x"}}, "groups has 'length', which queries are grouped by in any case"),
        (["category"], "groups must be a mapping of names to groups by query id"),
        ({"category": "billing"}, "groups must be a mapping"),
    ],
)
def test_what_is_no_group_is_said(groups: Any, message: str) -> None:
    """With what it looks like."""
    with pytest.raises(ConfigError, match=message):
        compare({"first": None, "fake": FakeReranker()}, example(3), groups=groups)


def test_long_queries_take_linear_time() -> None:
    """A hundred thousand characters of any kind are grouped within the time limit of tests, as nothing is quadratic."""
    texts = ["a" * 100_000, "a_" * 50_000, "a.b" * 30_000, "A" * 100_000 + "Erro", "?" * 100_000, "0x" * 50_000]
    groups = query_groups(_dataset([f"w {text}" for text in texts] * 5))
    assert groups["kind"]["q1"] == groups["kind"]["q2"] == "code or error" and groups["kind"]["q0"] == "keywords"


def test_every_query_has_a_group_of_each_kind() -> None:
    """Those that the texts tell."""
    dataset = example()
    comparison = compare({"first": None, "opposite": Opposite()}, dataset, depth=6, measures=("RR",), n_samples=200)
    for groups in comparison.groups.values():
        assert set(groups) == set(dataset.judged)
