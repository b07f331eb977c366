# SPDX-License-Identifier: MIT
"""Writes markdown.jsonl: what Telethon's markdown makes of many texts, one JSON object a line.

    {"parse": markdown, "text": plain, "entities": [[type, offset, length, value?], ...]}
    {"unparse": markdown, "text": plain, "entities": [...]}

Needs telethon 1.42 (pip); the seed is fixed, so the file is the same each time.
"""
import json
import pathlib
import random
import re

from telethon.extensions import markdown
from telethon.helpers import add_surrogate
from telethon.tl import types

NAMES = {
    types.MessageEntityBold: "bold",
    types.MessageEntityItalic: "italic",
    types.MessageEntityStrike: "strikethrough",
    types.MessageEntityCode: "code",
    types.MessageEntityPre: "pre",
    types.MessageEntityTextUrl: "text_link",
    types.MessageEntityMentionName: "text_mention",
    types.MessageEntityUnderline: "underline",
    types.MessageEntitySpoiler: "spoiler",
    types.MessageEntityUrl: "url",
}
MENTION = re.compile(r"tg://user\?id=([0-9]+)")

WRITTEN = [
    "", " ", "plain", "**bold**", "__italic__", "~~strike~~", "`code`", "```pre```", "[label](https://x.org/)",
    "**", "****", "*****", "******", "**a", "a**", "** **", "**\n**", "___a___", "__ __a__ __",
    "**bold __both__ bold**", "**bold __both** italic__", "`**not bold**`", "```a`b```", "````a````",
    "```python\nprint(1)\n```", "[**not**](u)", "**[x](u)**", "**[x**](u)", "[x](u**)**", "[](u)", "[x]()", "[x](a(b)c)",
    "[[x]](u)", "[a]b](u)", "[a](b)[c](d)", "[x](tg://user?id=12345)", "[x](tg://user?id=)", "[x](@name)", "[x](+123)",
    "||spoiler||", "__underline__ --u--", "  **a**  ", "**  a  **", "\u00a0**a**\u2003", "**a **b** c**",
    "\U0001f600**\U0001f600**\U0001f600", "**\U0001f600**", "`\U0001f600`__\U0001f468\u200d\U0001f469__",
    "**a_**_b__ c", "_**x_**_", "~**~a~**~", "`a``b`", "`a````b```", "```a````b`", "**a****b**", "**a**__b__~~c~~",
    "\\**a\\**", "2*3*4 snake_case __init__ a~b", "[x] (u)", "[x](u", "[x", "(u)", "a](b)", "![alt](u)",
    "**\u0420\u0443\u0441\u0441\u043a\u0438\u0439** __\u4e2d\u6587__", "**a\n\nb**", "[multi\nline](http://a\nb)",
]


def entity_row(e):
    name, value = NAMES[type(e)], None
    if name == "text_link":
        value = e.url
        mention = MENTION.match(value)
        if mention and int(mention.group(1)):
            name, value = "text_mention", int(mention.group(1))
    elif name == "text_mention":
        value = e.user_id
    row = [name, e.offset, e.length]
    return row if value is None else row + [value]


def parsed(text):
    plain, entities = markdown.parse(text)
    rows = [entity_row(e) for e in entities if e.length > 0]
    return {"parse": text, "text": plain, "entities": rows}


PIECES = ["**", "__", "~~", "`", "```", "*", "_", "~", "[", "]", "(", ")", "](", "[a](b)", "a", "b", "xy", " ", "\n",
          "\U0001f600", "\u00e9", "\u4e2d", "tg://user?id=7", "@n", "\U0001d11e"]


def random_text(rng):
    pieces = rng.sample(PIECES, rng.randint(2, len(PIECES)))
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, 40)))


def random_entities(rng, text):
    """Entities that begin and end between characters: Telethon fails on some that do not."""
    kinds = [types.MessageEntityBold, types.MessageEntityItalic, types.MessageEntityStrike, types.MessageEntityCode,
             types.MessageEntityUnderline, types.MessageEntitySpoiler, types.MessageEntityUrl]
    rows = []
    for _ in range(rng.randint(1, 6)):
        first = rng.randrange(len(text))
        begin = len(add_surrogate(text[:first]))
        length = len(add_surrogate(text[first:rng.randint(first + 1, len(text))]))
        choice = rng.randrange(10)
        if choice == 0:
            rows.append(types.MessageEntityPre(begin, length, rng.choice(["", "c"])))
        elif choice == 1:
            rows.append(types.MessageEntityTextUrl(begin, length, rng.choice(["http://a.b/", "u)"])))
        elif choice == 2:
            rows.append(types.MessageEntityMentionName(begin, length, rng.randint(1, 1 << 40)))
        else:
            rows.append(rng.choice(kinds)(begin, length))
    rows.sort(key=lambda e: (e.offset, -e.length))
    return rows


def random_unparse(rng):
    text = "".join(rng.choice(["a", "b", " ", "\U0001f600", "\u00e9", "\u4e2d", "*", "\U0001d11e"])
                   for _ in range(rng.randint(1, 12)))
    entities = random_entities(rng, text)
    return {"unparse": markdown.unparse(text, entities), "text": text, "entities": [entity_row(e) for e in entities]}


def main():
    rng = random.Random(20240301)
    cases = [parsed(text) for text in WRITTEN]
    cases += [parsed(random_text(rng)) for _ in range(2000)]
    cases += [random_unparse(rng) for _ in range(600)]
    out = pathlib.Path(__file__).with_name("markdown.jsonl")
    out.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="ascii")


main()
