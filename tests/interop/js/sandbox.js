// SPDX-License-Identifier: MIT
// The sandbox as a child process, with its control port.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'

import { within } from './within.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
export const BINARY = process.env.TGREST_BINARY ?? path.join(ROOT, 'build', 'tgrest')
const LOW_PORT_MIN = 10240
const LOW_PORT_MAX = 32767 // GramJS stores ports as signed 16 bits
const START_TRIES_MAX = 20 // a port that was chosen may be taken before the sandbox has it
const SANDBOX_MS_MAX = 20_000 // to start, to answer a command or to end: a second at most, but machines are busy

export class Sandbox {
  dcs = new Map() // number to port

  // options: layers, dcs (1), lowPort (false), ownLayer (false: true if the gateway is to speak to it, too)
  static async start(options) {
    for (let tries = 1; ; tries++) {
      const sandbox = new Sandbox()
      if (await sandbox.#launch(options)) return sandbox
      assert.ok(options.lowPort && tries < START_TRIES_MAX, sandbox.output)
    }
  }

  async #launch({ layers, dcs = 1, lowPort = false, ownLayer = false }) {
    this.directory = await mkdtemp(path.join(tmpdir(), 'interop-'))
    const keyFile = path.join(this.directory, 'public.pem')
    const port = lowPort ? LOW_PORT_MIN + Math.floor(Math.random() * (LOW_PORT_MAX - dcs - LOW_PORT_MIN)) : 0
    const schemas = layers.map((layer) => path.join(ROOT, 'schema', 'layers', `api-${layer}.tl`))
    if (ownLayer) schemas.unshift(path.join(ROOT, 'schema', 'api.tl'))
    this.child = spawn(BINARY, ['sandbox', '--listen', `127.0.0.1:${port}`, '--dcs', String(dcs),
      ...schemas.flatMap((schema) => ['--schema', schema]), '--control', '127.0.0.1:0', '--rsa-public-out', keyFile],
    { stdio: ['ignore', 'ignore', 'pipe'] })
    this.ended = once(this.child, 'exit')
    this.output = ''
    const late = setTimeout(() => this.child.kill('SIGKILL'), SANDBOX_MS_MAX)
    const ready = await this.#ready(dcs)
    clearTimeout(late)
    this.keyFile = keyFile
    if (ready) this.publicKey = await readFile(keyFile, 'utf8')
    else await this.#clean()
    return ready
  }

  // Reads what it says until it has named all its ports; false if it ends before.
  #ready(dcs) {
    return new Promise((resolve) => {
      let control
      readline.createInterface({ input: this.child.stderr }).on('line', (line) => {
        this.output += line + '\n'
        const [, first] = line.match(/^sandbox on 127\.0\.0\.1:(\d+)$/) ?? []
        const [, dc, other] = line.match(/^data centre (\d+) on 127\.0\.0\.1:(\d+)$/) ?? []
        const [, commands] = line.match(/^control on 127\.0\.0\.1:(\d+)$/) ?? []
        if (first) this.dcs.set(dcs === 1 ? 2 : 1, Number(first))
        if (dc) this.dcs.set(Number(dc), Number(other))
        control ??= commands
        if (control && this.dcs.size === dcs && !this.control) {
          this.control = new Control(Number(control))
          resolve(true)
        }
      })
      this.ended.then(() => resolve(false))
    })
  }

  async #clean() {
    await rm(this.directory, { recursive: true })
  }

  async stop() {
    this.control.close()
    this.child.kill('SIGTERM')
    const late = setTimeout(() => this.child.kill('SIGKILL'), SANDBOX_MS_MAX)
    const [status] = await this.ended
    clearTimeout(late)
    await this.#clean()
    assert.equal(status, 0, this.output) // null of one that had to be killed
  }

  run(command) {
    return this.control.run(command)
  }

  async code(phone) {
    return (await this.run(`codes ${phone}`)).at(-1).split(' ')[1]
  }

  // How many keys were made.
  async handshakes() {
    const line = (await this.run('stats')).find((l) => l.startsWith('handshakes '))
    return Number(line.split(' ')[1])
  }

  // How often a method was executed, over all connections.
  async executed(method) {
    const [line] = await this.run(`stats ${method}`)
    return Number(line?.match(/executed=(\d+)/)?.[1] ?? 0)
  }

  // The rule stands while body runs; returns how often it struck.
  async fault(rule, body) {
    const [id] = await this.run(`fault_add ${rule}`)
    try {
      await body()
      const line = (await this.run('fault_list')).find((l) => l.startsWith(`${id} `))
      return Number(line.match(/hits=(\d+)/)[1])
    } finally {
      await this.run(`fault_remove ${id}`)
    }
  }
}

// One command at a time over one connection: lines, then "ok" or "error ...".
class Control {
  constructor(port) {
    this.socket = net.connect(port, '127.0.0.1')
    this.lines = readline.createInterface({ input: this.socket })[Symbol.asyncIterator]()
    this.last = Promise.resolve()
  }

  close() {
    this.socket.destroy()
  }

  run(command) {
    const answer = this.last.then(
      () => within(SANDBOX_MS_MAX, this.#exchange(command), () => `${command}: the sandbox does not answer`))
    this.last = answer.catch(() => {})
    return answer
  }

  async #exchange(command) {
    this.socket.write(`${command}\n`)
    for (const lines = []; ;) {
      const { value, done } = await this.lines.next()
      assert.ok(!done && !value.startsWith('error'), `${command}: ${value}`)
      if (value === 'ok') return lines
      lines.push(value)
    }
  }
}
