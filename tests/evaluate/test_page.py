"""How a comparison is shown: complete, without any reference to elsewhere, and nothing in it can run or steer."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from secondpass.errors import InputError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.results import Comparison
from secondpass.testing import FakeReranker
from tests.browser import Browser
from tests.evaluate.example import HOSTILE, Opposite, example

_VOID = {"meta", "path", "circle", "br"}
_SORT = """
const head = arguments[0], table = head.closest("table");
head.querySelector("button").click();
const values = [...table.tBodies[0].rows].map(row => row.cells[head.cellIndex].dataset.v);
return [head.getAttribute("aria-sort"), table.querySelectorAll("th[aria-sort]").length, values];
"""
_EDGES = """
return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect()).map(r => [r.left, r.right]);
"""
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
        groups={f"category {HOSTILE}": {f"q{at}{HOSTILE}": f"{'ab'[at % 2]} {HOSTILE}" for at in range(14)}},
        prices={"opposite": "0.40/hour"},
        n_samples=500,
    )


def _written(comparison: Comparison, folder: Path) -> str:
    comparison.to_html(folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_is_complete(comparison: Comparison, tmp_path: Path) -> None:
    """Advice, each measure, times, the curve, the queries with their documents, and the notes."""
    page = Page(_written(comparison, tmp_path))
    words = " ".join(page.words)
    parts = ("nDCG@10", "MRR@10", "MAP", "Time and cost", "Depth: fake", "Groups of queries", "Queries: fake", "Notes")
    for heading in ("Comparison", "Quality and time", *parts):
        assert heading in words
    assert "better on 14" in words and ", the 10 furthest" in words and words.count("word3 of subject3") >= 2
    assert "reranking helps" in words and "p95" in words and "is here" in words and "category" in words
    # Three measures, times, two curves, groups; then ten queries of the one system that changes anything.
    assert page.tags.count("table") == 3 + 1 + 2 + 1 + len(comparison.systems[1].gained)
    assert page.tags.count("details") == 10 and page.tags.count("button") == page.tags.count("th")
    assert page.tags.count("figure") == 1 + 2 and page.tags.count("article") == 3


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
    for table in re.findall(r"<table.*?</table>", text):
        n_heads = table.count("<th ")
        for row in re.findall(r"<tr><td.*?</tr>", table):
            assert row.count("<td") == row.count("data-v='") == n_heads


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_a_browser_opens_it(browser: Browser, comparison: Comparison, tmp_path: Path, width: int, dark: bool) -> None:
    """It is as wide as the window, nothing in it asks for anything, and letters stand out from what is behind them."""
    comparison.to_html(tmp_path / "report.html")
    browser.open(tmp_path / "report.html", width=width, dark=dark)
    assert browser.requests == [(tmp_path / "report.html").as_uri()] and browser.errors == []
    assert browser.overflow <= 0 and "Use fake" in browser.text
    ground, ink = (_brightness(browser, name) for name in ("background-color", "color"))
    assert (ground < 60 and ink > 200) if dark else (ground > 200 and ink < 60)
    for selector in ("section", ".cards article", ".chart .label", "figcaption", "summary"):
        edges = browser.run(_EDGES, selector)
        assert edges and all(left >= 0 and right <= width + 1 for left, right in edges), selector


def test_a_browser_clicks_through_it(browser: Browser, comparison: Comparison, tmp_path: Path) -> None:
    """Each head sorts its table, down and up; each query opens and shows its documents; and nothing is asked for."""
    comparison.to_html(tmp_path / "report.html")
    browser.open(tmp_path / "report.html")
    for details in browser.all("details"):
        assert not details.find_element("css selector", "table").is_displayed()
        details.find_element("css selector", "summary").click()
        assert "is here" in details.find_element("css selector", "table").text
    heads = browser.all("th")
    assert len(heads) == len(browser.all("th button")) > 30
    for head in heads:
        for direction in ("descending", "ascending"):
            sorted_by, n_sorted, values = browser.run(_SORT, head)
            assert (sorted_by, n_sorted) == (direction, 1)
            if all(map(_is_number, values)):
                values = [float(value) for value in values]
            else:  # by the browser's alphabet; the first letters differ in these
                values = [value[:1].casefold() for value in values]
            assert values == sorted(values, reverse=direction == "descending")
    assert browser.requests == [(tmp_path / "report.html").as_uri()] and browser.errors == []


def test_the_plots_show_each_system_where_it_is(browser: Browser, comparison: Comparison, tmp_path: Path) -> None:
    """Better is higher, slower is further right; what nothing beats is filled, and no two labels lie on each other."""
    comparison.to_html(tmp_path / "report.html")
    browser.open(tmp_path / "report.html", width=390)
    chart = browser.all(".chart")[0]
    points = {
        point.get_attribute("title").split(":")[0]: point.rect
        for point in chart.find_elements("css selector", ".point")
    }
    fake, opposite = (next(rect for name, rect in points.items() if name.startswith(of)) for of in ("fake", "opposite"))
    assert fake["y"] < opposite["y"] and len(points) == 2
    inside = chart.rect
    for rect in points.values():
        assert inside["x"] <= rect["x"] <= inside["x"] + inside["width"]
        assert inside["y"] <= rect["y"] <= inside["y"] + inside["height"]
    labels = sorted(label.rect["y"] for label in chart.find_elements("css selector", ".label"))
    assert all(low + 12 <= high for low, high in pairwise(labels))


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _brightness(browser: Browser, name: str) -> float:
    colour = browser.run("return getComputedStyle(document.body).getPropertyValue(arguments[0])", name)
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


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
