// SPDX-License-Identifier: MIT
// A network between one client and the sandbox, which can be cut: connections end, and new ones get no further
// than here until it is mended.
import { once } from 'node:events'
import net from 'node:net'

export class Link {
  #sockets = new Set()
  #mended = Promise.resolve()

  static async to(port) {
    const self = new Link()
    self.server = net.createServer((near) => self.#carry(near, port))
    self.server.listen(0, '127.0.0.1')
    await once(self.server, 'listening')
    self.port = self.server.address().port
    return self
  }

  async #carry(near, port) {
    this.#keep(near)
    await this.#mended
    if (near.destroyed) return
    const far = this.#keep(net.connect(port, '127.0.0.1'))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }

  #keep(socket) {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    return socket.on('error', () => {})
  }

  cut() {
    this.#mended = new Promise((resolve) => { this.mend = resolve })
    for (const socket of this.#sockets) socket.destroy()
  }

  close() {
    this.cut()
    this.server.close()
  }
}
