# SPDX-License-Identifier: MIT
"""Random calls of the API, and what each promises."""
import asyncio
import random
import uuid
from dataclasses import dataclass

import wrong
from ledger import ABSENT, PRESENT, UNKNOWN

WORDS = ["tea", "Ångström", "снег", "夜明け", "🦊", "👩‍👩‍👧", "**bold**?", "<b>", "&amp;", "`code`", "a\nb", "_", "\\",
         "שלום"]
FILE_SIZES = [1, 1000, 70_000, 524_288, 700_001]  # under one part, exactly one, over one
FILE_WEIGHTS = [4, 4, 2, 1, 1]
FILES_AT_ONCE = [1, 1, 1, 2, 4]  # more than one: an album
LONG_WORDS = 300  # a text of some thousand characters
LONG_TEXTS = 0.02  # of all, but for captions, which are shorter by rule
KEY_TRIES = 12
DIALOG_PAGES_MAX = 3


@dataclass
class File:
    """One to be sent. Its bytes are made anew each time: a run sends too many to keep."""

    seed: int
    size: int

    def content(self):
        return random.Random(self.seed).randbytes(self.size)


class Traffic:
    """What one account does."""

    def __init__(self, run, account, rooms):
        self.run = run
        self.account = account
        self.rng = account.rng
        self.rooms = rooms
        self.mine = []  # entries that may be edited, deleted, forwarded
        self.menu = [
            (24, self.send), (12, self.send_with_key), (3, self.send_by_method), (1, self.send_file),
            (2, self.download), (10, self.history), (4, self.search),
            (4, self.chats), (4, self.me), (7, self.edit), (5, self.delete), (5, self.forward), (5, self.method),
            (3, self.come_and_go), (2, self.hang_up), (8, self.mistake),
        ]
        self.files = []  # (chat_id, message id, File)

    async def go_on(self, until):
        weights = [weight for weight, _ in self.menu]
        while until() > 0:
            await self.rng.choices([do for _, do in self.menu], weights)[0]()

    # ---- sending ----

    def _text(self, long):
        n = LONG_WORDS if self.rng.random() < long else self.rng.randrange(4)
        return " ".join([self.run.ledger.token(), *self.rng.choices(WORDS, k=n), "."])

    def _settle(self, entry, answer):
        entry.tell("sent", answer)
        if answer.ok:
            self._is_there(entry, answer)
        else:
            entry.state = ABSENT if answer.refused else UNKNOWN

    def _is_there(self, entry, answer):
        """Files stay as they are, so that they can be fetched."""
        entry.state, entry.message_id = PRESENT, int(answer.body["message_id"])
        if not entry.files:
            self.mine.append(entry)

    def _request(self, room, text):
        return {"chat_id": room.chat_ids[self.account], "text": text, "parse_mode": "none"}

    def _maybe_patient(self):
        return {"Prefer": "wait=2"} if self.rng.random() < 0.2 else {}

    def _expect(self, long=LONG_TEXTS):
        room = self.rng.choice(self.rooms)
        text = self._text(long)
        return self.run.ledger.expect(room, self.account, text), self._request(room, text)

    async def send(self):
        entry, body = self._expect()
        self._settle(entry, await self.account.call(
            "POST", "/messages/send", json=body, headers=self._maybe_patient()))

    async def send_with_key(self):
        entry, body = self._expect()
        await self._until_answered(entry, {"path": "/messages/send", "json": body})

    async def _until_answered(self, entry, request):
        """Whatever comes in between: the same key until it is answered, and then it is one message.
        request: what Account.call takes beside the method."""
        key = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        request["headers"] = {"Idempotency-Key": key, **self._maybe_patient()}
        for _ in range(KEY_TRIES):
            answer = await self.post(entry, request, "sent with a key")
            if answer.ok:
                await self.repeat(entry, answer, request)
                return answer
            await asyncio.sleep(self.rng.uniform(0, 0.4))
        self.run.open_keys.append((self, entry, request))
        return answer

    async def post(self, entry, request, told):
        self.run.file_bytes += sum(len(content) for _, (_, content, _) in request.get("files", ()))
        answer = await self.account.call("POST", **request)
        entry.tell(told, answer)
        return answer

    async def repeat(self, entry, first, request):
        """After a success the key may be used again, to no effect."""
        if self.rng.random() < 0.5:
            again = await self.post(entry, request, "repeated")
            self.run.check(not again.ok or again.body == first.body,
                           "a repeated key is answered with the first message",
                           f"{first.body} and then {again.body}; {entry.story}")
        self._is_there(entry, first)

    async def send_by_method(self):
        entry, body = self._expect()
        answer = await self.account.call("POST", "/methods/messages.sendMessage",
                                         json={"peer": body["chat_id"], "message": body["text"]})
        entry.tell("sent by its method", answer)
        if not answer.ok:
            entry.state = ABSENT if answer.refused else UNKNOWN
            return
        update = answer.body
        ids = [update.get("id")] + [u.get("id") for u in update.get("updates", []) if u["_"] == "updateMessageID"]
        entry.state, entry.message_id = PRESENT, next(i for i in ids if i is not None)

    async def send_file(self):
        """One, or an album of several; with a key, or without."""
        entry, body = self._expect(long=0)
        sizes = self.rng.choices(FILE_SIZES, FILE_WEIGHTS, k=self.rng.choice(FILES_AT_ONCE))
        files = [File(self.rng.getrandbits(64), size) for size in sizes]
        entry.files = len(files)
        # Random bytes may begin like sound, which cannot share an album with documents.
        request = {"path": "/messages/send_with_file", "data": {**body, "force_document": "true"},
                   "files": [("file", (f"{i}.bin", file.content(), "application/octet-stream"))
                             for i, file in enumerate(files)]}
        if self.rng.random() < 0.3:
            answer = await self._until_answered(entry, request)
        else:
            answer = await self.post(entry, request, "sent with files")
            self._settle(entry, answer)
        if answer.ok:
            ids = answer.body["message_ids"]
            self.run.check(len(ids) == len(files), "every message is there as its sender was told", f"{answer}: {ids}")
            self.files += [(body["chat_id"], *pair) for pair in zip(ids, files)]

    async def download(self):
        """A file, or a part of it."""
        if not self.files:
            return
        chat_id, message_id, file = self.rng.choice(self.files)
        content, headers = file.content(), {}
        if self.rng.random() < 0.3:
            first = self.rng.randrange(file.size)
            last = self.rng.randrange(first, file.size)
            content, headers = content[first:last + 1], {"Range": f"bytes={first}-{last}"}
        answer = await self.account.call("GET", f"/messages/media/{message_id}", params={"chat_id": chat_id},
                                         headers=headers)
        if answer.ok:
            self.run.check(answer.status == (206 if headers else 200) and answer.response.content == content,
                           "files come back as they went",
                           f"{answer}: {len(answer.response.content)} bytes of {file.size}, {headers}")

    async def hang_up(self):
        entry, body = self._expect()
        answer = await self.account.call("POST", "/messages/send", json=body,
                                         patience_s=self.rng.choice([0.001, 0.005, 0.02]))
        self._settle(entry, answer)

    # ---- messages of one's own ----

    def _take(self):
        """One that nothing else is being done with."""
        if not self.mine:
            return None
        return self.mine.pop(self.rng.randrange(len(self.mine)))

    def _give_back(self, entry, answer):
        """Not in doubt: what was asked for may still happen."""
        if answer.ok or answer.refused:
            self.mine.append(entry)

    async def edit(self):
        entry = self._take()
        if not entry:
            return
        text = self._text(LONG_TEXTS)
        self.run.ledger.also(entry, text)
        answer = await self.account.call("POST", "/messages/edit", json={
            "chat_id": entry.room.chat_ids[self.account], "message_id": entry.message_id, "new_text": text,
            "parse_mode": "none"})
        entry.tell("edited", answer)
        if answer.ok:
            entry.texts = [text]
        elif not answer.refused:
            entry.texts.append(text)
        self._give_back(entry, answer)

    async def delete(self):
        entry = self._take()
        if not entry:
            return
        answer = await self.account.call("DELETE", "/messages/delete", json={
            "chat_id": entry.room.chat_ids[self.account], "message_ids": [entry.message_id]})
        entry.tell("deleted", answer)
        if answer.ok:
            self.run.check(answer.body["deleted_messages"] == [entry.message_id],
                           "every answer is one that the description documents", f"{answer}: {answer.body}")
            entry.state = ABSENT
        elif answer.refused:
            self._give_back(entry, answer)
        else:
            entry.state = UNKNOWN

    async def forward(self):
        entry = self._take()
        if not entry:
            return
        room = self.rng.choice([room for room in self.rooms if room != entry.room])
        if self.run.ledger.has(room, entry.texts[0]):  # once to each
            self.mine.append(entry)
            return
        copy = self.run.ledger.expect(room, self.account, entry.texts[0])
        answer = await self.account.call("POST", "/messages/forward", json={
            "from_chat_id": entry.room.chat_ids[self.account], "to_chat_id": room.chat_ids[self.account],
            "message_id": entry.message_id})
        copy.tell("forwarded", answer)
        if answer.ok:
            copy.state, copy.message_id = PRESENT, int(answer.body["message_id"])
        else:
            copy.state = ABSENT if answer.refused else UNKNOWN
        self.mine.append(entry)

    # ---- reading ----

    async def history(self):
        room = self.rng.choice(self.rooms)
        answer = await self.account.call("GET", "/messages", params={
            "chat_id": room.chat_ids[self.account], "limit": self.rng.choice([1, 10, 50, 100])})
        if answer.ok:
            ids = [message["id"] for message in answer.body["messages"]]
            self.run.check(ids == sorted(set(ids), reverse=True), "histories are in order", f"{answer}: {ids}")

    async def search(self):
        room = self.rng.choice(self.rooms)
        word = self.rng.choice(["tea", "снег", "nothing has this"])
        answer = await self.account.call("GET", "/messages", params={
            "chat_id": room.chat_ids[self.account], "limit": 20, "search": word})
        if answer.ok:
            strangers = [m["text"] for m in answer.body["messages"] if word not in m["text"]]
            self.run.check(not strangers, "searches find what was searched for", f"{answer}: {word}: {strangers[:3]}")

    async def chats(self):
        offset = None
        for _ in range(DIALOG_PAGES_MAX):
            params = {"limit": self.rng.choice([1, 5, 100]), **({"offset": offset} if offset else {})}
            answer = await self.account.call("GET", "/chats", params=params)
            offset = answer.body.get("next_offset") if answer.ok else None
            if not offset:
                return

    async def me(self):
        await self.is_me(await self.account.call("GET", "/me"))

    async def is_me(self, answer):
        if answer.ok:
            self.run.check(answer.body["id"] == self.account.user_id, "nobody gets another's answer",
                           f"{answer}: {answer.body['id']} for {self.account.user_id}")

    async def method(self):
        name, body = self.rng.choice([
            ("users.getUsers", {"id": ["me"]}), ("help.getConfig", {}), ("updates.getState", {}),
            ("contacts.resolveUsername", {"username": self.rng.choice(self.run.accounts).username}),
            ("account.getPassword", {}),
            ("messages.getPeerDialogs", {"peers": [{"_": "inputDialogPeer", "peer": "me"}]}),
        ])
        await self.account.call("POST", f"/methods/{name}", json=body)

    # ---- the rest ----

    async def come_and_go(self):
        lounge = self.rng.choice(self.run.lounges)
        if self.rng.random() < 0.5:
            await self.account.call("POST", "/groups/join", json={"group_identifier": lounge})
        else:
            await self.account.call("POST", "/methods/channels.leaveChannel", json={"channel": lounge})

    async def mistake(self):
        """Requests that must be refused, whatever else is going on."""
        case = self.rng.choice(wrong.CASES)
        session = wrong.session_of(case, self.account, self.rng)
        answer = await self.account.call(case.method, case.path, session=session, **case.content)
        # Busy and draining replicas say so first; a connection may be cut.
        self.run.check(answer.status in (case.status, 0, 503) or (answer.status in wrong.OF_TELEGRAM and case.asks),
                       "mistakes are refused", f"{case.method} {case.path} {case.content}: {answer}"[:400])

