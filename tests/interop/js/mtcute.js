// SPDX-License-Identifier: MIT
// mtcute (npm @mtcute/node) behind the names that suite.js uses. It has RSA_PAD, checks the prime for safety, asks
// for what it missed by itself, and makes temporary keys where usePfs is set. One key exchange in 256 it begins
// anew after a second ('Step 4: invalid nonce hash'): it hashes a key that begins with a zero byte without it.
import { NodeCryptoProvider } from '@mtcute/node/utils.js'
import {
  InputMedia, IntermediatePacketCodec, MemoryStorage, MtUnsupportedError, ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec, TcpTransport, TelegramClient,
} from '@mtcute/node'
import { addPublicKey } from '@mtcute/core/utils.js'
import { tl } from '@mtcute/core'

import { Heard } from './heard.js'

const API_ID = 1
const API_HASH = '0123456789abcdef0123456789abcdef'

// The library's own TCP with another of its codecs.
const over = (makeCodec) => class extends TcpTransport {
  packetCodec() {
    return makeCodec()
  }
}

export const library = {
  name: 'mtcute',
  layer: 227,
  lowPort: false,
  variants: {
    intermediate: { Transport: TcpTransport },
    'intermediate, temporary keys': { Transport: TcpTransport, usePfs: true },
    padded: { Transport: over(() => new PaddedIntermediatePacketCodec()) },
    'obfuscated intermediate': { Transport: over(() => new ObfuscatedPacketCodec(new IntermediatePacketCodec())) },
    'obfuscated padded, temporary keys': {
      Transport: over(() => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec())),
      usePfs: true,
    },
  },
  trust: async (sandbox) => addPublicKey(await initialized(new NodeCryptoProvider()), sandbox.publicKey),
  open: (sandbox, variant, options) => MtcuteClient.open(sandbox, variant, options),
}

async function initialized(provider) {
  await provider.initialize()
  return provider
}

class MtcuteClient {
  heard = new Heard()

  static async open(sandbox, { Transport, usePfs = false }, { session, dc, link } = {}) {
    const self = new MtcuteClient()
    dc ??= sandbox.dcs.keys().next().value
    const main = { ipAddress: '127.0.0.1', port: link?.port ?? sandbox.dcs.get(dc), id: dc }
    self.client = new TelegramClient({
      apiId: API_ID,
      apiHash: API_HASH,
      storage: new MemoryStorage(),
      defaultDcs: { main, media: main },
      transport: new Transport(),
      network: { usePfs },
      updates: { catchUp: true },
      logLevel: 0,
    })
    self.client.onNewMessage.add((message) => self.heard.add(message.text))
    if (session) await self.client.importSession(session)
    await self.client.connect()
    if (session) await self.#hearUpdates()
    return self
  }

  async close() {
    await this.client.destroy()
  }

  session() {
    return this.client.exportSession()
  }

  async #hearUpdates() {
    await this.client.notifyLoggedIn((await this.client.getMe()).raw)
    await this.client.startUpdatesLoop()
  }

  // Signs in, or up where there is no such account: the library refuses that, so by the raw method.
  async start({ phone, code, password, name }) {
    const { phoneCodeHash } = await this.client.sendCode({ phone })
    const answer = this.client.signIn({ phone, phoneCodeHash, phoneCode: await code() })
    await answer.catch(async (error) => {
      if (tl.RpcError.is(error, 'SESSION_PASSWORD_NEEDED')) return this.client.checkPassword(password)
      if (!(error instanceof MtUnsupportedError)) throw error
      return this.client.notifyLoggedIn(await this.client.call({
        _: 'auth.signUp', phoneNumber: phone, phoneCodeHash, firstName: name, lastName: 'Cute',
      }))
    })
    await this.client.startUpdatesLoop()
    return this.me()
  }

  async me() {
    const me = await this.client.getMe()
    return { id: String(me.id), name: me.firstName, phone: me.phoneNumber }
  }

  async refusal(login) {
    const error = await this.start(login).then(() => undefined, (e) => e)
    return { text: error?.text, own: tl.RpcError.is(error) }
  }

  async setPassword(password) {
    await this.client.enableCloudPassword({ password, hint: 'battery' })
  }

  async setUsername(username) {
    await this.client.setMyUsername(username)
  }

  async send(peer, text) {
    return (await this.client.sendText(peer, text)).id
  }

  async sendFile(peer, bytes, caption) {
    await this.client.sendMedia(peer, InputMedia.document(bytes, { fileName: 'noise.bin', caption }))
  }

  async sendPhoto(peer, bytes, caption) {
    await this.client.sendMedia(peer, InputMedia.photo(bytes, { fileName: 'photo.png', caption }))
  }

  // The bytes of what the last message of that chat shows.
  async lastFile(peer) {
    const [message] = await this.client.getHistory(peer, { limit: 1 })
    return Buffer.from(await this.client.downloadAsBuffer(message.media))
  }

  async history(peer, limit) {
    return (await this.client.getHistory(peer, { limit })).map((message) => message.text)
  }

  async dialogs() {
    const names = []
    for await (const dialog of this.client.iterDialogs()) names.push(dialog.peer.displayName)
    return names
  }

  async createGroup(title) {
    const group = await this.client.createSupergroup({ title })
    const { link } = await this.client.exportInviteLink(group)
    return { group, link }
  }

  async join(link) {
    return (await this.client.joinChat(link)).chat.title
  }

  async floodWait(peer, text) {
    const error = await this.client.sendText(peer, text).then(() => undefined, (e) => e)
    return tl.RpcError.is(error, 'FLOOD_WAIT_%d') ? error.seconds : error
  }

  // It asks by itself once it is connected again.
  async catchUp() {}

  async nearestAt(dc) {
    return (await this.client.call({ _: 'help.getNearestDc' }, { dcId: dc })).thisDc
  }

  async home() {
    return (await this.client.call({ _: 'help.getNearestDc' })).thisDc
  }
}
