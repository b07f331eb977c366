// SPDX-License-Identifier: MIT
// Node's fetch: a form of unknown length with $FILE, the file back, a range of it, one transfer each way cut off.
import { readFileSync } from "node:fs";

const [url, data] = [process.env.GATEWAY, readFileSync(process.env.FILE)];
const headers = { "X-Session-String": process.env.SESSION };
const [BOUNDARY, PIECE] = ["a-line-between", 64 * 1024];

function* form(caption) {
  const field = (name, more = "") => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  yield `${field("chat_id")}me\r\n${field("text")}${caption}\r\n${field("file", '; filename="noise.bin"')}`;
  for (let at = 0; at < data.length; at += PIECE) yield data.subarray(at, at + PIECE);
  yield `\r\n--${BOUNDARY}--\r\n`;
}

// With an aborter, the body is cut off after its first mebibyte.
function send(caption, aborter) {
  const [pieces, encoder] = [form(caption), new TextEncoder()];
  let left = aborter ? 16 : Infinity;
  const body = new ReadableStream({
    pull(controller) {
      if (left-- === 0) return aborter.abort();
      const { value, done } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
    },
  });
  const type = { "Content-Type": `multipart/form-data; boundary=${BOUNDARY}` };
  const options = { method: "POST", headers: { ...headers, ...type }, body, duplex: "half", signal: aborter?.signal };
  return fetch(`${url}/messages/send_with_file`, options);
}

function check(fine, what) {
  if (!fine) throw new Error(what);
}

const sent = await send("file by fetch");
check(sent.status === 200, `sending: ${sent.status} ${sent.status === 200 || (await sent.text())}`);
const media = `${url}/messages/media/${(await sent.json()).message_id}?chat_id=me`;
const back = await fetch(media, { headers });
check(data.equals(Buffer.from(await back.arrayBuffer())), `other bytes came back: ${back.status}`);
const part = await fetch(media, { headers: { ...headers, Range: "bytes=1000005-1001004" } });
check(part.status === 206, `range: ${part.status}`);
check(data.subarray(1000005, 1001005).equals(Buffer.from(await part.arrayBuffer())), "a range of other bytes");

const error = await send("never", new AbortController()).then(() => null, (e) => e);
check(error?.name === "AbortError", `cut off: ${error}`);
const reader = (await fetch(media, { headers })).body.getReader();
const { value } = await reader.read();
check(data.subarray(0, value.length).equals(value), "other bytes at first");
await reader.cancel();
