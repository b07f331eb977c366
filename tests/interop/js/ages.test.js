// SPDX-License-Identifier: MIT
// Clients of different ages in one sandbox: each is served its own layer, or the nearest older one with a warning.
import assert from 'node:assert/strict'
import test from 'node:test'

import { library as gramjs } from './gramjs.js'
import { library as mtcute } from './mtcute.js'
import { Sandbox } from './sandbox.js'

const TEST_MS_MAX = 60_000

async function world(t, layers) {
  const sandbox = await Sandbox.start({ layers, lowPort: gramjs.lowPort })
  t.after(() => sandbox.stop())
  return sandbox
}

// Logged in to a new account that can be written to by its username.
async function account(t, sandbox, library, phone) {
  await library.trust(sandbox)
  const client = await library.open(sandbox, Object.values(library.variants)[0])
  t.after(() => client.close())
  await client.start({ phone, name: library.name, code: () => sandbox.code(phone) })
  const username = `${library.name.toLowerCase()}_here`
  await client.setUsername(username)
  return { client, username }
}

test('clients of layers 198 and 227 talk', { timeout: TEST_MS_MAX }, async (t) => {
  const sandbox = await world(t, [gramjs.layer, mtcute.layer])
  const old = await account(t, sandbox, gramjs, '79990004001')
  const young = await account(t, sandbox, mtcute, '79990004002')
  await old.client.send(young.username, 'from the old one')
  await young.client.heard.hear('from the old one')
  await young.client.send(old.username, 'from the young one')
  await old.client.heard.hear('from the young one')
  assert.deepEqual(await old.client.history(young.username, 9), ['from the young one', 'from the old one'])
  const { group, link } = await young.client.createGroup('Of all ages')
  assert.equal(await old.client.join(link), 'Of all ages')
  await young.client.send(group, 'welcome')
  await old.client.heard.hear('welcome')
  assert.doesNotMatch(sandbox.output, /other_layer/)
})

test('a client of a newer layer gets the nearest older one', { timeout: TEST_MS_MAX }, async (t) => {
  const sandbox = await world(t, [gramjs.layer, 225])
  const { client } = await account(t, sandbox, mtcute, '79990004003')
  assert.equal((await client.me()).name, 'mtcute')
  assert.deepEqual(await client.history('me', 9), [])
  await assert.rejects(client.send('me', 'in the form of layer 227'), /INPUT_METHOD_INVALID/)
  assert.match(sandbox.output, /other_layer\b.*\bclient=227 schema=225/)
})
