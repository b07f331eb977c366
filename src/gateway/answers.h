/* SPDX-License-Identifier: MIT */
#ifndef TGREST_GATEWAY_ANSWERS_H
#define TGREST_GATEWAY_ANSWERS_H

#include "base/bytes.h"

/* schema/answers.json, which is part of the binary: a JSON object of JSON Schemas by name. */
struct slice answers_embedded(void);

#endif
