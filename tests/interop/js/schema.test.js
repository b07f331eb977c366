// SPDX-License-Identifier: MIT
// The layers of these libraries are what tools/schema_from_npm.py makes of the installed packages.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { library as gramjs } from './gramjs.js'
import { library as mtcute } from './mtcute.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = path.join(here, '..', '..', '..')
const withoutOrigin = (file) => readFileSync(file, 'utf8').replace(/^.*\n/, '') // names the package as it was given

for (const [library, name] of [[gramjs, 'telegram'], [mtcute, '@mtcute/core']]) {
  test(`layer ${library.layer} is what ${name} ships`, (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'interop-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const made = path.join(folder, 'api.tl')
    execFileSync('python3', [path.join(root, 'tools', 'schema_from_npm.py'), path.join(here, 'node_modules', name),
      '--api', made], { stdio: 'ignore' })
    assert.equal(withoutOrigin(made), withoutOrigin(path.join(root, 'schema', 'layers', `api-${library.layer}.tl`)))
  })
}
