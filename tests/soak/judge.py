# SPDX-License-Identifier: MIT
"""Every answer against /openapi.json, the table of Telegram's errors, and the gateway's own names."""
import collections
import re

from jsonschema import ValidationError

from client import Contract
from test_errors_table import expected, table

# The judge is slower than what it judges: of each kind of success the first ones, then one in so many.
ALWAYS_FIRST = 20
THEN_ONE_IN = 25

# The gateway's own errors that this traffic and these faults may lead to. No other may occur: INTERNAL,
# OUT_OF_MEMORY, UPSTREAM_BROKEN, UPSTREAM_REFUSED and kin would each be somebody's mistake.
OWN = {
    400: {"BAD_REQUEST", "FILE_EMPTY", "MALFORMED_FORM", "INVALID_PARAMETER", "MALFORMED_JSON",
          "MESSAGE_ID_INVALID", "WRONG_LOGIN_STEP"},
    401: {"LOGIN_NOT_FINISHED", "NO_SESSION", "SESSION_FORGED", "SESSION_MALFORMED", "SESSION_UNKNOWN_KEY",
          "SESSION_UNSUPPORTED"},
    404: {"CHAT_NOT_FOUND", "MEDIA_EMPTY", "METHOD_NOT_FOUND", "NOT_FOUND"},
    405: {"METHOD_NOT_ALLOWED"},
    408: {"REQUEST_TIMEOUT"},  # where this program was slow to send a body
    413: {"BODY_TOO_LARGE", "QUERY_TOO_LARGE"},
    415: {"UNSUPPORTED_MEDIA_TYPE"},
    429: {"TRANSPORT_FLOOD"},
    502: {"UPSTREAM_UNREACHABLE"},
    503: {"DRAINING", "OVERLOADED"},
    504: {"OUTCOME_UNKNOWN", "TIMEOUT"},
}


def telegram_errors():
    """{name with %d for its number: statuses}."""
    return {name.upper(): expected(name, code)[0] for name, code in table()}


class Violations:
    """What was wrong, in words; the first ones are shown, all are kept."""

    def __init__(self):
        self.of = collections.defaultdict(list)

    def add(self, check, text):
        self.of[check].append(text)

    def count(self):
        return sum(map(len, self.of.values()))


class Judge:
    def __init__(self, spec, violations):
        self.contract = Contract(spec)
        self.violations = violations
        self.answers = collections.Counter()  # (method, path, status, error)
        self._telegram = telegram_errors()

    def look(self, response, where):
        """Every answer comes by here, once."""
        request = response.request
        path = self.contract.path_of(request.url.path) or "(none)"
        error = ""
        try:
            self._check(response, self.answers[request.method, path, response.status_code, ""])
            if response.status_code >= 400:
                error = self._general(response.json()["error"])
                self._check_name(response.status_code, error)
        except (AssertionError, ValidationError, KeyError, ValueError) as problem:
            said = response.text[:300] if response.status_code >= 400 else f"{response.status_code}"
            self.violations.add(
                "every answer is one that the description documents",
                f"{where}: {request.method} {request.url.path} "
                f"{response.headers.get('x-request-id')}: {str(problem)[:300]}; {said}")
        self.answers[request.method, path, response.status_code, error] += 1

    def _check(self, response, seen_before):
        assert response.status_code != 500, "500 is a bug"
        if response.status_code >= 400 or seen_before < ALWAYS_FIRST or seen_before % THEN_ONE_IN == 0:
            self.contract.check(response)

    def _general(self, name):
        """FLOOD_WAIT_30 -> FLOOD_WAIT_%d, where the table has it so."""
        general = re.sub(r"(?<=_)\d+(?=$|_|MIN$)", "%d", name).upper()
        return general if general in self._telegram else name

    def _check_name(self, status, name):
        if name in OWN.get(status, ()):
            return
        statuses = self._telegram.get(name.upper())
        assert statuses, f"{status} {name} is in no table"
        assert status in statuses, f"{name} with {status}"
        assert name != "AUTH_KEY_DUPLICATED", "the key was used over two connections"

    def table(self):
        """Lines: how often which answer was given."""
        for (method, path, status, error), n in sorted(self.answers.items()):
            yield f"{n:8d}  {status}  {method:6s} {path:24s} {error}"


