// SPDX-License-Identifier: MIT
// What every client library is put through, on each transport that it has.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { noise, picture } from './contents.js'
import { Link } from './link.js'
import { Sandbox } from './sandbox.js'
import { within } from './within.js'

const TEST_MS_MAX = 60_000
const CLOSE_MS_MAX = 20_000
const FILE_BYTES = 5 * 1024 ** 2 + 17
const BIG_FILE_BYTES = 11 * 1024 ** 2 + 1 // too large for upload.saveFilePart
const MISSED = 70 // more than the sandbox keeps for a session without a connection: it has to be asked
const FLOOD_SECONDS = 77 // more than any library sleeps out silently

let numbers = 0
const newPhone = () => String(79995550000 + ++numbers)
const wrong = (code) => String((Number(code) + 1) % 100000).padStart(5, '0')

export function suite(library) {
  for (const title of Object.keys(library.variants)) {
    describe(`${library.name}, ${title}`, { timeout: TEST_MS_MAX * 10 }, () => walk(library, title))
  }
  describe(`${library.name}, two data centres`, () => migration(library, Object.values(library.variants)[0]))
}

function stage(library, dcs) {
  const opened = []
  const at = {}
  before(async () => {
    at.sandbox = await Sandbox.start({ layers: [library.layer], lowPort: library.lowPort, dcs })
    await library.trust(at.sandbox)
  }, { timeout: TEST_MS_MAX })
  after(async () => {
    const closed = Promise.all(opened.map((client) => client.close()))
    await within(CLOSE_MS_MAX, closed, () => 'a client does not close').finally(() => at.sandbox.stop())
  }, { timeout: TEST_MS_MAX })
  at.open = async (variant, options) => {
    const client = await library.open(at.sandbox, variant, options)
    opened.push(client)
    return client
  }
  return at
}

function walk(library, title) {
  const variant = library.variants[title]
  const at = stage(library, 1)
  const open = (options) => at.open(variant, options)
  const login = (phone, more) => ({ phone, code: () => at.sandbox.code(phone), name: 'Ann', ...more })
  const it = (name, body, skip = false) => test(name, { timeout: TEST_MS_MAX, skip }, body)

  // A client that is logged in to a new account, which has a username to be written to.
  const account = async (name, options) => {
    const phone = newPhone()
    const client = await open(options)
    await client.start(login(phone, { name }))
    const username = `${name.toLowerCase()}_${phone}`
    await client.setUsername(username)
    return { client, phone, username }
  }

  it('makes a key, signs up and signs in again by code', async () => {
    const { client, phone } = await account('Ann')
    const me = await client.me()
    assert.deepEqual([me.name, me.phone], ['Ann', phone])
    const again = await open()
    assert.deepEqual(await again.start(login(phone)), me)
  })

  it('goes on with a stored session', async () => {
    const { client } = await account('Ann')
    const me = await client.me()
    const session = await client.session()
    await client.close()
    const before = await at.sandbox.handshakes()
    assert.deepEqual(await (await open({ session })).me(), me)
    if (!variant.usePfs) assert.equal(await at.sandbox.handshakes(), before) // of temporary keys there is a new one
  })

  it('is told of a wrong code', async () => {
    const client = await open()
    const phone = newPhone()
    const code = async () => wrong(await at.sandbox.code(phone))
    assert.deepEqual(await client.refusal(login(phone, { code })), { text: 'PHONE_CODE_INVALID', own: true })
  })

  it('sets a password and signs in with it, not with another', async () => {
    const { client, phone } = await account('Ann')
    await client.setPassword('correct horse')
    const second = await open()
    const refused = await second.refusal(login(phone, { password: 'wrong' }))
    assert.deepEqual(refused, { text: 'PASSWORD_HASH_INVALID', own: true })
    const third = await open()
    assert.deepEqual(await third.start(login(phone, { password: 'correct horse' })), await client.me())
  })

  it('writes to another account, which hears it, and reads history and dialogs', async () => {
    const ann = await account('Ann')
    const bob = await account('Bob')
    await ann.client.send(bob.username, 'hello Bob 😀')
    await bob.client.heard.hear('hello Bob 😀')
    await bob.client.send(ann.username, 'hello Ann')
    await ann.client.heard.hear('hello Ann')
    assert.deepEqual((await ann.client.history(bob.username, 2)), ['hello Ann', 'hello Bob 😀'])
    assert.ok((await bob.client.dialogs()).some((name) => name.startsWith('Ann')))
    assert.equal(bob.client.heard.count('hello Bob 😀'), 1)
  })

  it('joins a group by its link and hears what is said there', async () => {
    const ann = await account('Ann')
    const bob = await account('Bob')
    const { group, link } = await ann.client.createGroup('A group')
    assert.equal(await bob.client.join(link), 'A group')
    await ann.client.send(group, 'welcome')
    await bob.client.heard.hear('welcome')
    assert.ok((await bob.client.dialogs()).includes('A group'))
  })

  const isFirst = title === Object.keys(library.variants)[0]
  it('sends files and a photo, which come whole', async () => {
    const ann = await account('Ann')
    const bob = await account('Bob')
    for (const size of isFirst ? [FILE_BYTES, BIG_FILE_BYTES] : [FILE_BYTES]) {
      await ann.client.sendFile(bob.username, noise(size), `${size} bytes`)
      await bob.client.heard.hear(`${size} bytes`)
      assert.ok((await bob.client.lastFile(ann.username)).equals(noise(size)))
    }
    await ann.client.sendPhoto(bob.username, picture(320, 200), 'a photo')
    await bob.client.heard.hear('a photo')
    assert.ok((await bob.client.lastFile(ann.username)).equals(picture(320, 200)))
  }, library.withoutFiles?.includes(title) && 'the library cannot')

  it("is told of a flood wait in the library's own error", async () => {
    const { client, phone } = await account('Ann')
    const rule = `method=messages.sendMessage,phone=${phone},do=flood_wait:${FLOOD_SECONDS},count=1`
    const hits = await at.sandbox.fault(rule, async () => {
      assert.equal(await client.floodWait('me', 'too fast'), FLOOD_SECONDS)
    })
    assert.equal(hits, 1)
  })

  for (const action of ['drop_before', 'drop_after', 'lose_session', 'bad_salt', 'garbage']) {
    it(`sends once, though ${action}`, async () => {
      const { client, phone } = await account('Ann')
      const rule = `method=messages.sendMessage,phone=${phone},do=${action},count=1`
      const hits = await at.sandbox.fault(rule, () => client.send('me', `once, ${action}`))
      assert.equal(hits, 1)
      await client.send('me', 'after')
      assert.deepEqual(await client.history('me', 9), ['after', `once, ${action}`])
    })
  }

  it('loses nothing that came while its link was down', async () => {
    const ann = await account('Ann')
    const link = await Link.to(at.sandbox.dcs.values().next().value)
    const bob = await account('Bob', { link })
    await ann.client.send(bob.username, 'before')
    await bob.client.heard.hear('before')
    const differences = await at.sandbox.executed('updates.getDifference')
    link.cut()
    const texts = Array.from({ length: MISSED }, (_, i) => `missed ${i}`)
    for (const text of texts) await ann.client.send(bob.username, text)
    link.mend()
    await bob.client.me()
    await bob.client.catchUp()
    for (const text of texts) await bob.client.heard.hear(text)
    assert.deepEqual(texts.filter((text) => bob.client.heard.count(text) !== 1), [])
    assert.ok(await at.sandbox.executed('updates.getDifference') > differences)
    await ann.client.send(bob.username, 'after')
    await bob.client.heard.hear('after')
    await bob.client.close()
    link.close()
  })

  if (variant.usePfs) {
    it('bound its temporary keys', async () => {
      assert.ok(await at.sandbox.executed('auth.bindTempAuthKey') > 0)
    })
  }
}

function migration(library, variant) {
  const at = stage(library, 2)

  test('follows to the home data centre and works beside another', { timeout: TEST_MS_MAX }, async () => {
    const phone = '9996620777'
    const client = await at.open(variant, { dc: 1 })
    await client.start({ phone, name: 'Two', code: async () => '22222' })
    assert.equal(await client.home(), 2)
    assert.equal(await client.nearestAt(1), 1)
  })

  test("takes down a file that is at its sender's data centre", { timeout: TEST_MS_MAX }, async () => {
    const [one, two] = await Promise.all([1, 2].map(async (dc) => {
      const client = await at.open(variant, { dc })
      await client.start({ phone: `99966${dc}0778`, name: 'Ann', code: async () => String(dc).repeat(5) })
      await client.setUsername(`ann_of_${dc}`)
      return client
    }))
    const bytes = noise(FILE_BYTES)
    await one.sendFile('ann_of_2', bytes, 'from afar')
    const migrated = await at.sandbox.executed('auth.importAuthorization')
    assert.ok((await two.lastFile('ann_of_1')).equals(bytes))
    assert.ok(await at.sandbox.executed('auth.importAuthorization') > migrated)
  })
}
