# SPDX-License-Identifier: MIT
"""Subcommands that run and end."""
import json
import subprocess

from processes import DEADLINE_S, SANITIZER_REPORT, clean_environment


def run(binary, *arguments, given="", env=None, expect=0):
    """Runs it with that standard input; standard output and error as texts. expect: status, or several."""
    done = subprocess.run(
        [binary, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=DEADLINE_S,
        env=clean_environment(env),
    )
    expected = expect if isinstance(expect, tuple) else (expect,)
    assert done.returncode in expected, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done


def inspect(binary, key_file, session, *options):
    """What the string holds, as `tgrest session inspect` says it."""
    return json.loads(run(binary, "session", "inspect", "--key-file", key_file, *options, given=session).stdout)
