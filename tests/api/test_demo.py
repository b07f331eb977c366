# SPDX-License-Identifier: MIT
"""`tgrest demo`, and the lines that it and the README tell one to paste."""
import json
import pathlib
import re
import subprocess

import pytest

from accounts import sign_up, unique
from client import Api
from commands import run
from processes import DEADLINE_S, Process, clean_environment, wait_until

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


class Demo(Process):
    def __init__(self, binary, options=()):
        super().__init__([binary, "demo", "--listen", "127.0.0.1:0", "--sandbox", "127.0.0.1:0", *options],
                         logins_are_shown=True)
        self.url = self.wait_for(r"^listening on (http://127\.0\.0\.1:\d+)$").group(1)
        self.wait_for(r"^sandbox on 127\.0\.0\.1:\d+$")
        wait_until(lambda: any("Ctrl-C" in line for line in list(self.out_lines)), "what to try")


def paste(lines):
    """Types the lines into bash, one after the other; what each of them wrote."""
    script = "".join(f"{line}\nprintf '\\036'\n" for line in lines)
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=2 * DEADLINE_S,
                          env=clean_environment())
    assert done.returncode == 0 and done.stderr == "", done.stderr
    outputs = done.stdout.split("\036")[:-1]
    assert len(outputs) == len(lines)
    return outputs


def answers_of(lines, outputs):
    """Each answer with the line that got it; none may be an error."""
    answers = []
    for line, output in zip(lines, outputs):
        for text in filter(None, output.splitlines()):
            answer = json.loads(text)
            assert not isinstance(answer, dict) or "error" not in answer, (line, answer)
            answers.append((line, answer))
    return answers


def test_the_lines_of_the_demo_work(binary):
    with Demo(binary) as demo:
        told = list(demo.out_lines)
        lines = [line.strip() for line in told if line.startswith("  ")]
        begin = next(i for i, line in enumerate(lines) if "TG=" in line)
        lines = lines[begin:]
        assert demo.url in lines[0]
        outputs = paste(lines)
        answers = answers_of(lines, outputs)
        text = json.dumps([answer for _, answer in answers])
        # A login with code and password, a walk through every endpoint, and out again.
        paths = " ".join(lines)
        for path in ("/auth/send_code", "/auth/verify_code", "/auth/verify_password", "/me", "/chats",
                     "/messages/send", "/messages?", "/messages/edit", "/messages/forward", "/messages/delete",
                     "/messages/send_with_file", "/messages/media/", "/groups/join", "/methods/", "/auth/logout"):
            assert path in paths, path
        for said in ("Verification code sent", "2FA password required", "Successfully authenticated with 2FA",
                     "Successfully joined", "Successfully logged out", "deleted_messages", '{"a": "file"}'):
            assert said in text, said


def test_the_accounts_that_it_names_are_there(binary):
    """Each number of the table logs in with the code, and the password, that stand beside it."""
    with Demo(binary) as demo:
        rows = [line for line in demo.out_lines if re.match(r"\s+\+99966\d{5} ", line)]
        assert len(rows) >= 3
        for row in rows:
            phone, code = re.search(r"\+(\d+)", row).group(1), re.search(r"code (\d+)", row).group(1)
            password = re.search(r'password "([^"]+)"', row)
            with Api(demo) as client:
                client.send_code(phone)
                answer = client.verify_code(code)
                if password:
                    answer = client.verify_password(password.group(1))
                assert answer["next_step"] == "completed"
                assert "@" + client.get("/me")["username"] in row


def test_the_echo_user_answers(binary):
    """Messages come and go: the world is alive."""
    with Demo(binary) as demo, Api(demo) as client:
        sign_up(client, "9996629999")
        text = unique("is anybody there")
        client.send("@echo", text)
        wait_until(lambda: client.messages("@echo", limit=1)[0]["out"] is False, "the echo")
        assert client.messages("@echo", limit=1)[0]["text"] == text


def test_each_demo_has_its_own_world(binary):
    with Demo(binary) as first, Demo(binary) as second:
        assert first.url != second.url


def test_the_walk_of_the_readme_works(binary):
    text = README.read_text()
    block = re.search(r"## A walk with curl\n.*?```sh\n(.*?)```", text, re.S).group(1)
    with Demo(binary) as demo:
        script = block.replace("http://127.0.0.1:8000", demo.url)
        # Lines that go on in the next one are pasted as one.
        commands, lines = [], []
        for line in script.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                commands.append(line)
        for command in commands:
            lines.append(command if command.startswith("S=") else f"{command}; echo")
        answers = answers_of(lines, paste(lines))
        assert answers and answers[-1][1]["message"] == "Successfully logged out"


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_demo_explains_itself(binary, option):
    assert "--sandbox" in run(binary, "demo", option).stdout
