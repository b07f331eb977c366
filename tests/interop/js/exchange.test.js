// SPDX-License-Identifier: MIT
// Sessions that the gateway exports go on in GramJS and mtcute, and theirs in the gateway.
import assert from 'node:assert/strict'
import test from 'node:test'

import { Gateway } from './gateway.js'
import { library as gramjs } from './gramjs.js'
import { library as mtcute } from './mtcute.js'
import { Sandbox } from './sandbox.js'

for (const library of [gramjs, mtcute]) {
  test(`${library.name} goes on with an exported session, and gives it back`, { timeout: 60_000 }, async (t) => {
    const sandbox = await Sandbox.start({ layers: [library.layer], lowPort: library.lowPort, ownLayer: true })
    t.after(() => sandbox.stop())
    await library.trust(sandbox)
    const gateway = await Gateway.start(sandbox)
    t.after(() => gateway.stop())

    const session = await gateway.signUp(sandbox, '79990003001', 'Exchange')
    const { id } = await gateway.call('GET', '/me', session)
    const { string } = await gateway.export(session, library.name.toLowerCase())
    const client = await library.open(sandbox, Object.values(library.variants)[0], { session: string })
    assert.equal((await client.me()).id, String(id))
    await client.send('me', 'from the library')
    const theirs = await client.session()
    await client.close()

    const taken = await gateway.import(theirs)
    assert.equal(taken.format, library.name.toLowerCase())
    assert.equal(taken.user_id, id)
    const { messages } = await gateway.call('GET', '/messages?chat_id=me&limit=1', taken.session_string)
    assert.equal(messages[0].text, 'from the library')
  })
}
