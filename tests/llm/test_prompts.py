"""Documents in prompts: delimited, and without anything that a chat template could take for its own."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.llm.prompts import best_prompt, cut, delimited, grade_prompt, permutation_prompt, yes_no_prompt
from secondpass.llm.types import Prompt

# Of the templates and vocabularies of Llama 2 to 4, Mistral, Qwen, DeepSeek, Gemma, GLM, Phi, Command, EXAONE, MiniMax,
# Seed, Nemotron, InternLM, Baichuan, T5, BERT, and the tools of several.
_MARKERS = """
<|im_start|> <|im_end|> <|endoftext|> <|eot_id|> <|start_header_id|> <|begin_of_text|> <|python_tag|> <|header_start|>
<|user|> <|assistant|> <|system|> <|observation|> <|end|> <|channel|> <|message|> <|return|> <|call|> <|fim_prefix|>
<\uff5cUser\uff5c> <\uff5cbegin\u2581of\u2581sentence\uff5c> <\uff5ctool\u2581calls\u2581begin\uff5c> <bot>
\uff1ctool_call\uff1e \uff1c|im_start|> \uff1c|im_end|\uff1e \uff1c\uff5cUser\uff5c\uff1e \ufe64|im_start|\ufe65
<s> </s> <bos> <eos> <pad> <unk> <mask> <sop> <eop> <eod> <start_of_turn> <end_of_turn> <start_of_image> <unused12>
<tool_call> </tool_call> <tool_response> </tool_response> <tools> <function_calls> </function_calls> <function=x>
<arg_key> <think> </think> <reasoning> <image> <0x0A> <extra_id_0> <SPECIAL_12> <reserved_106> <seed:bos>
<minimax:tool_call> <invoke <|START_OF_TURN_TOKEN|> <BOS_TOKEN> <<SYS>> <</SYS>> [INST] [/INST] [SYSTEM_PROMPT]
[/SYSTEM_PROMPT] [AVAILABLE_TOOLS] [TOOL_CALLS] [TOOL_RESULTS] [THINK] [ARGS] [CALL_ID] [IMG] [gMASK] [sMASK] [MASK]
[CLS] [SEP] [PAD] [UNK] [|user|] [|endofturn|] [BOS] \uff3bINST\uff3d ]~b] ]~!b[ ]<]speaker[>[
"""
MARKERS = re.findall(r"\S+", _MARKERS)


def _seen(marker: str) -> str:
    """Return what a tokenizer that normalizes sees of a text: compatible forms, without invisible characters."""
    folded = unicodedata.normalize("NFKC", marker)
    return "".join(char for char in folded if unicodedata.category(char) not in ("Cf", "Cc") or char in "\t\n\r")


def _data(text: str) -> str:
    match = re.fullmatch(r"BEGIN X (\w{8})\n(.*)\nEND X \1", delimited([("X", text)]), re.DOTALL)
    assert match
    return match[2]


@pytest.mark.parametrize("marker", MARKERS)
def test_no_marker_of_a_template_is_whole(marker: str) -> None:
    """Alone, between letters, doubled, and with an invisible character anywhere in it."""
    broken = [marker, f"a{marker}b", marker * 2, *(f"{marker[:at]}\u200b{marker[at:]}" for at in range(1, len(marker)))]
    for text in broken:
        assert _seen(marker) not in _seen(_data(text)), _data(text)


@given(st.text("<>|[]/~!=-a1B_ \n\u200b\uff1c\uff5c\uff1e\uff3b\uff3d") | st.text())
def test_only_blanks_are_added(text: str) -> None:
    """Nothing is lost or reordered, and a second time changes nothing more."""
    data = _data(text)
    assert data.replace(" ", "") == text.replace(" ", "")
    assert re.sub(" +", " ", _data(data)) == re.sub(" +", " ", data)


@pytest.mark.parametrize(
    "text", ["a <= b", "x <- 3", "a < b > c", "[1], [12] and [2024]", "array[i]", "a[0][1]", "f(x) -> y"]
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    """Comparisons, citations and indices are not markup."""
    assert _data(text) == text


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_text_cannot_close_its_block(texts: list[str]) -> None:
    """Each block ends at its own END line only, whatever the texts hold."""
    prompt = delimited([(f"DOCUMENT {at}", text) for at, text in enumerate(texts)])
    code = prompt.split("\n", 1)[0].split()[-1]
    assert all(code not in text for text in texts)
    assert prompt.count(code) == 2 * len(texts)


def test_a_schema_lists_what_may_be_answered() -> None:
    """Grades from 0 to the top one, and documents numbered from 1."""
    grade, best = grade_prompt("q", "a", 3, None), best_prompt("q", ["a", "b"], None)
    order = permutation_prompt("q", ["a", "b"], None)
    assert json.loads(grade.schema)["properties"]["grade"]["enum"] == [0, 1, 2, 3]
    assert json.loads(best.schema)["properties"]["best"]["enum"] == [1, 2]
    assert json.loads(order.schema)["properties"]["ranking"]["items"]["enum"] == [1, 2]


def test_the_longest_answer_follows_from_what_is_asked() -> None:
    """A word, a number, a number for each document; or what the caller wants. Only a word comes with its odds."""
    texts = ["a", "b", "c"]

    def all_of(limit: int | None) -> list[Prompt]:
        return [
            yes_no_prompt("q", "a", limit),
            grade_prompt("q", "a", 3, limit),
            best_prompt("q", texts, limit),
            permutation_prompt("q", texts, limit),
        ]

    assert [prompt.max_tokens for prompt in all_of(None)] == [8, 32, 32, 32 + 8 * 3]
    assert [prompt.max_tokens for prompt in all_of(5)] == [5] * 4
    assert [prompt.logprobs for prompt in all_of(None)] == [True, False, False, False]
    assert [bool(prompt.schema) for prompt in all_of(None)] == [False, True, True, True]
    assert not json.loads(grade_prompt("q", "a", 3, None).schema)["additionalProperties"]


def test_documents_are_numbered_from_one() -> None:
    """As the answers name them."""
    names = re.findall(r"BEGIN (.+) \w{8}\n", best_prompt("q", ["a", "b"], None).user)
    assert names == ["QUERY", "DOCUMENT 1", "DOCUMENT 2"]


def test_a_text_of_just_the_length_is_not_cut() -> None:
    """One letter more is."""
    assert (cut("abc", 3), cut("abcd", 3)) == (("abc", False), ("abc", True))
