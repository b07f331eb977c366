// SPDX-License-Identifier: MIT
// Node's fetch: two requests one after the other, a chunked body, a request that is aborted amid its body.
const [url, session] = [process.env.GATEWAY, process.env.SESSION];
const headers = { "X-Session-String": session, "Content-Type": "application/json" };
const encoder = new TextEncoder();

function send(parts, options = {}) {
  const left = [...parts];
  const body = new ReadableStream({
    pull(controller) {
      if (left.length > 0) controller.enqueue(encoder.encode(left.shift()));
      else if (!options.signal) controller.close(); // else the end never comes
    },
  });
  return fetch(`${url}/messages/send`, { method: "POST", headers, body, duplex: "half", ...options });
}

// fetch takes a connection back a moment after the answer's end is read.
const settled = () => new Promise((resolve) => setImmediate(resolve));

for (let i = 0; i < 2; i++) {
  const me = await fetch(`${url}/me`, { headers });
  if (me.status !== 200) throw new Error(`/me: ${me.status}`);
  await me.json();
  await settled();
}
const sent = await send(['{"chat_id":"me",', '"text":"chun', 'ked by fetch"}']);
if (sent.status !== 200) throw new Error(`chunked: ${sent.status}`);
await sent.json();
await settled();

const aborter = new AbortController();
const aborted = send(['{"chat_id":"me","text":"never'], { signal: aborter.signal });
setTimeout(() => aborter.abort(), 100);
const error = await aborted.then(() => null, (e) => e);
if (error?.name !== "AbortError") throw new Error(`aborted: ${error}`);
