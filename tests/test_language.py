"""Telling languages apart: foreign texts from English ones."""

import pytest

from secondpass.language import is_foreign


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
