"""Windows of passages: exact offsets, bounded work, and the best ones for a claim."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError
from secondpass.testing import FakeReranker
from secondpass.verify.evidence import Passages, Window, WindowIndex, _terms, joined, narrowed, select, sentence_spans
from secondpass.verify.words import content_words
from secondpass.windows import ApproximateTokenization

TOWER = "The Eiffel Tower stands in Paris. It was built in 1889. Its height is 330 metres."
TOKENS = ApproximateTokenization()
SENTENCES = [
    "It is short.",
    "The tower of the town was built in 1889.",
    "Why?",
    "A museum, a tower and a bridge are there.",
]


def passages(*documents: object, window_tokens: int = 16, overlap: int = 4, english_only: bool = True) -> Passages:
    """Return passages with small windows."""
    return Passages(documents, TOKENS, window_tokens, overlap, english_only)  # type: ignore[arg-type]


def test_windows_stand_where_they_say() -> None:
    """Each window is exactly the passage's text between its offsets, without blanks around it."""
    texts = [TOWER * 5, {"text": "  A short one.\n\n", "id": 7}]
    prepared = passages(*texts)
    windows = prepared.index(100).windows
    assert len(windows) > 5 and prepared.ids == (None, 7)
    for window in windows:
        assert prepared.texts[window.passage][window.start : window.end] == window.text == window.text.strip()
    assert windows[-1] == Window(1, 2, 14, "A short one.")


@given(
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=30),
    st.integers(16, 40),
    st.sampled_from([" ", "\n", "\n\n"]),
)
def test_windows_begin_and_end_with_sentences(sentences: list[str], size: int, blank: str) -> None:
    """No sentence that fits is cut, each is in some window, no window is too long, and each brings something new."""
    text = blank.join(sentences)
    index = passages(text, window_tokens=size, overlap=size // 3).index(size)
    assert all(length <= size for length in TOKENS.lengths([window.text for window in index.windows]))
    borders = {0, len(text)}
    for sentence in sentences:
        at = max(borders - {len(text)})
        borders |= {at + len(sentence), min(at + len(sentence) + len(blank), len(text))}
    assert {window.start for window in index.windows} | {window.end for window in index.windows} <= borders
    assert all(any(sentence in window.text for window in index.windows) for sentence in sentences)
    ends = [window.end for window in index.windows]
    assert ends == sorted(set(ends)) and ends[-1] == len(text)


@pytest.mark.parametrize("bar", ["|", ""])
def test_no_window_goes_over_a_table(bar: str) -> None:
    """The sentences before and after it are apart, as the rows between them are windows of their own."""
    rows = [f"{bar} {row} {bar}".strip() for row in ("Kind | Length", "--- | ---", "Pike | 90 cm", "Perch | 30 cm")]
    index = passages("\n".join(["The fish of the lake:", "", *rows, "", "All are protected."]), window_tokens=64).index(
        64
    )
    assert [window.text for window in index.windows] == ["The fish of the lake:", "All are protected.", *rows[2:]]


def test_a_sentence_that_is_too_long_is_cut() -> None:
    """It is read in pieces that share tokens, and its neighbours are whole."""
    long = " ".join(f"word{at}" for at in range(60))
    text = f"It is short. The rest is {long}. It ends."
    windows = passages(text, window_tokens=20).index(20).windows
    assert windows[0].text == "It is short." and windows[-1].text == "It ends." and len(windows) > 4
    assert all(f"word{at}" in " ".join(window.text for window in windows).split() for at in range(59))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("One two. Three four.", ["One two.", "Three four."]),
        ("Dr. Smith paid $3.50 to X Corp. in May. He left.", ["Dr. Smith paid $3.50 to X Corp. in May.", "He left."]),
        ("A heading\nA line\n- an item\n- Another", ["A heading", "A line", "- an item", "- Another"]),
        ("It goes\non here. Then\n\nends", ["It goes\non here.", "Then", "ends"]),
        ("  \n\n ", []),
        ("", []),
    ],
)
def test_sentences_end_with_full_stops_and_lines(text: str, spans: list[str]) -> None:
    """A line break ends one, unless the next line goes on in lower case."""
    assert [text[start:end] for start, end in sentence_spans(text)] == spans


class TestSentence:
    @pytest.mark.parametrize(
        "same",
        [
            "The Eiffel Tower stands in Paris.",
            "the eiffel tower stands  in paris",
            "The **Eiffel Tower** stands in `Paris`!",
            '"The Eiffel Tower stands in Paris."',
        ],
    )
    def test_what_makes_no_difference(self, same: str) -> None:
        """Case, blanks, emphasis, quotation marks around it and the full stop don't count."""
        window = passages("No. Nothing.", TOWER).sentence(same)
        assert window == Window(1, 0, 33, "The Eiffel Tower stands in Paris.")

    @pytest.mark.parametrize(
        "other",
        [
            "The Eiffel Tower stands in Rome.",
            "The Eiffel Tower stands in Paris?",
            "Eiffel Tower stands in Paris.",
            "Its height is 33.0 metres.",
            "Its height is 330 metres, at most.",
            "Paris.",
            "",
        ],
    )
    def test_what_does(self, other: str) -> None:
        """A word, a number, a question mark do; and so few words are not a sentence."""
        assert passages(TOWER, "Paris.").sentence(other) is None

    def test_a_number_in_brackets_is_no_citation_in_a_passage(self) -> None:
        """Only an answer cites: what a passage has in brackets is a part of what it says."""
        assert passages("Pass depth=[3] to limit the depth.").sentence("Pass depth= to limit the depth.") is None

    def test_the_first_of_several_is_taken(self) -> None:
        """The order is that of the passages."""
        window = passages("A b c d e.", TOWER, f"x. {TOWER}").sentence("It was built in 1889.")
        assert window is not None and (window.passage, window.start) == (1, 34)


def test_smaller_rooms_give_smaller_windows_of_few_sizes() -> None:
    """A room below the window's size is rounded down to a power of two, so that few indexes are made."""
    prepared = passages(TOWER * 10, window_tokens=64, overlap=16)
    assert prepared.index(64) is prepared.index(500)
    assert prepared.index(33) is prepared.index(63) is not prepared.index(64)
    assert all(length <= 32 for length in TOKENS.lengths([window.text for window in prepared.index(40).windows]))


class OneMore(ApproximateTokenization):
    """Counts a token more in two sentences than in each by itself."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the lengths, and note of what."""
        self.counted += texts
        return [length + (text.count(".") > 1) for text, length in zip(texts, super().lengths(texts), strict=True)]


def test_only_windows_near_the_limit_are_counted_again() -> None:
    """Fourteen tokens of sixteen may be one more together, and are not counted again; sixteen would be too many."""
    tokenization = OneMore()
    nine, seven = "One two three four five six seven eight.", "One two three four five six."
    index = Passages([f"{seven} {seven}", f"{nine} {seven}"], tokenization, 16, 0).index(16)
    first, *rest = (window.text for window in index.windows)
    assert first == f"{seven} {seven}" and first not in tokenization.counted
    assert f"{nine} {seven}" in tokenization.counted and f"{nine} {seven}" not in rest
    assert all(length <= 16 for length in tokenization.lengths([first, *rest]))


def test_blank_and_foreign_passages_are_not_read() -> None:
    """Blank passages have no windows; those in another script or language are never found, unless they are read."""
    texts = ["", " \n\t ", "Эйфелева башня стоит в Париже.", "Der Turm ist nicht hoch und wird im Mai gebaut."]
    foreign = passages(*texts).index(50)
    assert not foreign.is_readable and foreign.best("Der Turm ist nicht hoch.", 4) == []
    assert foreign.of_passage(3, foreign.scores("Der Turm.")) is None and not foreign.speaks_like("Turm ist nicht hoch")
    read = passages(*texts, english_only=False).index(50)
    assert read.is_readable and [window.passage for window in read.best("Der Turm ist nicht hoch.", 1)] == [3]
    mixed = passages(*texts, "The tower is tall and was built in May.").index(50)
    assert mixed.is_readable and [window.passage for window in mixed.best("Der Turm, May.", 4)] == [4]
    assert passages("", "  ").blank and not passages(*texts).blank and passages().blank


def test_each_window_is_told_from_english_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many claims are looked for, and however few of the windows are read."""
    asked: list[str] = []

    def foreign(text: str) -> bool:
        asked.append(text)
        return text.startswith("Der")

    monkeypatch.setattr("secondpass.verify.evidence.is_foreign", foreign)
    texts = [f"Der Turm {number} ist hoch." for number in range(50)] + ["The tower is tall."]
    index = passages(*texts).index(50)
    for claim in ("Der Turm 7.", "The tower.", "Nothing."):
        assert [window.text for window in index.best(claim, 4)] == ["The tower is tall."]
    assert index.is_readable and sorted(asked) == sorted(texts)


def test_lone_surrogates_keep_the_offsets_right() -> None:
    """A lone surrogate becomes one other character, so what follows stays where it was."""
    original = "a \ud800 b. The tower is tall."
    (window,) = passages(original).index(50).windows
    assert (
        window.text == "a \ufffd b. The tower is tall." and original[window.start + 7 : window.end] == window.text[7:]
    )


def test_the_best_window_shares_the_rarest_words() -> None:
    """A claim finds the window with its words, in whichever passage, and ties keep the order of the passages."""
    prepared = passages("The town has a museum.", "The town has a tower.", "The town has a museum of toys.")
    index = prepared.index(50)
    ((first, second),) = select(["A museum of toys is in the town."], index, 2)
    assert (first.passage, second.passage) == (2, 0)
    ((one,),) = select(["Nothing shared whatsoever."], index, 1)
    assert one.passage == 0
    assert index.of_passage(1, index.scores("museum")).text == "The town has a tower."  # type: ignore[union-attr]
    assert index.of_passage(9, index.scores("museum")) is None


def test_a_reranker_orders_what_words_let_through() -> None:
    """A retriever sees at most eight times the windows that are wanted, and its order is taken."""

    class Last(FakeReranker):
        seen: list[int] = []

        def _score(self, requests):  # type: ignore[no-untyped-def]
            self.seen += [len(request) for request in requests]
            scores = super()._score(requests)
            return [type(s)(np.linspace(0, 1, len(s.values)), s.explanations, s.trace) for s in scores]

    retriever = Last()
    index = passages(*[f"The tower number {at} is in the town." for at in range(100)]).index(50)
    ((first, _), _) = select(["The tower 5", "The town"], index, 2, retriever)
    assert retriever.seen == [16, 16]
    assert first.passage == 15  # last of the sixteen that words let through: number 5, then 0 to 15 without it


ROOMS = "Rooms are quiet. The garden is large. It has a pond. Dogs are welcome. Bikes are free."


@pytest.mark.parametrize(
    ("claim", "added"),
    [
        ("The inn has a pond.", "The garden is large.\nIt has a pond."),  # with what "it" is
        ("The inn has quiet rooms.", "Rooms are quiet."),
        ("The inn takes dogs and bikes.", "It has a pond.\nDogs are welcome.\nBikes are free."),
        ("The rooms of the inn have bikes.", "Rooms are quiet.\nDogs are welcome.\nBikes are free."),
        ("The inn is old.", ""),
        ("The inn has a pool.", ""),
    ],
)
def test_what_another_window_adds(claim: str, added: str) -> None:
    """Sentences with words of the claim that the first window has not, each with the one before it; else nothing."""
    inn = Window(0, 0, 15, "The inn is old.")
    assert joined(inn, Window(1, 0, len(ROOMS), ROOMS), claim) == (f"{inn.text}\n{added}" if added else "")


def test_joined_windows_keep_the_order_of_the_passages() -> None:
    """What stands before the first window comes before it, and what both have stands there once."""
    text = "One cat. Two dogs. Three cows. Four owls."
    claim = "A cat, dogs, cows and owls."
    first, middle, last = (Window(0, start, end, text[start:end]) for start, end in ((0, 18), (9, 30), (19, 41)))
    assert joined(first, middle, claim) == "One cat. Two dogs.\nThree cows."
    assert joined(middle, first, claim) == "One cat.\nTwo dogs. Three cows."
    assert joined(first, last, claim) == "One cat. Two dogs.\nThree cows.\nFour owls."
    assert joined(last, first, claim) == "One cat.\nTwo dogs.\nThree cows. Four owls."
    assert joined(middle, Window(0, 0, 41, text), claim) == "One cat.\nTwo dogs. Three cows.\nFour owls."
    other = Window(1, 0, 25, "Two dogs. Three rare owls.")
    assert joined(middle, other, claim) == "Two dogs. Three cows.\nThree rare owls."
    assert joined(other, middle, claim) == "Three cows.\nTwo dogs. Three rare owls."


def test_rows_and_mended_windows_are_joined_as_they_are_read() -> None:
    """A row stands with the names of its columns, a broken word in one piece, also where windows overlap."""
    row, prose = Window(0, 8, 13, "a,2,b", "pond: 2 metres", is_row=True), Window(0, 0, 13, "An inn. a,2,b")
    assert joined(prose, row, "The inn has a pond.") == "An inn. a,2,b\npond: 2 metres"
    assert joined(row, prose, "The inn has a pond.") == "An inn.\npond: 2 metres"
    broken = "The inn is old. It has a swim-\nming pool."
    second = Window(0, 4, len(broken), broken[4:], broken[4:].replace("-\n", ""))
    assert joined(Window(0, 0, 15, broken[:15]), second, "It has a swimming pool.").endswith(
        "\nIt has a swimming pool."
    )


def test_a_cut_sentence_goes_on_where_the_other_window_ends() -> None:
    """Of a sentence that is too long for a window, two pieces that share words are read as they stand."""
    text = "The inn by the lake has old rooms and a garden"
    first, second = Window(0, 0, 23, text[:23]), Window(0, 12, len(text), text[12:])
    assert joined(first, second, "The inn has a garden.").split() == text.split()


@pytest.mark.parametrize("bad", ["a text", b"a text", None, 3, {"text": "a"}])
def test_passages_that_are_no_list_are_refused(bad: object) -> None:
    """One text, one mapping or a number in place of a list is an InputError."""
    with pytest.raises(InputError, match="passages must be a list"):
        Passages(bad, TOKENS)  # type: ignore[arg-type]


def test_passages_of_any_kind_of_list_are_taken() -> None:
    """Whatever can be gone through but texts and mappings."""
    assert Passages((text for text in ("a", "b")), TOKENS).texts == ("a", "b")  # type: ignore[arg-type]
    assert Passages(["a"], TOKENS).texts == Passages(("a",), TOKENS).texts == ("a",)


def test_a_passage_that_is_no_text_is_refused() -> None:
    """A number among the passages is an InputError that says which it is."""
    with pytest.raises(InputError, match=r"documents\[1\]"):
        passages("a", 3)


@given(st.lists(st.text(max_size=300), max_size=4))
def test_offsets_are_exact_for_any_text(texts: list[str]) -> None:
    """Whatever the passages are, each window is the text between its offsets."""
    prepared = passages(*texts, english_only=False)
    for window in prepared.index(20).windows:
        assert prepared.texts[window.passage][window.start : window.end] == window.text
        assert window.text.strip() == window.text != ""


@pytest.mark.parametrize(
    "text",
    [
        "The U.S. cities' 1,250.5 towers aren\u2019t built by json.loads or word59, at all.",
        "R\u00e9sum\u00e9s \u2013 of \u201cCaf\u00e9s\u201d: 12.5% in the x_1 of it.",
        "it is the",
        "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd",
        "",
    ],
)
def test_terms_are_the_content_words(text: str) -> None:
    """What windows are found by are the words that overlap is measured on."""
    assert _terms(text) == list(content_words(text))


@pytest.mark.parametrize("piece", ["a", "\n", ". ", "\x01 ", "(", '"', "A. ", "x\n", "[1]", "`", "> ", "<b>"])
def test_hostile_passages_end(piece: str) -> None:
    """A hundred thousand signs of one kind are cut into no more windows than they have room for."""
    text = (piece * 100_000)[:100_000]
    prepared = passages(text, window_tokens=96, overlap=32)
    assert len(prepared.index(96).windows) <= 2 + len(text) // 32
    assert prepared.sentence("One two three four.") is None


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("Model A100 costs 313 euros.", True),
        ("Model A100 cost 313 euros and more.", True),
        ("Modell A100 kostet 313 Euro.", False),
        ("El modelo A100 cuesta 313 euros.", False),
        ("Model A100.", False),
        ("", False),
    ],
)
def test_windows_know_the_words_of_their_language(claim: str, expected: bool) -> None:
    """Most lower-case words of a claim stand in the windows, and two at least; names and numbers don't count."""
    text = "Model A100 weighs 33 kg and costs 313 euros."
    assert WindowIndex([Window(0, 0, len(text), text)]).speaks_like(claim) is expected


def test_a_window_is_worth_what_its_words_are() -> None:
    """By BM25 with Lucene's constants: rare words count more, and repeated ones and long windows less and less."""
    texts = ["museum museum tower", "tower", "bridge of the old town near museum hall"]
    index = WindowIndex([Window(at, 0, len(text), text) for at, text in enumerate(texts)])
    lengths = [len(content_words(text)) for text in texts]

    def worth(n_with: int, times: int, length: int) -> float:
        rarity = np.log1p((3 - n_with + 0.5) / (n_with + 0.5))
        return float(rarity * times / (times + 1.2 * (1 - 0.75 + 0.75 * length / np.mean(lengths))))

    expected = [worth(2, 2, lengths[0]), 0.0, worth(2, 1, lengths[2])]
    assert index.scores("The museum, the museum!").tolist() == pytest.approx(expected)
    both = [worth(2, 2, lengths[0]) + worth(2, 1, lengths[0]), worth(2, 1, lengths[1]), worth(2, 1, lengths[2])]
    assert index.scores("tower museum").tolist() == pytest.approx(both)
    assert WindowIndex([]).scores("museum").tolist() == []


FOUR = ["Cats are red.", "Dogs are blue.", "Cows are green.", "Pigs are new."]


@pytest.mark.parametrize(("overlap", "begins"), [(3, [0, 3]), (4, [0, 2]), (12, [0, 2])])
def test_windows_share_their_last_sentences(overlap: int, begins: list[int]) -> None:
    """As many as have no more tokens than may be shared, half of a window at most; each of these has four."""
    prepared = passages(" ".join(FOUR), window_tokens=12, overlap=overlap)
    assert [window.text for window in prepared.index(12).windows] == [" ".join(FOUR[at : at + 3]) for at in begins]


@pytest.mark.parametrize(("size", "ends"), [(7, [1, 2, 3, 4]), (8, [2, 4]), (11, [2, 4]), (12, [3, 4]), (16, [4])])
def test_a_window_has_as_many_sentences_as_fit(size: int, ends: list[int]) -> None:
    """No more tokens than it may have, and no sentence fewer."""
    prepared = passages(" ".join(FOUR), window_tokens=size, overlap=0)
    assert [window.text for window in prepared.index(size).windows] == [
        " ".join(FOUR[begin:end]) for begin, end in pairwise([0, *ends])
    ]


@pytest.mark.parametrize(("room", "size"), [(100, 12), (12, 12), (11, 8), (8, 8), (7, 4), (4, 4), (1, 1), (0, 1)])
def test_rooms_are_powers_of_two(room: int, size: int) -> None:
    """Below the size of a window; those that share one share the index."""
    prepared = passages("A b c. D e f.", window_tokens=12, overlap=0)
    assert prepared.index(room) is prepared.index(size)
    assert (prepared.index(room) is prepared.index(size // 2)) is (size == 1)


def test_a_window_is_read_as_it_is_rendered() -> None:
    """Its own text is read where nothing takes its place."""
    assert Window(0, 0, 4, "text").read == "text" and Window(0, 0, 4, "text", "read").read == "read"


@pytest.mark.parametrize(
    ("claim", "kept"),
    [
        ("The pump is loud.", "The pump is old and loud."),
        ("The pump runs daily.", "The pump is old and loud. It runs daily."),
        ("The pump sleeps and leaks.", "It never sleeps. The pump leaks."),
        ("The old pump leaks.", None),
        ("The fan hums.", None),
    ],
)
def test_a_window_without_what_has_no_word_of_the_claim(claim: str, kept: str | None) -> None:
    """The fewest sentences in a row that have all its words of the claim; nothing where that is all, or none."""
    text = "The pump is old and loud. It runs daily. It never sleeps. The pump leaks."
    less = narrowed(Window(2, 10, 10 + len(text), text), claim)
    expected = None if kept is None else Window(2, 10 + text.index(kept), 10 + text.index(kept) + len(kept), kept)
    assert less == expected


def test_a_row_is_not_narrowed() -> None:
    """It says whose it is at its beginning."""
    assert narrowed(Window(0, 0, 9, "A. B. C.", "a: A. b: B."), "A") is None


@pytest.mark.parametrize(
    ("claim", "best"),
    [("It takes 3 of them.", 1), ("It takes twelve.", 2), ("Come before 14:00.", 0)],
)
def test_small_numbers_and_times_are_found_in_another_form(claim: str, best: int) -> None:
    """Where no window has the figure, 3 is looked for as "three", and 14:00 as 2 pm."""
    texts = ["Open until 2 pm.", "A set of three.", "A set of 12.", "Nothing here.", "Nor there."]
    windows = [Window(at, 0, len(text), text) for at, text in enumerate(texts)]
    assert WindowIndex(windows).best(claim, 1) == [windows[best]]
