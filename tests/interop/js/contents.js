// SPDX-License-Identifier: MIT
// What is in the files that the suites send: the same in every run.
import { createCipheriv } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

// Bytes of which no two parts are equal, and others for each size.
export function noise(size) {
  const key = Buffer.alloc(16)
  key.writeUInt32LE(size)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  const length = Buffer.alloc(4)
  const sum = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

// A PNG of grey noise (https://www.w3.org/TR/png-3/).
export function picture(width, height) {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 8 // bits a sample; colour type 0 is grey
  const lines = noise(height * (width + 1))
  for (let y = 0; y < height; y++) lines[y * (width + 1)] = 0 // no filter
  return Buffer.concat([
    Buffer.of(0x89), Buffer.from('PNG\r\n\x1a\n'),
    chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0)),
  ])
}
