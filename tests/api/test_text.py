# SPDX-License-Identifier: MIT
"""Formatting, both ways, over the wire: markdown as Telethon has it, html as the Bot API has it, entities."""
import random

import pytest
from telethon.extensions import html as telethon_html
from telethon.extensions import markdown as telethon_markdown
from telethon.tl import types

from processes import SECRETS

ASTRAL = "😀𝔘"

# What Telethon calls what the API names so.
TELETHON = {
    "bold": types.MessageEntityBold, "italic": types.MessageEntityItalic, "code": types.MessageEntityCode,
    "pre": types.MessageEntityPre, "strikethrough": types.MessageEntityStrike,
    "underline": types.MessageEntityUnderline, "spoiler": types.MessageEntitySpoiler,
    "text_link": types.MessageEntityTextUrl, "blockquote": types.MessageEntityBlockquote,
}
NAMES = {kind: name for name, kind in TELETHON.items()}


@pytest.fixture
def chat(alice):
    """Sends to oneself and reads back: (text, entities, as markdown or html)."""

    def round_trip(text, read_mode="markdown", **options):
        sent = alice.send("me", text, **options)
        read = alice.message("me", sent["message_id"], with_entities="true", parse_mode=read_mode)
        SECRETS.text(read["text_plain"])
        return read["text_plain"], read["entities"], read["text"]

    return round_trip


def ranges(entities):
    return sorted((e["type"], e["offset"], e["length"]) for e in entities)


# ---- markdown ----


@pytest.mark.parametrize("text, plain, expected", [
    ("**bold** rest", "bold rest", [("bold", 0, 4)]),
    ("an __italic__ word", "an italic word", [("italic", 3, 6)]),
    ("~~gone~~ now", "gone now", [("strikethrough", 0, 4)]),
    ("some `code` here", "some code here", [("code", 5, 4)]),
    ("```pre formatted```", "pre formatted", [("pre", 0, 13)]),
    ("see [the label](https://example.org/a)", "see the label", [("text_link", 4, 9)]),
    ("**bold __both__**", "bold both", [("bold", 0, 9), ("italic", 5, 4)]),
    (f"{ASTRAL} **{ASTRAL}** {ASTRAL}", f"{ASTRAL} {ASTRAL} {ASTRAL}", [("bold", 5, 4)]),
    ("`**no bold in code**`", "**no bold in code**", [("code", 0, 19)]),
    ("||no spoiler|| in markdown", "||no spoiler|| in markdown", []),
    ("**not closed", "**not closed", []),
    ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name", []),
])
def test_markdown(chat, text, plain, expected):
    got, entities, back = chat(text)
    assert got == plain and ranges(entities) == sorted(expected)
    assert back == text


def test_a_link_keeps_its_address(chat):
    _, entities, _ = chat("[label](https://example.org/?a=1&b=2)")
    assert entities[0]["url"] == "https://example.org/?a=1&b=2"


def test_markdown_is_telethons(chat):
    """Random texts, as another library reads them."""
    rng = random.Random(20240301)
    pieces = ["**", "__", "~~", "`", "```", "[a](https://example.org/)", "word", " ", ASTRAL, "\n", "x", "é"]
    for _ in range(60):
        text = "start " + "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 14))) + " end"
        plain, entities = telethon_markdown.parse(text)
        got, ours, _ = chat(text)
        assert got == plain, text
        assert ranges(ours) == sorted((NAMES[type(e)], e.offset, e.length) for e in entities), text


# ---- html ----


@pytest.mark.parametrize("text, plain, expected", [
    ("<b>bold</b> <i>italic</i>", "bold italic", [("bold", 0, 4), ("italic", 5, 6)]),
    ("<u>under</u> <s>strike</s>", "under strike", [("strikethrough", 6, 6), ("underline", 0, 5)]),
    ("<tg-spoiler>hush now</tg-spoiler>", "hush now", [("spoiler", 0, 8)]),
    ("<code>a &lt; b &amp;&amp; c</code>", "a < b && c", [("code", 0, 10)]),
    ('<pre><code class="language-c">int x;</code></pre>', "int x;", [("pre", 0, 6)]),
    ("<blockquote>wise words</blockquote>", "wise words", [("blockquote", 0, 10)]),
    (f"<b>{ASTRAL}</b><i>{ASTRAL}</i>", ASTRAL + ASTRAL, [("bold", 0, 4), ("italic", 4, 4)]),
    ('<a href="https://example.org/?a=1&amp;b=2">the label</a>', "the label", [("text_link", 0, 9)]),
    ("<b>bold <i>both</i></b>", "bold both", [("bold", 0, 9), ("italic", 5, 4)]),
])
def test_html(chat, text, plain, expected):
    got, entities, back = chat(text, "html", parse_mode="html")
    assert got == plain and ranges(entities) == sorted(expected)
    again, same, _ = chat(back, "html", parse_mode="html")
    assert again == plain and same == entities


@pytest.mark.parametrize("text", ["<b>not closed", "</b>", "<unknown>tag</unknown>", "<b><i>crossed</b></i>"])
def test_broken_html_is_refused(alice, text):
    body = {"chat_id": "me", "text": text, "parse_mode": "html"}
    assert alice.error("POST", "/messages/send", 400, "INVALID_PARAMETER", json=body)["field"] == "text"


def test_html_is_what_telethon_reads(chat):
    _, entities, back = chat(f"**bold {ASTRAL}** `<code> & more`", "html")
    plain, theirs = telethon_html.parse(back)
    assert plain == f"bold {ASTRAL} <code> & more"
    assert ranges(entities) == sorted((NAMES[type(e)], e.offset, e.length) for e in theirs)


def test_no_markup_at_all(chat):
    text = "**as** __it__ <b>stands</b>"
    got, entities, back = chat(text, "none", parse_mode="none")
    assert got == text == back and entities == []


# ---- entities ----


def test_entities_in_place_of_a_parse_mode(chat):
    text = f"{ASTRAL} bold **stars**"
    given = [{"type": "bold", "offset": 5, "length": 4}, {"type": "spoiler", "offset": 10, "length": 9}]
    got, entities, _ = chat(text, entities=given)
    assert got == text
    assert ranges(entities) == [("bold", 5, 4), ("spoiler", 10, 9)]


def test_entities_as_the_schema_names_them(chat):
    given = [{"_": "messageEntityTextUrl", "offset": 0, "length": 4, "url": "https://example.org/"}]
    _, entities, _ = chat("link text", entities=given)
    assert entities[0]["type"] == "text_link" and entities[0]["url"] == "https://example.org/"


@pytest.mark.parametrize("entity", [
    {"type": "bold", "offset": 0, "length": 100}, {"type": "bold", "offset": -1, "length": 1},
    {"type": "bold", "offset": 0, "length": 0}, {"type": "bald", "offset": 0, "length": 1},
    {"offset": 0, "length": 1}, {"type": "bold", "offset": "0", "length": 1}, "bold", 7,
])
def test_bad_entities_are_refused(alice, entity):
    body = {"chat_id": "me", "text": "some text here", "entities": [entity]}
    assert alice.error("POST", "/messages/send", 400, "INVALID_PARAMETER", json=body)["field"] == "entities"


def test_random_entities_come_back(chat):
    """What is sent as entities and read as html says the same again."""
    rng = random.Random(7)
    kinds = ["bold", "italic", "underline", "strikethrough", "spoiler"]
    for _ in range(25):
        words = [rng.choice(["word", ASTRAL, "é", "&<>\"", "__x__"]) for _ in range(6)]
        text = "-" + "-".join(words) + "-"
        given, at = [], 1
        for word in words:
            length = len(word.encode("utf-16-le")) // 2
            if rng.random() < 0.6:
                given.append({"type": rng.choice(kinds), "offset": at, "length": length})
            at += length + 1
        got, entities, back = chat(text, "html", entities=given)
        assert got == text and ranges(entities) == ranges(given)
        again, same, _ = chat(back, "html", parse_mode="html")
        assert again == text and ranges(same) == ranges(given)


# ---- mentions, edits, searches ----


def test_a_mention_of_a_user(alice, bob, chat):
    alice.send("@" + bob.username, "so that they know each other")
    _, entities, back = chat(f"hello [Bob](tg://user?id={bob.user_id})")
    assert entities == [{"type": "text_mention", "offset": 6, "length": 3, "user": {"id": bob.user_id}}]
    assert back == f"hello [Bob](tg://user?id={bob.user_id})"


def test_an_edit_is_parsed_too(alice):
    sent = alice.send("me", "plain words first")
    alice.post("/messages/edit", chat_id="me", message_id=sent["message_id"], new_text="<b>bold</b> words",
               parse_mode="html")
    read = alice.message("me", sent["message_id"], with_entities="true")
    assert read["text"] == "**bold** words" and ranges(read["entities"]) == [("bold", 0, 4)]


def test_search_results_are_formatted(alice):
    alice.send("me", "**remarkableword** in bold")
    assert alice.messages("me", search="remarkableword", parse_mode="html")[0]["text"] == "<b>remarkableword</b> in bold"


@pytest.mark.parametrize("text", ["tab\tand\nnewline", "\"quotes\" \\ backslash", "\u2028 separators \u2029", "мир 世界 🌍", "\u0001 control"])
def test_json_carries_every_character(chat, text):
    got, _, _ = chat("x" + text + "x", parse_mode="none")
    assert got == "x" + text + "x"


def test_no_nul_and_no_lone_surrogates(alice):
    for raw in (b'{"chat_id":"me","text":"a\\u0000b"}', b'{"chat_id":"me","text":"a\xffb"}',
                b'{"chat_id":"me","text":"a\\ud800b"}'):
        answer = alice.http.post("/messages/send", content=raw, headers={
            "X-Session-String": alice.session, "Content-Type": "application/json"})
        assert answer.status_code in (200, 400), raw
        if answer.status_code == 400:
            assert answer.json()["error"] in ("INVALID_PARAMETER", "MALFORMED_JSON")
        else:  # json-c writes U+FFFD for half a pair
            assert "ud800" in raw.decode("latin-1")
