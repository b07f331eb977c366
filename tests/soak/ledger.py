# SPDX-License-Identifier: MIT
"""What must be in the chats: each message that was ever asked for, and what its sender was told."""
import collections
import re
from dataclasses import dataclass, field

PRESENT, ABSENT, UNKNOWN = "present", "absent", "unknown"


@dataclass(frozen=True)
class Room:
    """One chat. Ids of messages are the chat's own in supergroups, each account's own elsewhere."""

    kind: str  # supergroup, group, private, me
    name: str  # what tells it from the others
    chat_ids: dict = field(compare=False, hash=False)  # account -> how that one names it

    def members(self):
        return list(self.chat_ids)


@dataclass(eq=False)
class Entry:
    """A message. `texts`: any of these may stand there; more than one after an edit of unknown outcome."""

    room: Room
    author: object
    texts: list
    files: int = 0  # more than one: an album, whose first message has the text
    state: str = UNKNOWN
    message_id: int | None = None
    story: list = field(default_factory=list)

    def tell(self, *words):
        self.story.append(" ".join(str(word) for word in words))


class Ledger:
    def __init__(self, prefix):
        self.prefix = prefix
        self.rooms = {}  # room -> its entries
        self._pattern = re.compile(re.escape(prefix) + r"[0-9a-z-]+")
        self._by_token = {}
        self._count = 0

    def token(self):
        self._count += 1
        return f"{self.prefix}{self._count}"

    def token_in(self, text):
        match = self._pattern.search(text or "")
        return match and match.group()

    def expect(self, room, author, text):
        """A message that is asked for from now on: whether it comes to be is not known yet."""
        entry = Entry(room, author, [text])
        self.rooms.setdefault(room, []).append(entry)
        self.also(entry, text)
        return entry

    def also(self, entry, text):
        """The entry may come to stand there with this text."""
        self._by_token[entry.room, self.token_in(text)] = entry

    def has(self, room, text):
        return (room, self.token_in(text)) in self._by_token

    # ---- the comparison ----

    async def check(self, read):
        """Reads every chat, as each author and as one other member sees it, and yields what is wrong.
        read(account, chat_id) gives the chat's messages."""
        for (room, account), authors in self._views().items():
            seen, albums = {}, collections.Counter()
            for message in await read(account, room.chat_ids[account]):
                albums[message.get("grouped_id")] += 1
                token = self.token_in(message["text"])
                if not token:
                    continue
                entry = self._by_token.get((room, token))
                if entry is None:
                    yield f"{room.name}: message {message['id']} of nobody: {message['text'][:80]!r}"
                else:
                    seen.setdefault(entry, []).append(message)
            for entry in self.rooms[room]:
                for problem in self._judge(entry, seen.get(entry, []), entry.author in authors, albums):
                    yield f"{room.name} as {account} sees it: {problem}; {entry.texts}: {'; '.join(entry.story)}"

    def _views(self):
        """{(room, account): authors whose ids this account sees}."""
        views = {}
        for room, entries in self.rooms.items():
            authors = {entry.author for entry in entries}
            if room.kind == "supergroup":
                views[room, room.members()[0]] = authors
                continue
            for author in authors:
                views[room, author] = {author}
            others = [member for member in room.members() if member not in authors]
            for other in others[:1]:
                views[room, other] = set()
        return views

    def entries(self):
        return [entry for entries in self.rooms.values() for entry in entries]

    @staticmethod
    def _judge(entry, seen, same_ids, albums):
        ids = [message["id"] for message in seen]
        if len(seen) > 1:
            yield f"stands there {len(seen)} times, as {ids}"
        if entry.state == ABSENT and seen:
            yield f"stands there as {ids}, and must not"
        if entry.state == PRESENT and not seen:
            yield f"is not there: it was answered with id {entry.message_id}"
        if seen and seen[0]["text"] not in entry.texts:
            yield f"reads {seen[0]['text'][:80]!r}"
        if entry.state == PRESENT and seen and same_ids and ids[0] != entry.message_id:
            yield f"has the id {ids[0]}, and not {entry.message_id} as answered"
        if seen and entry.files > 1 and (n := albums[seen[0].get("grouped_id")]) != entry.files:
            yield f"is an album of {n}, and not of {entry.files}"
