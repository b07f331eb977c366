// SPDX-License-Identifier: MIT
import { library } from './mtcute.js'
import { suite } from './suite.js'

suite(library)
