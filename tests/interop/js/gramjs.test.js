// SPDX-License-Identifier: MIT
import { library } from './gramjs.js'
import { suite } from './suite.js'

suite(library)
