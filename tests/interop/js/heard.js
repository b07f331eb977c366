// SPDX-License-Identifier: MIT
// The texts of the messages that a client hears of, in their order, to be awaited.
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
  async hear(text) {
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`did not hear ${text}, but ${this.#texts}`)), HEARD_MS_MAX)
    })
    try {
      while (!this.#texts.includes(text)) {
        await Promise.race([late, new Promise((resolve) => { this.#waiting = resolve })])
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
