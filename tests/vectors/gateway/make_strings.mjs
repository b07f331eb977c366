// SPDX-License-Identifier: MIT
// The JavaScript half of make_strings.py: rows on standard input, the same with GramJS's and mtcute's strings on
// standard output. The argument is the node_modules folder of tests/interop/js.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2]) + "/");
const { StringSession } = require("telegram/sessions");
const { AuthKey } = require("telegram/crypto/AuthKey");
const { writeStringSession } = require("@mtcute/core/utils.js");

const rows = JSON.parse(readFileSync(0, "utf8"));
for (const row of rows) {
  const key = Buffer.from(row.key, "hex");
  const session = new StringSession("");
  session.setDC(row.dc, row.host, row.port);
  session._authKey = new AuthKey();
  await session._authKey.setKey(key);
  row.gramjs = session.save();
  const dc = { id: row.dc, ipAddress: row.host, port: row.port, ipv6: row.host.includes(":"), testMode: row.test };
  const self = { userId: row.user_id, isBot: row.is_bot, isPremium: false, usernames: [] };
  row.mtcute = writeStringSession({ version: 3, primaryDcs: { main: dc, media: dc }, self, authKey: key });
  const media = { ...dc, mediaOnly: true };
  row.mtcute_media = writeStringSession({ version: 3, primaryDcs: { main: dc, media }, self: null, authKey: key });
}
process.stdout.write(JSON.stringify(rows));
