"""Passages that are data, and text that PDFs break."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.sources import Data, data_in, mended
from tests.verify.steps import steps
from tests.verify.towers import Make

ROW = "Model: Corvo 300; Weight: 1.2 kg; Price: 129 euros."
SMALL_ROW = ROW.replace("Model", "model").replace("Weight", "weight").replace("Price", "price")
TABLE = (
    "Our drills:\n\n| Model | Weight | Price |\n|---|---|---|\n| Corvo 200 | 1.0 kg | 89 euros |\n"
    "| Corvo 300 | 1.2 kg | 129 euros |\n\nAll have a case."
)
ENTRY = '{"model": "Corvo 300", "weight_kg": 1.2, "price_eur": 129}'
YAML = "model: Corvo 300\nweight_kg: 1.2\nprice_eur: 129"
PLAIN_ROW = "Corvo 300 | 1.2 kg | 129 euros"
ITEM = "- model: Corvo 300\n  weight_kg: 1.2\n  price_eur: 129"
PIECES = [
    "2021 2020\n",
    "Sales 5 4\n",
    "```\n",
    "# a b c\n",
    "(in millions)\n",
    "- x\n",
    "<tr>",
    "</tr>",
    "<td>",
    "<th",
    "| ",
    "|---",
    "\n",
    "a,b",
    "a: b",
    "{",
    "[",
    '"',
    "-\n",
    "\u00ad",
    "x",
]
HTML = (
    "<table><tr><th>Model</th><th>Weight</th><th>Price</th></tr>\n<tr><td>Corvo 200</td><td>1.0 kg</td>"
    "<td>89&nbsp;euros</td></tr><tr><td>Corvo 300</td><td><b>1.2 kg</b></td><td>129 euros</td></tr></table>"
)


@pytest.mark.parametrize(
    ("passage", "place", "text"),
    [
        (TABLE, "| Corvo 300 | 1.2 kg | 129 euros |", ROW),
        (HTML, "<tr><td>Corvo 300</td><td><b>1.2 kg</b></td><td>129 euros</td></tr>", ROW),
        ("model,weight_kg,price_eur\nCorvo 200,1.0,89\nCorvo 300,1.2,129\n", "Corvo 300,1.2,129", SMALL_ROW),
        ("model;weight_kg;price_eur\nCorvo 200;1.0;89\n\"Corvo 300\";1.2;129", '"Corvo 300";1.2;129', SMALL_ROW),
        (f'[{{"model": "A"}},\n {ENTRY}]', ENTRY, SMALL_ROW),
        (f"{YAML}\n", YAML, SMALL_ROW),
        (f"Drills:\n\nModel | Weight | Price\n--- | --- | ---\n{PLAIN_ROW}\n\nIn a case.", PLAIN_ROW, ROW),
        (f"- model: A\n{ITEM}\n", ITEM, SMALL_ROW),
    ],
)  # fmt: skip
def test_a_row_names_its_columns(passage: str, place: str, text: str) -> None:
    """Each value stands with its column or key, and the unit of that behind it; offsets are those of the passage."""
    found = data_in(passage).records[-1]
    assert (passage[found.start : found.end], found.text) == (place, text)


def test_nested_values_are_named_by_all_their_keys() -> None:
    """Lists are joined, truth is said in words, and null says nothing."""
    (found,) = data_in('{"a": {"b_kg": 2, "c": [1, 2]}, "d": true, "e": null, "f": [{"no": 1}, {"no": 3}]}').records
    assert found.text == "a b: 2 kg; a c: 1, 2; d: yes; f no: 1; f no: 3."
    (found,) = data_in("a:\n  b_kg: 2\n  c: 3\nd: x").records
    assert found.text == "a b: 2 kg; a c: 3; d: x."


def test_plain_items_of_a_list_are_one_value() -> None:
    """They stand behind the key of their list, where another key has its value beside it; a list in prose is none."""
    (found,) = data_in('job:\n  days:\n    - Mon\n    - "Wed"\n  hour: 3').records
    assert found.text == "job days: Mon, Wed; job hour: 3."
    assert data_in("To do:\n- buy milk\n- call Ada").records == ()


@pytest.mark.parametrize(
    ("header", "value", "text"),
    [
        ("Price per month", "$9", "Price: $9 per month"),
        ("Fee (per term)", "180 euros", "Fee: 180 euros per term"),
        ("Cost/year", "40", "Cost: 40 per year"),
        ("Rent (monthly)", "700", "Rent: 700 monthly"),
        ("Price per month", "on request", "Price per month: on request"),
        ("area_km2", "12.9", "area: 12.9 km\u00b2"),
        ("warranty_months", "24", "warranty: 24 months"),
        ("\u00a3m", "12", "\u00a3m: 12"),
    ],
)
def test_what_a_column_is_for_stands_with_its_values(header: str, value: str, text: str) -> None:
    """The period and the unit that a name ends in go to the value, if that is a price or a figure."""
    (found,) = data_in(f"| Plan | {header} |\n|---|---|\n| A | {value} |").records
    assert found.text == f"Plan: A; {text}."


def test_a_caption_stands_in_every_row() -> None:
    """What is said above a table of its figures is said of each row, in plain words, unless a column says it."""
    rows = "| Item | 2021 |\n|---|---|\n| Sales | 5 |\n| Costs | 4 |"
    found = data_in(f"(Amounts in thousands of euros)\n{rows}").records
    assert [row.text for row in found] == [
        "Item: Sales; 2021: 5 (in \u20ac thousands).",
        "Item: Costs; 2021: 4 (in \u20ac thousands).",
    ]
    (found, _) = data_in(f"(in thousands)\n{rows.replace('Item', '$m')}").records
    assert found.text == "$m: Sales; 2021: 5."


ACCOUNTS = (
    "ACME\n(in millions, except per share data)\nYear ended May 31, 2021 2020\nSales $ 5,100 $ 4,900\nCosts (31) (29)"
)


@pytest.mark.parametrize(
    "passage",
    [ACCOUNTS, ACCOUNTS.replace("2021 2020", "\n2021\n \n2020\n").replace(" $ 5,100 $ 4,900", "\n $\n5,100 $\n4,900")],
)
def test_figures_below_years_are_rows(passage: str) -> None:
    """In plain text too, each figure stands with the year above it, wherever a PDF's lines break; the text stays."""
    data = data_in(passage)
    assert [row.text.replace("$", "") for row in data.records] == [
        "Sales; 2021: 5,100; 2020: 4,900 (in millions).",
        "Costs; 2021: (31); 2020: (29) (in millions).",
    ]
    assert passage[data.records[1].start : data.records[1].end] == "Costs (31) (29)"
    assert data.regions == ()


def test_a_part_of_a_text_has_its_rows_spelt_out() -> None:
    """Each figure has the year above it, so that it can't be taken for another year's; half a row is left as it is."""
    data, begin = data_in(ACCOUNTS), ACCOUNTS.index("Year")
    row = "Sales; 2021: $5,100; 2020: $4,900 (in millions)."
    assert data.spelt_out(ACCOUNTS[begin:-15], begin) == f"Year ended May 31, 2021 2020\n{row}\n"
    assert data.spelt_out(ACCOUNTS[begin:-1], begin) == f"Year ended May 31, 2021 2020\n{row}\nCosts (31) (29"
    assert data.spelt_out("ACME", 0) == "ACME"
    per_share = data_in(f"{ACCOUNTS}\nEarnings per share 3.12 2.98").records[-1]
    assert per_share.text == "Earnings per share; 2021: 3.12; 2020: 2.98."


def test_a_figure_of_another_year_does_not_support(make: Make) -> None:
    """A table in plain text is read with its years, in prose windows as well."""
    verifier = make()
    for year, right in ("2021", True), ("2020", False):
        result = verifier.verify(f"Sales were $5,100 million in {year}.", [ACCOUNTS])
        assert result.passed is right


@pytest.mark.parametrize(
    "passage",
    [
        "In 2021 2020 was forgotten.\nSales 5",
        "2021 2020\nSales 5 4",
        "2021\nSales 5\nCosts 4",
        "2021 2020\nSales 5\nCosts 4",
    ],
)
def test_figures_without_columns_are_no_rows(passage: str) -> None:
    """There must be two years, two rows, and as many figures in a row as years."""
    assert data_in(passage) == Data()


def test_items_of_a_list_are_entries_of_their_own() -> None:
    """What is in one item is not in the others, and each keeps the name of the list."""
    first, second = data_in("v: 2\njobs:\n- name: a\n  env:\n    k: 1\n- name: b\n  no: 3").records
    assert (first.text, second.text) == ("v: 2; jobs name: a; jobs env k: 1.", "jobs name: b; jobs no: 3.")


def test_lines_with_a_bar_are_no_table_without_a_rule() -> None:
    """A bar in prose, or a rule after prose, makes no rows."""
    assert data_in("Use a | b here.\nOr c | d.").records == ()
    assert data_in("A title\n-------\nUse a | b.").records == ()


@pytest.mark.parametrize(
    "passage",
    [
        "Paris, the capital, is big.\nIt lies on the Seine, in France.",
        "Note: this is a sentence of more than eight words, and it is prose.\nIt goes on.",
        "The shop opens at 9, daily.\nIt closes at 5, on Sundays.",
        "Paris, France\nRome, Italy",
        "{not json}",
        "[1] is a marker. See [2]",
        "a,b\n1,2,3",
        "",
    ],
)
def test_prose_is_not_data(passage: str) -> None:
    """Commas, colons and brackets alone make none."""
    assert data_in(passage).records == ()


def test_what_stands_around_a_table_is_prose() -> None:
    """Only the lines of the table are its region."""
    data = data_in(TABLE)
    assert not data.holds(0, 11) and not data.holds(TABLE.index("All"), len(TABLE))
    assert data.holds(TABLE.index("| Model"), TABLE.index("| Model") + 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\ufb00ective and e\ufb03cient on \ufb01ve \ufb02oors", "effective and efficient on five floors"),
        ("the venti-\nlation was effec-\n  tive", "the ventilation was effective"),
        ("on 14 No-\nvember", "on 14 November"),
        ("a co\u00adoperative, a soft\u00ad\nhyphen", "a cooperative, a softhyphen"),
        ("in 1990-\n1995, A-\nB", "in 1990-\n1995, A-\nB"),
        ("nothing here", "nothing here"),
    ],
)
def test_broken_text_is_mended(text: str, expected: str) -> None:
    """Ligatures, soft hyphens and words broken at line ends are whole again; ranges and names stay."""
    assert mended(text) == expected


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_passage_can_be_read(passage: str) -> None:
    """Whatever it is, records stand in it, in order."""
    records = data_in(passage).records
    assert all(0 <= record.start < record.end <= len(passage) and record.text for record in records)
    assert [record.start for record in records] == sorted(record.start for record in records)


@pytest.mark.parametrize(
    "piece",
    [
        "2021 2020\nSales 5 4\n",
        "5 ",
        "$\n",
        "(in $ million",
        "a b in millions\n",
        "a: 1\n- x\n",
        "<tr>",
        "<tr><td>",
        "| a |\n",
        "a,b\n",
        "a: b\n",
        "{",
        '[{"a": 1},',
        "x-\n",
        "<table>",
    ],
)
def test_it_takes_linear_time(piece: str) -> None:
    """Twice as much of the same is twice the work, and two hundred thousand characters are read."""
    short, long = (steps(lambda n=n: data_in(piece * n), most=2_000_000) for n in (500, 1_000))  # type: ignore[misc]
    assert long <= 2.2 * short + 200
    mended(piece * (200_000 // len(piece)))
    data_in(piece * (200_000 // len(piece)))


def test_a_claim_is_checked_against_its_own_row(make: Make) -> None:
    """What stands in the next row is said of something else, and the evidence shown is the row as it stands."""
    passage = "| Tower | Height |\n|---|---|\n| Old | 300 m |\n| New | 450 m |"
    verifier = make()
    (claim,) = verifier.verify("Tower New height 450 m.", [passage]).claims
    assert claim.evidence[0].text == "| New | 450 m |"
    assert passage[claim.evidence[0].start : claim.evidence[0].end] == "| New | 450 m |"


@pytest.mark.parametrize(
    ("passage", "records", "regions"),
    [
        ("a,b\n1,2", [("1,2", "a: 1; b: 2.")], None),
        ("a,b\n1,2\n\n3,4\n", [("1,2", "a: 1; b: 2."), ("3,4", "a: 3; b: 4.")], None),
        ("a;b\n1;2", [("1;2", "a: 1; b: 2.")], None),
        ("a\tb\n1\t2", [("1\t2", "a: 1; b: 2.")], None),
        ("a,b\n1,2,3", [], []),
        ("a\n1\n2", [], []),
        ("a,b", [], []),
        ("a,1\n1,2", [], []),
        ("a,b\n,", [], []),
        ("a,b\n,2", [(",2", "b: 2.")], None),
        ("a, b\n1, 2", [("1, 2", "a: 1; b: 2.")], None),
        ("a,b,c\n1,2,3\nx,,z", [("1,2,3", "a: 1; b: 2; c: 3."), ("x,,z", "a: x; c: z.")], None),
        ("k: v", [], []),
        ("k: v\nl: w", [("k: v\nl: w", "k: v; l: w.")], None),
        ("- k: v\n- l: w", [("- k: v\n- l: w", "k: v; l: w.")], None),
        ("k:\n  l: v\n  m: w", [("k:\n  l: v\n  m: w", "k l: v; k m: w.")], None),
        ("k:\n  l:\n    m: v\nn: w", [("k:\n  l:\n    m: v\nn: w", "k l m: v; n: w.")], None),
        ("k:\n  l: v\nm: 'w'", [("k:\n  l: v\nm: 'w'", "k l: v; m: w.")], None),
        ("k: a b c d e f g h\nl: b", [("k: a b c d e f g h\nl: b", "k: a b c d e f g h; l: b.")], None),
        ("k: a b c d e f g h i\nl: b", [], []),
        ("k: v\nx", [], []),
        ("weight_kg: 3\nmaxSpeedKmh: 5", [("weight_kg: 3\nmaxSpeedKmh: 5", "weight: 3 kg; max Speed: 5 km/h.")], None),
        ("rate_pct: 5\nb: 2", [("rate_pct: 5\nb: 2", "rate: 5%; b: 2.")], None),
        ("weight_kg: heavy\nb: 2", [("weight_kg: heavy\nb: 2", "weight kg: heavy; b: 2.")], None),
        ("kg: 3\nb: 4", [("kg: 3\nb: 4", "kg: 3; b: 4.")], None),
        ("two words: 3\nb: 4", [("two words: 3\nb: 4", "two words: 3; b: 4.")], None),
        ('{"a": 1}', [('{"a": 1}', "a: 1.")], None),
        ('{"a": null}', [], []),
        ('{"a": [1, 2]}', [('{"a": [1, 2]}', "a: 1, 2.")], None),
        ('{"a": [[1], 2]}', [('{"a": [[1], 2]}', "a: 1; a: 2.")], None),
        ('{"a": false}', [('{"a": false}', "a: no.")], None),
        ('[{"a": 1}, {"b": 2}]', [('{"a": 1}', "a: 1."), ('{"b": 2}', "b: 2.")], None),
        ("[1, 2]", [], []),
        ('[{"a": 1},', [], []),
        ('  {"a": 1}  ', [('{"a": 1}', "a: 1.")], None),
        ('{"a": {"b": {"c": 1}}}', [('{"a": {"b": {"c": 1}}}', "a b c: 1.")], None),
        ('{"a":1}\n{"b":2}', [('{"a":1}', "a: 1."), ('{"b":2}', "b: 2.")], None),
        ("| a | b |\n|---|---|\n| 1 | 2 |", [("| 1 | 2 |", "a: 1; b: 2.")], ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("| a | b |\n| 1 | 2 |", [("| a | b |", "a; b."), ("| 1 | 2 |", "1; 2.")], ["| a | b |", "| 1 | 2 |"]),
        ("| 1 | 2 |", [("| 1 | 2 |", "1; 2.")], None),
        (
            "x\n| a | b |\n|---|---|\n| 1 |  |\ny\n| 3 | 4 |",
            [("| 1 |  |", "a: 1."), ("| 3 | 4 |", "3; 4.")],
            ["| a | b |", "|---|---|", "| 1 |  |", "| 3 | 4 |"],
        ),
        (
            "| a |\n|---|\n| 1 |\n| b |\n|---|\n| 2 |",
            [("| 1 |", "a: 1."), ("| b |", "a: b."), ("| 2 |", "a: 2.")],
            ["| a |", "|---|", "| 1 |", "| b |", "|---|", "| 2 |"],
        ),
        (
            "  | a | b |  \n|:-:|---|\n  | 1 | 2 |  ",
            [("| 1 | 2 |", "a: 1; b: 2.")],
            ["  | a | b |  ", "|:-:|---|", "  | 1 | 2 |  "],
        ),
        ("| - | b |\n|---|---|\n| - | - |", [], ["| - | b |", "|---|---|", "| - | - |"]),
        ("<tr><td>1</td></tr>", [("<tr><td>1</td></tr>", "1.")], None),
        (
            "<tr><th>a</th></tr><tr><td>1</td></tr>",
            [("<tr><td>1</td></tr>", "a: 1.")],
            ["<tr><th>a</th></tr>", "<tr><td>1</td></tr>"],
        ),
        ("<tr><th>a</th><td>1</td></tr>", [("<tr><th>a</th><td>1</td></tr>", "a; 1.")], None),
        ("<tr><td>1", [], []),
        ("<TR ><TD>1 <b>x</b>&amp;y</TD></TR >", [("<TR ><TD>1 <b>x</b>&amp;y</TD></TR >", "1 x &y.")], None),
        ("x <tr><td></td></tr> y", [], ["<tr><td></td></tr>"]),
        ("<tr><th>a</th></tr>", [], None),
        (
            "<table><tr><th>a</th></tr><tr><td>1</td></tr></table> <table><tr><td>2</td></tr></table>",
            [("<tr><td>1</td></tr>", "a: 1."), ("<tr><td>2</td></tr>", "2.")],
            ["<tr><th>a</th></tr>", "<tr><td>1</td></tr>", "<tr><td>2</td></tr>"],
        ),
        (
            "<table><thead><tr><td>a</td></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
            [("<tr><td>1</td></tr>", "a: 1.")],
            ["<tr><td>a</td></tr>", "<tr><td>1</td></tr>"],
        ),
        (
            '<tr><th colspan="2">a</th><th>b</th></tr><tr><td>1</td><td>2</td><td>3</td></tr>',
            [("<tr><td>1</td><td>2</td><td>3</td></tr>", "a: 1; a: 2; b: 3.")],
            ['<tr><th colspan="2">a</th><th>b</th></tr>', "<tr><td>1</td><td>2</td><td>3</td></tr>"],
        ),
        (
            "<tr><th>a</th><th>b</th><th>c</th></tr><tr><td colspan=2>1</td><td>2</td><td>3</td></tr>",
            [("<tr><td colspan=2>1</td><td>2</td><td>3</td></tr>", "a: 1; c: 2; 3.")],
            ["<tr><th>a</th><th>b</th><th>c</th></tr>", "<tr><td colspan=2>1</td><td>2</td><td>3</td></tr>"],
        ),
        (
            "<tr><th>a</th><th>b</th></tr>"
            "<tr><td rowspan='2'>1</td><td>2</td></tr><tr><td>3</td></tr><tr><td>4</td></tr>",
            [
                ("<tr><td rowspan='2'>1</td><td>2</td></tr>", "a: 1; b: 2."),
                ("<tr><td>3</td></tr>", "a: 1; b: 3."),
                ("<tr><td>4</td></tr>", "a: 4."),
            ],
            [
                "<tr><th>a</th><th>b</th></tr>",
                "<tr><td rowspan='2'>1</td><td>2</td></tr>",
                "<tr><td>3</td></tr>",
                "<tr><td>4</td></tr>",
            ],
        ),
        (
            "| a | b |\n|---|---|\n| 1 \\| 2 | 3 | 4 |",
            [("| 1 \\| 2 | 3 | 4 |", "a: 1 | 2; b: 3; 4.")],
            ["| a | b |", "|---|---|", "| 1 \\| 2 | 3 | 4 |"],
        ),
        ('{"k": [{"a": 1}, {"a": 2}]}', [('{"a": 1}', "a: 1."), ('{"a": 2}', "a: 2.")], None),
        (
            '{"k": [{"a": 1}, {"a": 2}], "n": 2}',
            [('{"k": [{"a": 1}, {"a": 2}], "n": 2}', "k a: 1; k a: 2; n: 2.")],
            None,
        ),
        ("a: It is b.\nc: d.", [("a: It is b.\nc: d.", "a: It is b.; c: d.")], None),
        ("a, b\nx, free\ny, 5", [("x, free", "a: x; b: free."), ("y, 5", "a: y; b: 5.")], None),
    ],
)
def test_all_that_is_data(passage: str, records: list[tuple[str, str]], regions: list[str] | None) -> None:
    """Every row and entry with what it says, and the regions that are not prose; None for all of the passage."""
    found = data_in(passage)
    assert [(passage[record.start : record.end], record.text) for record in found.records] == records
    assert [passage[start:end] for start, end in found.regions] == ([passage] if regions is None else regions)


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        (0, 3, False),
        (0, 4, True),
        (3, 4, True),
        (5, 7, True),
        (6, 8, False),
        (6, 9, True),
        (9, 12, True),
        (10, 12, False),
    ],
)
def test_what_stands_in_a_region(start: int, end: int, held: bool) -> None:
    """What has a character in common with one."""
    assert Data((), ((3, 6), (8, 10))).holds(start, end) is held


def test_what_is_nested_is_bounded() -> None:
    """Twenty levels are read."""
    for depth, found in ((20, 1), (21, 0)):
        assert len(data_in('{"a": ' * depth + "1" + "}" * depth).records) == found


def test_a_long_entry_is_read_in_parts() -> None:
    """None of its values is lost, each part begins with what the entry is called, and all stand where it does."""
    passage = "no: 7\nname: Halden\n" + "\n".join(f"k{at}: {at}" for at in range(50))
    first, second, third = data_in(passage).records
    assert {(record.start, record.end) for record in (first, second, third)} == {(0, len(passage))}
    assert first.text.startswith("no: 7; name: Halden; k0: 0;") and third.text.endswith("k49: 49.")
    assert second.text.startswith("no: 7; name: Halden; k20: 20;")


@pytest.mark.parametrize("sentences", [True, False])
def test_long_values_are_read_in_parts(sentences: bool) -> None:
    """They are cut between sentences, if there are any, and each part has its key."""
    words = ["It is so."] * 31 if sentences else ["x"] * 93
    records = data_in(json.dumps({"id": "a", "text": " ".join(words)})).records
    assert len(records) == (4 if sentences else 3)
    assert all(record.text.startswith("id: a; text: ") for record in records)
    told = " ".join(record.text.removeprefix("id: a; text: ").removesuffix(".") for record in records)
    assert told.replace(".", "") == " ".join(words).replace(".", "")


FENCED = f'The call gives:\n\n```json\n[{{"model": "A"}},\n{ENTRY}]\n```\n\nIt takes 5 ms.'


@pytest.mark.parametrize(
    ("passage", "region"),
    [
        (FENCED, FENCED[FENCED.index("```") : -16]),
        (f"```yaml\n{YAML}\n```", None),
        ("So:\n~~~\nmodel,weight_kg,price_eur\nA,1,1\nCorvo 300,1.2,129\n~~~~\n", None),
        (f"It gives\n{ENTRY}\nin 5 ms.", ENTRY),
        ("# The drill\nmodel: 'Corvo 300'\n# old: 5\nweight_kg: 1.2\n---\nprice_eur: 129\n", None),
    ],
)
def test_data_in_a_text_is_read_as_data(passage: str, region: str | None) -> None:
    """In fences, or as lines of JSON, with comments or without; the text around it stays prose."""
    data = data_in(passage)
    assert data.records[-1].text == SMALL_ROW
    assert region is None or [passage[slice(*each)] for each in data.regions] == [region]


def test_comments_are_said_with_their_values() -> None:
    """A comment behind a value goes with it, a line of words is prose, and what is only switched off is nothing."""
    passage = 'size_mb: 512 # of memory\n# It is cleared every night.\n# size_mb: 256\nowner: "a # b"'
    data = data_in(passage)
    assert [record.text for record in data.records] == ["size mb: 512 (of memory); owner: a # b."]
    assert [passage[slice(*region)] for region in data.regions] == [
        passage[: passage.index("# It")],
        passage[passage.index("\n# size") :],
    ]


def test_objects_of_a_list_are_entries_of_their_own_beside_other_values() -> None:
    """The price of one is not that of the next one, whatever else stands around the list."""
    passage = '{"n": 2, "plans": [{"name": "A", "price": 9}, {"name": "B", "price": 19}], "ok": true}'
    assert [record.text for record in data_in(passage).records] == [
        "n: 2; ok: yes.",
        "plans name: A; plans price: 9.",
        "plans name: B; plans price: 19.",
    ]


@pytest.mark.parametrize(
    "passage", ["```\nIt is so.\n```", '```json\n{"a": 1}', 'Use {x} or\n{"a": 1} here.', '{"a": 1} is JSON.']
)
def test_fences_and_braces_are_no_data_by_themselves(passage: str) -> None:
    """What stands in fences may be prose, and a fence must be closed; JSON fills its lines."""
    assert data_in(passage).records == ()


@pytest.mark.parametrize("unit", ["```\n", '{"\n', "[{\n", "~~~\n```\n", '{"a": 1}\nx\n', "# a b c\na: b\n"])
def test_very_many_blocks_take_linear_time(unit: str) -> None:
    """Fences, braces and comments without end are read."""
    data_in(unit * 20_000)
