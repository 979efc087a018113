"""Telling languages apart: foreign texts from English ones."""

import sys

import pytest

from secondpass.language import detect_language, is_foreign, prepare_detection, unread_language


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Paris hosts the games.", False),
        ("Los Angeles beat Las Vegas 3-2.", False),
        ("Leonardo da Vinci painted La Gioconda.", False),
        ("The word Glück means luck, and 日本 means Japan.", False),
        ("12 + 30 = 42", False),
        ("", False),
        ("\u00e9t\u00e9", False),
        ("Der Turm ist 300 Meter hoch und wurde im Jahr 1889 gebaut.", True),
        ("La tour est une des plus hautes dans Paris et elle est belle.", True),
        ("La torre fue una de las más altas que existen en París.", True),
        ("東京は日本の首都です。", True),
        ("Москва — столица России.", True),
        ("القاهرة عاصمة مصر", True),
    ],
)
def test_other_languages_are_told_apart(text: str, foreign: bool) -> None:
    """English with foreign names stays English; other scripts and the small words of other languages do not."""
    assert is_foreign(text) is foreign


@pytest.mark.parametrize(
    "text",
    [
        "Le prix est 9 euros.",
        "Il piano Basic costa 9 euro, Pro 19 euro.",
        "O plano Basic custa 9 euros, Pro 19 euros.",
        "El plan Basic cuesta 9 euros, Pro 19 euros.",
        "Adultes 7 euros, enfants 3 euros, \u00e9tudiants 5 euros.",
        "Einzelzimmer 80 Euro, Doppelzimmer 120 Euro",
        "Prijs: 129 euro; gewicht: 1,2 kg",
        "Peso: 2,3 kg; precio: 129 euros",
        "Frais de retard: 5 euros",
        "Bilety kosztuj\u0105 12 euro.",
        "Kostenlose Lieferung ab 50 Euro.",
        "Der Hafen hat 240 Liegepl\u00e4tze.",
    ],
)
def test_short_texts_with_figures_are_foreign_as_well(text: str) -> None:
    """Prices and measures say nothing of a language, and the few words beside them do."""
    assert is_foreign(text)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Rauchen verboten.", True),
        ("Montags geschlossen.", True),
        ("Fr\u00fchst\u00fcck inklusive.", True),
        ("Ferm\u00e9 le lundi.", True),
        ("Livraison gratuite.", True),
        ("Closed Mondays.", False),
        ("Volkswagen Golf.", False),
        ("Angela Merkel met Emmanuel Macron.", False),
        ("Johann Sebastian Bach composed cantatas.", False),
        ("Kindergarten teachers strike.", False),
        ("Schneider Electric Modicon M221.", False),
    ],
)
def test_two_or_three_words_are_foreign_where_english_is_all_but_excluded(text: str, foreign: bool) -> None:
    """The detector shares its doubts between a language and its kin; names alone tell nothing."""
    assert is_foreign(text) is foreign


FOREIGN = {
    "German": [
        "Der Turm wurde 1889 gebaut.",
        "Das Mittel hilft nicht gegen Kopfschmerzen.",
        "Die Post kommt am Montag.",
    ],
    "French": ["La tour mesure 330 m\u00e8tres.", "Le mus\u00e9e ouvre \u00e0 neuf heures."],
    "Spanish": ["La torre mide 330 metros.", "El museo abre a las nueve."],
    "Italian": ["La torre misura 330 metri.", "Il museo apre alle nove."],
    "Portuguese": ["A torre mede 330 metros.", "O museu abre \u00e0s nove horas."],
    "Dutch": ["De toren is 330 meter hoog.", "Het museum opent om negen uur."],
    "Swedish": ["Tornet byggdes 1889 i Paris.", "Museet \u00f6ppnar klockan nio."],
    "Danish": ["T\u00e5rnet blev bygget i 1889.", "Museet \u00e5bner klokken ni."],
    "Norwegian": ["T\u00e5rnet ble bygget i 1889.", "Museet \u00e5pner klokken ni."],
    "Finnish": ["Torni rakennettiin vuonna 1889.", "Museo avataan kello yhdeks\u00e4n."],
    "Polish": ["Wie\u017ca zosta\u0142a zbudowana w 1889 roku.", "Muzeum otwiera si\u0119 o dziewi\u0105tej."],
    "Czech": ["V\u011b\u017e byla postavena v roce 1889.", "Muzeum otev\u00edr\u00e1 v dev\u011bt hodin."],
    "Hungarian": ["A tornyot 1889-ben \u00e9p\u00edtett\u00e9k.", "A m\u00fazeum kilenckor nyit."],
    "Romanian": ["Turnul a fost construit \u00een 1889.", "Muzeul se deschide la ora nou\u0103."],
    "Turkish": ["Kule 1889 y\u0131l\u0131nda in\u015fa edildi.", "M\u00fcze saat dokuzda a\u00e7\u0131l\u0131yor."],
    "Indonesian": ["Menara itu dibangun pada tahun 1889.", "Museum buka jam sembilan."],
    "Croatian": ["Toranj je izgra\u0111en 1889. godine.", "Muzej se otvara u devet sati."],
    "Estonian": ["Torn ehitati 1889. aastal.", "Muuseum avatakse kell \u00fcheksa."],
    "Catalan": ["La torre fa 330 metres d'al\u00e7ada.", "El museu obre a les nou."],
    "Swahili": ["Mnara ulijengwa mwaka 1889.", "Makumbusho yanafunguliwa saa tatu."],
    "Russian": ["\u0411\u0430\u0448\u043d\u044f \u0432\u044b\u0441\u043e\u043a\u0430\u044f."],
    "Greek": [
        "\u039f \u03c0\u03cd\u03c1\u03b3\u03bf\u03c2 \u03b5\u03af\u03bd\u03b1\u03b9 \u03c8\u03b7\u03bb\u03cc\u03c2."
    ],
    "Hebrew": ["\u05d4\u05de\u05d2\u05d3\u05dc \u05d2\u05d1\u05d5\u05d4."],
    "Chinese": ["\u8fd9\u5ea7\u5854\u5efa\u4e8e1889\u5e74\u3002"],
}


@pytest.mark.parametrize("language", FOREIGN)
def test_short_sentences_of_many_languages_are_foreign(language: str) -> None:
    """A sentence of a few words, with a year in it, is enough."""
    assert [text for text in FOREIGN[language] if not is_foreign(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Bruce Shand was born on September 22nd, 1917.",
        "Georg Friedrich Parrot was born in Mutschelleben.",
        "The door is open.",
        "It is.",
        "Yes, I agree!",
        "4 weeks.",
        "Margin was $50.",
        "The Corvo 300 costs 129 euros.",
        "Barack Obama served two terms from 2009 to 2017.",
        "Mikhail Gorbachev is a singer.",
        "The Saale-Holzland-Kreis is in Thuringia.",
        "Children under 12 pay 9 euros.",
        "See https://example.org/help?id=13 for help.",
        "Set `cache: false` in config.yaml.",
        "Angela Merkel, Emmanuel Macron",
        "He visited M\u00fcnchen, K\u00f6ln and D\u00fcsseldorf.",
        "Basic costs 9 euros, Pro 19 euros.",
        "Basic: 9 euros, Pro: 19 euros",
        "Adults 7 euros, children 3 euros, students 5 euros.",
        "Single room 80 euros, double room 120 euros, suite 200 euros",
        "plans name: Pro; plans price: 19 euros.",
        "model: Corvo 300; weight: 1.2 kg; price: 129 euros.",
        "Berlin 3.6 million, Hamburg 1.8 million, Munich 1.5 million",
        "Fee: 180 euros per term",
        "Full name: Janelle Mon\u00e1e",
        "9 euros, 19 euros, 29 euros, 39 euros",
    ],
)
def test_short_english_sentences_are_not(text: str) -> None:
    """Names, numbers and so few words that a detector is unsure don't make English foreign."""
    assert not is_foreign(text)


def test_long_texts_take_as_long_as_short_ones() -> None:
    """A megabyte without a blank, or of one letter, is judged by its beginning."""
    for text in ("a" * 1_000_000, "a " * 500_000, "\u00e4" * 1_000_000, "." * 1_000_000):
        assert isinstance(is_foreign(text), bool)


_SHORT = """NATO; copy file; delete folder; numpy argsort; la la land cast; da vinci mona lisa; rio de janeiro
carnival; cafe au lait calories; curriculum vitae template; best pizza naples; visa requirements brazil;
jaguar xf price; bmw dealer munich; don quixote author; hotel paris; madrid barcelona train; salsa verde
ingredients; El Niño effects; who wrote faust; wifi password reset; refund order; error 503 upload; login
problem; docker compose volumes; kubernetes pod restart; protein folding; insulin resistance; vitamin d
deficiency; weather tomorrow; stock price apple; zeitgeist meaning; schadenfreude definition; kindergarten
age; angst synonyms; deja vu causes; rendezvous spelling; ballet moscow bolshoi; fjords norway cruise;
ikea billy shelf; mozart requiem; roma tomato; santa monica pier; buenos aires tango; amsterdam canals;
lufthansa baggage; puma shoes; sudoku solver; karaoke bar; tsunami warning; haiku structure; lingua
franca; quid pro quo; habeas corpus; ad hoc network; per capita income; status quo bias; a priori
algorithm; vice versa; et al citation; alma mater; modus operandi; alter ego; population tokyo; manga one
piece; kimchi fermentation time; bordeaux wine vintage; boundary layer transition; laminar flow flat
plate; aerodynamic heating blunt body; gdp germany 2019; berlin wall fall date; asyncio gather; pandas
groupby mean; cancel subscription; invoice vat number; parcel delayed; return shoes; crispr cas9
off-target; how tall is everest; when was bach born; where is machu picchu; why is sky blue; sushi rice
ratio; tiramisu recipe; vietnam travel national park; einstein relativity theory; los angeles lakers
roster 2010; flu vaccine side effects; tesla model 3 range; iphone 12 battery; carbonara without cream;
vermeer girl pearl earring; san francisco giants score; nintendo switch; origami crane; adidas ultraboost;
volvo xc90 review; pro bono lawyer; moon distance earth; capital of france"""


def test_no_short_english_query_is_foreign() -> None:
    """A hundred of them, many of foreign names, with documents in English."""
    queries = " ".join(_SHORT.split("\n")).split("; ")
    documents = ["The tower was built in 1889 and is 300 metres high.", "shutil.copy copies a file.", "Berlin"]
    assert len(queries) == 100
    assert [query for query in queries if unread_language(query, documents, {"en"})] == []


@pytest.mark.parametrize("language", FOREIGN)
def test_documents_in_another_language_are_unread(language: str) -> None:
    """Whatever the query is; a minority of the documents is not enough."""
    foreign, english = FOREIGN[language], ["The museum opens at nine.", "The tower is 330 metres high."]
    assert unread_language("eiffel tower", foreign * 2, {"en"})
    assert unread_language("eiffel tower", [foreign[0], *english], {"en"}) is None


@pytest.mark.parametrize(
    ("query", "read", "unread"),
    [
        ("ما ارتفاع البرج", {"en"}, "ar"),
        ("这座塔有多高", {"en"}, "zh"),
        ("这座塔有多高", {"en", "zh"}, None),
        ("Wie hoch ist der Turm in Paris eigentlich", {"en"}, "de"),
        ("Turm Paris", {"en"}, None),
        ("how high is the tower in Paris", {"en"}, None),
    ],
)
def test_a_query_is_unread_if_it_is_long_or_in_another_script(query: str, read: set[str], unread: str | None) -> None:
    """A few words in Latin letters may be names; a model that reads a language beside English reads it."""
    assert unread_language(query, ["The museum opens at nine."], read) == unread


_LONGER = {
    "German": ["Der Turm wurde im Jahr 1889 gebaut und steht in Paris.", "Das Museum ist montags geschlossen."],
    "French": [
        "La tour mesure 330 m\u00e8tres et se trouve \u00e0 Paris.",
        "Le mus\u00e9e est ferm\u00e9 tous les lundis.",
    ],
    "Spanish": ["La torre fue construida en el a\u00f1o 1889.", "El museo est\u00e1 cerrado todos los lunes."],
    "Italian": ["La torre \u00e8 stata costruita nel 1889 a Parigi.", "Il museo rimane chiuso tutti i luned\u00ec."],
    "Portuguese": ["A torre foi constru\u00edda no ano de 1889.", "O museu n\u00e3o abre \u00e0s segundas-feiras."],
    "Dutch": ["De toren werd in het jaar 1889 gebouwd.", "Het museum is op maandag altijd gesloten."],
}
_QUESTIONS = {
    "German": [
        "Wie hoch ist der Turm?",
        "Wer hat Faust geschrieben?",
        "Warum ist der Himmel blau?",
        "Rechnung fehlt noch",
    ],
    "French": ["O\u00f9 est la gare ?", "Quand ferme le mus\u00e9e ?", "Pourquoi le ciel est bleu ?"],
    "Spanish": ["\u00bfD\u00f3nde est\u00e1 la estaci\u00f3n?", "\u00bfCu\u00e1nto cuesta un billete?"],
    "Italian": ["Dove si trova la stazione?", "Quando chiude il museo?"],
}
_READ = ["The museum opens at nine.", "The tower is 330 metres high.", "It is closed now.", "She lives in the house."]


@pytest.mark.parametrize("language", _QUESTIONS)
def test_a_short_query_in_the_language_of_some_documents_is_unread(language: str) -> None:
    """A quarter of them is enough; with English documents alone a few words may be names."""
    for query in _QUESTIONS[language]:
        asked = detect_language(query)
        assert asked != "en" and unread_language(query, [*_LONGER[language], *_READ[:2]], {"en"}) == asked
        assert unread_language(query, [_LONGER[language][0], *_READ[:3]], {"en"}) == asked
        assert unread_language(query, [_LONGER[language][0], *_READ], {"en"}) is None
        assert unread_language(query, _READ, {"en"}) is None


@pytest.mark.parametrize(
    ("language", "names"),
    [
        *((language, set[str]()) for language in ("German", "Spanish", "Italian", "Dutch")),
        ("French", {"cafe au lait calories"}),
        ("Portuguese", {"rio de janeiro carnival"}),
    ],
)
def test_short_english_queries_among_mixed_documents(language: str, names: set[str]) -> None:
    """Where half of the documents are in another language, only names in that language are taken for it."""
    queries = " ".join(_SHORT.split("\n")).split("; ")
    documents = [*_LONGER[language], *_READ[:2]]
    assert {query for query in queries if unread_language(query, documents, {"en"})} == names


def test_importing_the_detector_beforehand_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reranker imports as it is built may be missing: it is asked for once a language has to be told."""
    prepare_detection()
    assert "py3langid.langid" in sys.modules
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    prepare_detection()
