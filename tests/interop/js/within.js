// SPDX-License-Identifier: MIT
// The promise's outcome, or after ms an error of its own: what never comes must fail a test, not hang it.
export async function within(ms, promise, complaint) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint()}, within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
