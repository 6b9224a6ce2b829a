"""docs/validation.md: every case with what it is, its numbers beside their references, its figure, and the state of the code they are of;
made from runs of validate.py.  What a run did not compute stays as the file has it."""
import inspect
import os
import re
import textwrap

HEAD = """# Validation

What `make validate` computes, beside published and analytic values. Made by `tests/physics/validate.py BUILD --report docs/validation.md`; not edited by hand.
Figures: `out/validate/figures/<case>.png` and `.svg`, and `overview` with all errors over their tolerances.

%d of %d numbers agree; each case says with which state of the code (a commit; +: and changes to it) it was measured. "limit in h": two or more meshes, extrapolated in h^2, the order of linear elements. A reference "a .. b" is a bound.
"""


def number(value):
    return "%.6g" % value


def row(line):
    reference = line["reference"]
    if isinstance(reference, list):
        shown, error, tolerance = " .. ".join("" if b is None else number(b) for b in reference), "", ""
    else:
        relative = line["error_is"] == "relative"
        shown = number(reference)
        error = "%.2g %%" % (100 * line["error"]) if relative else number(line["error"])
        tolerance = "%.3g %%" % (100 * line["tolerance"]) if relative else number(line["tolerance"])
    unit = " " + line["unit"] if line["unit"] else ""
    cells = [line["name"], number(line["value"]) + unit, shown, error, tolerance, line["source"] + ("" if line["pass"] else " **fails**")]
    return "| " + " | ".join(c.replace("|", "/") for c in cells) + " |"


def section(name, function, done):
    text = inspect.getdoc(function).split("\n\n", 1)
    parts = ["## " + name, text[0].replace("\n", " ")]
    if len(text) > 1:
        parts.append(textwrap.fill(text[1].replace("\n", " "), 150))
    lines = [line for line in done["results"] if line["value"] is not None]
    if lines:
        head = "| number | magtwin | reference | error | tolerance | source |\n|---|---|---|---|---|---|"
        parts.append("\n".join([head] + [row(line) for line in lines]))
    parts += ["Did not run: " + line["message"].splitlines()[0] for line in done["results"] if line["value"] is None]
    parts.append(measured(done))
    if done["panels"]:
        parts.append("Figure: `%s`. " % name + "; ".join("%s against %s" % (p["ylabel"], p["xlabel"]) for p in done["panels"]) + ".")
    return "\n\n".join(parts) + "\n"


def measured(done):
    """Of which state of the code the numbers are, and what they took."""
    if "processor_seconds" not in done:
        return "Did not end."
    if "state" not in done:
        return "Measured with an earlier state of the code."
    return "Measured %s, %s: %.0f s of processor time." % (done["date"], done["state"], done["processor_seconds"])


def sections_of(path):
    """{case: its section} of a page made before."""
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        parts = re.split(r"(?m)^## (\w+)\n", f.read())
    return {name: "## %s\n\n%s\n" % (name, text.strip("\n")) for name, text in zip(parts[1::2], parts[2::2])}


def old(text):
    """A section that another run made; from before states were noted, it says so."""
    return text if "\nMeasured " in text else text.rstrip("\n") + "\n\nMeasured with an earlier state of the code.\n"


def numbers_in(text):
    """Numbers of a section that agree, and all of them."""
    rows = [row for row in text.splitlines() if row.startswith("| ") and not row.startswith("| number |")]
    return sum("**fails**" not in row for row in rows), len(rows)


def write(path, functions, done):
    """The cases that were run, and those that the file has from runs before -> path."""
    import cases
    pages = {name: old(text) for name, text in sections_of(path).items()}
    pages.update({name: section(name, functions[name], d) for name, d in done.items()})
    kept = [pages[name] for name in cases.CASES if name in pages]
    text = HEAD % tuple(map(sum, zip(*map(numbers_in, kept))))
    missing = [name for name in cases.CASES if name not in pages]
    if missing:
        text += "\nNever run: %s.\n" % ", ".join(missing)
    text += "".join("\n" + page for page in kept)
    with open(path + ".new", "w") as f:
        f.write(text)
    os.replace(path + ".new", path)
