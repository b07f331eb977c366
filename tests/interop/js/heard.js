// SPDX-License-Identifier: MIT
// The texts of the messages that a client hears of, in their order, to be awaited.
import { within } from './within.js'

const HEARD_MS_MAX = 30_000

export class Heard {
  #texts = []
  #waiting = () => {}

  add(text) {
    this.#texts.push(text)
    this.#waiting()
  }

  count(text) {
    return this.#texts.filter((t) => t === text).length
  }

  // Resolves once the text was heard, maybe before the call.
  hear(text) {
    return within(HEARD_MS_MAX, this.#until(text), () => `did not hear ${text}, but ${this.#texts}`)
  }

  async #until(text) {
    while (!this.#texts.includes(text)) await new Promise((resolve) => { this.#waiting = resolve })
  }
}
