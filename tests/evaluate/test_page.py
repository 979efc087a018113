"""How a comparison is shown: complete, without any reference to elsewhere, and nothing in it can run or steer."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from secondpass.errors import InputError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.results import Comparison
from secondpass.testing import FakeReranker
from tests.evaluate.example import HOSTILE, Opposite, example

_VOID = {"meta", "path", "circle", "br"}
_OPTIONAL_END = {"td", "th", "tr", "li"}


class Page(HTMLParser):
    """Collects tags, attributes and words, and checks that what is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID | _OPTIONAL_END:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _OPTIONAL_END:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Return one with every part: three measures, a curve, gains, losses, notes, and hostile texts, ids and names."""
    return compare(
        {f"first {HOSTILE}": None, f"fake {HOSTILE}": FakeReranker(), "opposite": Opposite()},
        example(text=HOSTILE),
        measures=("nDCG@10", "MRR@10", "MAP"),
        depth=10,
        depths=(2, 6),
        n_samples=500,
    )


def _written(comparison: Comparison, folder: Path) -> str:
    comparison.to_html(folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_is_complete(comparison: Comparison, tmp_path: Path) -> None:
    """Advice, each measure, times, the curve, the queries with their documents, and the notes."""
    page = Page(_written(comparison, tmp_path))
    words = " ".join(page.words)
    for heading in ("Comparison", "nDCG@10", "MRR@10", "MAP", "Time", "Depth: fake", "Queries: fake", "Notes"):
        assert heading in words
    assert "better on 14" in words and ", the 10 furthest" in words and words.count("word3 of subject3") >= 2
    assert "reranking helps" in words and "p95" in words and "is here" in words
    # Three measures, times, and two curves; then ten queries of the one system that changes anything.
    assert page.tags.count("table") == 3 + 1 + 2 + len(comparison.systems[1].gained)
    assert page.tags.count("details") == 10 and page.tags.count("button") == page.tags.count("th")


def test_the_page_refers_to_nothing_else(comparison: Comparison, tmp_path: Path) -> None:
    """No link, no image, no address: one style, one script, and a policy that lets it load nothing."""
    text = _written(comparison, tmp_path)
    page = Page(text)
    assert {"src", "href", "action", "data", "srcset"}.isdisjoint(name for name, _ in page.attributes)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp", text)
    assert page.tags.count("script") == 1 and "link" not in page.tags and "img" not in page.tags
    assert any(value.startswith("default-src 'none'") for _, value in page.attributes)
    assert ("viewport" in text) and ("color-scheme" in text) and text.startswith("<!doctype html>")


def test_nothing_hostile_gets_through(comparison: Comparison, tmp_path: Path) -> None:
    """Neither on the page, nor in a notebook, nor in a terminal."""
    for shown in (_written(comparison, tmp_path), comparison._repr_html_(), repr(comparison)):
        assert "\x1b" not in shown and "\u202e" not in shown
    for markup in (_written(comparison, tmp_path), comparison._repr_html_()):
        page = Page(markup)
        assert "<script>alert" not in markup and "<script>alert" in " ".join(page.words)
        assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_the_script_is_the_one_that_the_policy_names(comparison: Comparison, tmp_path: Path) -> None:
    """By its hash, so that no other one could run."""
    import base64
    import hashlib

    text = _written(comparison, tmp_path)
    script = text.split("<script>")[1].split("</script>")[0]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in text


def test_each_cell_has_what_it_is_sorted_by(comparison: Comparison, tmp_path: Path) -> None:
    """The script reads it from the cell; a row has a cell for each head."""
    text = _written(comparison, tmp_path)
    for table in re.findall(r"<table>.*?</table>", text):
        n_heads = table.count("<th ")
        for row in re.findall(r"<tr><td.*?</tr>", table):
            assert row.count("<td") == row.count("data-v='") == n_heads


def test_the_text_has_tables_and_advice() -> None:
    """Columns under their heads, then the sentences, then the notes."""
    comparison = compare({"first": None, "fake": FakeReranker()}, example(), depth=10, n_samples=500)
    lines = repr(comparison).splitlines()
    assert lines[0] == "Comparison: 2 systems, 14 queries, 84 documents; candidates of the dataset, depth 10"
    assert re.split(" {2,}", lines[2])[2:] == ["95 % interval", "against first (95 %)", "p (Holm)", "better/worse"]
    assert lines[4].startswith("fake     1.000  1.000 to 1.000  +0.644 (+0.644 to +0.644)") and lines[4].endswith(
        "14/0"
    )
    assert "Use fake." in lines and lines[-1].startswith("note: The times of rerankers are without the first stage")


def test_a_page_that_can_not_be_written_is_an_error_of_ours(comparison: Comparison, tmp_path: Path) -> None:
    """And says which."""
    with pytest.raises(InputError, match="can't be written"):
        comparison.to_html(tmp_path / "no" / "folder.html")
