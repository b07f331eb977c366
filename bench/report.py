# SPDX-License-Identifier: MIT
"""The report: tables that read well on a terminal and as markdown; progress goes to the terminal alone."""
import sys


class Report:
    def __init__(self, path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("w")
        self.note("# tgrest bench")

    def _write(self, text):
        print(text, flush=True)
        print(text, file=self.file, flush=True)

    def note(self, text):
        self._write(text + "\n")

    def progress(self, text):
        print(f"… {text}", file=sys.stderr, flush=True)

    def table(self, title, header, rows):
        """Texts to the left, numbers to the right."""
        cells = [[str(c) for c in row] for row in rows]
        widths = [max(len(r[i]) for r in [header, *cells]) for i in range(len(header))]
        right = [all(r[i][:1].isdigit() or r[i][:1] in ("-", "") for r in cells) for i in range(len(header))]

        def line(row):
            return "| " + " | ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right)) + " |"

        rule = "|" + "|".join("-" * (w + 1) + ("-:"[r] if r else "-") for w, r in zip(widths, right)) + "|"
        self._write("\n".join([f"## {title}\n", line(header), rule, *map(line, cells)]) + "\n")
