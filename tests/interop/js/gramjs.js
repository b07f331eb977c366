// SPDX-License-Identifier: MIT
// GramJS (npm telegram) behind the names that suite.js uses. It has RSA_PAD, but no temporary keys, and leaves it
// to its user to ask for what was missed.
import { createHash, createPublicKey } from 'node:crypto'

import { Api, Logger, TelegramClient, errors, helpers } from 'telegram'
import { _serverKeys } from 'telegram/crypto/RSA.js'
import { CustomFile } from 'telegram/client/uploads.js'
import { NewMessage } from 'telegram/events/index.js'
import { ConnectionTCPAbridged, ConnectionTCPFull, ConnectionTCPObfuscated } from 'telegram/network/connection/index.js'
import { StringSession } from 'telegram/sessions/index.js'

import { Heard } from './heard.js'

const API_ID = 1
const API_HASH = '0123456789abcdef0123456789abcdef'

export const library = {
  name: 'GramJS',
  layer: 198,
  lowPort: true,
  variants: {
    full: ConnectionTCPFull,
    abridged: ConnectionTCPAbridged,
    obfuscated: ConnectionTCPObfuscated,
  },
  withoutFiles: ['abridged'], // takes the first piece that comes of a packet for all of it
  trust,
  open: (sandbox, Transport, options) => GramClient.open(sandbox, Transport, options),
}

// A TL byte string of less than 64 KiB but more than 253 bytes, or a short one.
function tlBytes(bytes) {
  const head = bytes.length < 254 ? Buffer.of(bytes.length) : Buffer.of(254, bytes.length & 255, bytes.length >> 8, 0)
  const all = Buffer.concat([head, bytes])
  return Buffer.concat([all, Buffer.alloc(-all.length & 3)])
}

function trust(sandbox) {
  const { n, e } = createPublicKey(sandbox.publicKey).export({ format: 'jwk' })
  const [modulus, exponent] = [n, e].map((part) => Buffer.from(part, 'base64url'))
  const digest = createHash('sha1').update(tlBytes(modulus)).update(tlBytes(exponent)).digest()
  const fingerprint = helpers.returnBigInt(digest.readBigInt64LE(12).toString())
  const key = { fingerprint, n: helpers.returnBigInt(BigInt(`0x${modulus.toString('hex')}`)), e: 65537 }
  _serverKeys.set(fingerprint.toString(), key)
}

// The library connects to port 80 whatever its session says.
function atPortsOf(sandbox, link, Transport) {
  return class extends Transport {
    constructor(options) {
      super({ ...options, port: link?.port ?? sandbox.dcs.get(options.dcId) })
    }
  }
}

class GramClient {
  heard = new Heard()

  static async open(sandbox, Transport, { session = '', dc = sandbox.dcs.keys().next().value, link } = {}) {
    const self = new GramClient()
    const stored = new StringSession(session)
    if (!session) stored.setDC(dc, '127.0.0.1', sandbox.dcs.get(dc))
    self.client = new TelegramClient(stored, API_ID, API_HASH, {
      connection: atPortsOf(sandbox, link, Transport),
      securityChecks: true,
      connectionRetries: 5,
      retryDelay: 50,
      baseLogger: new Logger('none'),
    })
    await self.client.connect()
    if (session) self.#listen()
    return self
  }

  // After the login: a handler makes the library ask for its own user at once, and of a container it forgets
  // what stands behind a refusal.
  #listen() {
    this.client.addEventHandler(({ message }) => this.heard.add(message.message), new NewMessage({}))
  }

  async close() {
    await this.client.destroy()
  }

  session() {
    return this.client.session.save()
  }

  // Signs in, or up where there is no such account; stops at the library's first error unless onError says false.
  async start({ phone, code, password, name, onError }) {
    await this.client.start({
      phoneNumber: phone,
      phoneCode: code,
      password: async () => password,
      firstAndLastNames: async () => [name, 'Gram'],
      onError: async (error) => onError?.(error) ?? true,
    })
    this.state = await this.client.invoke(new Api.updates.GetState())
    this.#listen()
    return this.me()
  }

  async me() {
    const me = await this.client.getMe()
    return { id: String(me.id), name: me.firstName, phone: me.phone }
  }

  // The first error of a login that gives the wrong code or password.
  async refusal(login) {
    let refused
    const onError = (error) => {
      refused ??= error
      return true
    }
    await this.start({ ...login, onError }).catch(() => {})
    return { text: refused.errorMessage, own: refused instanceof errors.RPCError }
  }

  async setPassword(password) {
    await this.client.updateTwoFaSettings({ newPassword: password, hint: 'battery' })
  }

  async setUsername(username) {
    await this.client.invoke(new Api.account.UpdateUsername({ username }))
  }

  async send(peer, text) {
    return (await this.client.sendMessage(peer, { message: text })).id
  }

  async sendFile(peer, bytes, caption) {
    await this.client.sendFile(peer, { file: new CustomFile('noise.bin', bytes.length, '', bytes), caption })
  }

  async sendPhoto(peer, bytes, caption) {
    await this.client.sendFile(peer, { file: new CustomFile('photo.png', bytes.length, '', bytes), caption })
  }

  // The bytes of what the last message of that chat shows.
  async lastFile(peer) {
    const [message] = await this.client.getMessages(peer, { limit: 1 })
    return this.client.downloadMedia(message)
  }

  async history(peer, limit) {
    return Array.from(await this.client.getMessages(peer, { limit }), (message) => message.message)
  }

  async dialogs() {
    return Array.from(await this.client.getDialogs({}), (dialog) => dialog.title)
  }

  async createGroup(title) {
    const { chats: [group] } = await this.client.invoke(new Api.channels.CreateChannel({ title, about: '', megagroup: true }))
    const { link } = await this.client.invoke(new Api.messages.ExportChatInvite({ peer: group }))
    return { group, link }
  }

  async join(link) {
    const { chats: [group] } = await this.client.invoke(new Api.messages.ImportChatInvite({ hash: link.split('+').at(-1) }))
    return group.title
  }

  async floodWait(peer, text) {
    const error = await this.client.sendMessage(peer, { message: text }).then(() => undefined, (e) => e)
    return error instanceof errors.FloodWaitError ? error.seconds : error
  }

  async catchUp() {
    const { pts, date, qts } = this.state
    const missed = await this.client.invoke(new Api.updates.GetDifference({ pts, date, qts }))
    for (const { message } of missed.newMessages) if (!this.heard.count(message)) this.heard.add(message)
  }

  // Another data centre's key, made and used beside the first one.
  async nearestAt(dc) {
    const sender = await this.client.getSender(dc)
    const nearest = await this.client.invokeWithSender(new Api.help.GetNearestDc(), sender)
    await sender.disconnect()
    return nearest.thisDc
  }

  async home() {
    return this.client.session.dcId
  }
}
