"""The runs inside a sweep or a campaign: what they warn of, taken together."""
import json
import os
import re

from page import number

READ = 500  # summaries; the rest is not looked at


def kind(text):
    """A warning without its numbers: what two runs have in common."""
    return re.sub(r"[-+]?\d[\d.]*(e[-+]?\d+)?", "#", text)


def warnings(folders):
    """["in 12 of 30 runs: text of the first", ..] of the summaries in the folders; most frequent first."""
    found, read = {}, 0
    for folder in folders[:READ]:
        try:
            with open(os.path.join(folder, "summary.json"), encoding="utf-8") as f:
                texts = json.load(f).get("warnings") or []
        except (OSError, ValueError):
            continue
        read += 1
        for text in {kind(t): t for t in texts}.values():
            first, count = found.get(kind(text), (text, 0))
            found[kind(text)] = (first, count + 1)
    return ["in %s of %s runs: %s" % (number(count), number(read), first) for first, count in sorted(found.values(), key=lambda fc: -fc[1])]
