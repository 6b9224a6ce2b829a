"""docs/validation.md: every case with what it is, its numbers beside their references, and its figure; made from a run of validate.py."""
import inspect
import os
import textwrap

HEAD = """# Validation

What `make validate` computes, beside published and analytic values. Made by `tests/physics/validate.py BUILD --report docs/validation.md`; not edited by hand.
Figures: `out/validate/figures/<case>.png` and `.svg`, and `overview` with all errors over their tolerances.

%d of %d numbers agree. "limit in h": two or more meshes, extrapolated in h^2, the order of linear elements. A reference "a .. b" is a bound.
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
    if done["panels"]:
        parts.append("Figure: `%s`. " % name + "; ".join("%s against %s" % (p["ylabel"], p["xlabel"]) for p in done["panels"]) + ".")
    return "\n\n".join(parts) + "\n"


def absent(names):
    """Says which cases the run did not have."""
    return "\nNot part of the run this was made from: %s.\n" % ", ".join(names) if names else ""


def write(path, functions, done):
    """All cases that were run -> path."""
    import cases
    lines = [line for d in done.values() for line in d["results"]]
    text = HEAD % (sum(line["pass"] for line in lines), len(lines))
    text += absent([name for name in cases.CASES if name not in done])
    text += "".join("\n" + section(name, functions[name], d) for name, d in done.items())
    with open(path + ".new", "w") as f:
        f.write(text)
    os.replace(path + ".new", path)
