"""Entries of XML and of files of settings, as passages are read."""

import pytest

from secondpass.verify.sources import data_in

BOOK = (
    '<book id="b1">\n  <title>Deep Tides</title>\n  <price currency="USD">49.95</price>\n'
    '  <mass unit="kg">1</mass>\n</book>'
)
OTHER = '<book id="b2"><title>Night &amp; Day</title><price currency="CHF">6.00</price></book>'
INI = "[database]\nhost = db01\nport: 5433\nssl = on"


def _said(passage: str) -> list[str]:
    return [record.text for record in data_in(passage).records]


def test_elements_of_one_name_are_entries_each() -> None:
    """A value stands with its tag, its unit behind it and the sign of its currency before it."""
    passage = f'<?xml version="1.0"?>\n<!-- new -->\n<books>{BOOK}\n{OTHER}</books>'
    first, second = data_in(passage).records
    assert first.text == "id: b1; title: Deep Tides; price: $49.95; mass: 1 kg."
    assert second.text == "id: b2; title: Night & Day; price: 6.00 CHF."
    assert (passage[first.start : first.end], passage[second.start : second.end]) == (BOOK, OTHER)


def test_elements_in_elements_are_named_by_all_their_tags() -> None:
    """Values of the same tag are joined, and truth is said as in JSON."""
    passage = '<cfg debug="true"><net><host>a</host><port>80</port></net><tag>x</tag><tag>y</tag></cfg>'
    assert _said(passage) == ["debug: yes; net host: a; net port: 80; tag: x, y."]


def test_xml_that_is_cut_off_is_read_up_to_there() -> None:
    """What has ended says something."""
    assert _said('<users>\n<user id="1" name="Ann"/>\n<user id="2" name="Bob"/>\n<us') == [
        "id: 1; name: Ann.",
        "id: 2; name: Bob.",
    ]


@pytest.mark.parametrize(
    "passage",
    [
        "<div><p>Tea</p><p>Cake</p></div>",
        "<doc><title>Mill</title><text>It was built in 1783 and it ground rye.</text></doc>",
        f"<doc><title>Mill</title><text>{'word ' * 41}</text></doc>",
        "<a><b>1</b></c>",
        "<a>one<b>1</b><c>2</c></a>",
        "<a><b>1</b><c>2</c></a>\nand prose",
        "5 < 6 and 7 > 2",
    ],
)
def test_marked_up_prose_is_no_data(passage: str) -> None:
    """Neither is HTML, a sentence in a tag, text beside tags or behind them, or what is not XML."""
    assert data_in(passage) == ((), ())


def test_a_section_of_settings_is_an_entry() -> None:
    """Each setting stands with the name of its section; comments in words are prose."""
    passage = f"; the main one for now\n{INI}\n\n[tool.cache]\n# old = 1\nttl_seconds = 900\nkeys = ['a', \"b\"]\n"
    data = data_in(passage)
    assert [record.text for record in data.records] == [
        "database host: db01; database port: 5433; database ssl: yes.",
        "tool cache ttl: 900 seconds; tool cache keys: a, b.",
    ]
    assert passage[data.records[0].start : data.records[0].end] == INI
    assert not data.holds(0, 20)


def test_assignments_without_a_section_are_one_entry() -> None:
    """So are those of a shell."""
    assert _said("HOST=db01\nexport PORT=5433\nSSL=off") == ["HOST: db01; PORT: 5433; SSL: no."]


@pytest.mark.parametrize(
    "passage",
    ["x = 1", "[1] The mill. It is old.\n[2] A = b", "[note]\nIt is old.", f"a = {'word ' * 13}\nb = 2"],
)
def test_what_only_looks_like_settings_is_none(passage: str) -> None:
    """One of them, numbered notes and sentences are prose."""
    assert data_in(passage) == ((), ())


@pytest.mark.parametrize(
    ("passage", "texts"),
    [
        ('[{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": "unf', ["a: 1; b: 2.", "a: 3; b: 4."]),
        ('{"rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5', ["rows a: 1; rows b: 2.", "rows a: 3; rows b: 4."]),
        ('{"a": "x, }", "b": {"c": [1, 2, 3', ["a: x, }; b c: 1, 2."]),
        ('{"a": 1, "b": 2\n\nIt is prose.', []),
        ('{"a": 1, "b": 2] and', []),
    ],
)
def test_json_that_is_cut_off_is_read_up_to_there(passage: str, texts: list[str]) -> None:
    """Its last value may not be whole, and is left out; what goes on in prose is not JSON."""
    assert _said(passage) == texts


def test_figures_stand_with_the_currency_of_their_entry() -> None:
    """Those of money have its sign, however the currency is called there."""
    assert _said('{"qty": 2, "total": 208.0, "shipping_cost": 3.5, "currency": "EUR"}') == [
        "qty: 2; total: \u20ac208; shipping cost: \u20ac3.5; currency: EUR."
    ]


@pytest.mark.parametrize(
    "unit", ["<a>", "<a b='", "<a/>", "<!--", "<![CDATA[", "<a>x</a>", "[a]\n", "a = b\n", '{"a": 1, ', '[{"']
)
def test_it_takes_linear_time(unit: str) -> None:
    """Tags, comments, sections and brackets without end are read."""
    data_in(unit * 20_000)
    data_in(f"<r>{unit * 20_000}</r>")
