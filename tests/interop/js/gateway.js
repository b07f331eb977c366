// SPDX-License-Identifier: MIT
// The gateway as a child process on one sandbox, and calls of its API.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import readline from 'node:readline'

import { BINARY } from './sandbox.js'
import { within } from './within.js'

const GATEWAY_MS_MAX = 20_000 // to start or to end: a second at most, but machines are busy
const API = { api_id: 1, api_hash: '0123456789abcdef0123456789abcdef' }

export class Gateway {
  static async start(sandbox) {
    const self = new Gateway()
    const dcs = [...sandbox.dcs].flatMap(([dc, port]) => ['--dc', `${dc}=127.0.0.1:${port}`])
    self.child = spawn(BINARY, ['serve', '--listen', '127.0.0.1:0', '--workers', '2', '--dc-key', sandbox.keyFile,
      '--key-file', path.join(sandbox.directory, 'gateway.key'), ...dcs], { stdio: ['ignore', 'ignore', 'pipe'] })
    self.ended = once(self.child, 'exit')
    self.output = ''
    self.url = await within(GATEWAY_MS_MAX, self.#ready(), () => self.output)
    return self
  }

  #ready() {
    return new Promise((resolve) => {
      readline.createInterface({ input: this.child.stderr }).on('line', (line) => {
        this.output += line + '\n'
        const [, url] = line.match(/^listening on (http:\/\/\S+)$/) ?? []
        if (url) resolve(url)
      })
    })
  }

  async stop() {
    this.child.kill('SIGTERM')
    await within(GATEWAY_MS_MAX, this.ended, () => this.output)
  }

  async call(method, path, session, body) {
    const headers = { 'Content-Type': 'application/json', ...(session && { 'X-Session-String': session }) }
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) })
    const told = await answer.json()
    assert.equal(answer.status, 200, JSON.stringify(told))
    return told
  }

  // The session string of a new account.
  async signUp(sandbox, phone, name) {
    const begun = await this.call('POST', '/auth/send_code', null, { phone, ...API })
    const code = await sandbox.code(phone)
    const done = await this.call('POST', '/auth/verify_code', begun.session_string, { code, first_name: name })
    return done.session_string
  }

  export(session, format) {
    return this.call('POST', '/auth/export', session, { format })
  }

  import(string) {
    return this.call('POST', '/auth/import', null, { string, ...API })
  }
}
