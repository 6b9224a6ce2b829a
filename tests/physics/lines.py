"""Lines of the summary that validate.py writes, series of its figures, and the error of a case that could not run."""


class Failed(Exception):
    """A run that did not do what the case needs; the text says what it printed."""


def result(name, value, unit, reference, source, tolerance, absolute=False):
    """One line of the summary; error is relative unless `absolute`."""
    error = abs(value - reference) if absolute or reference == 0 else abs(value / reference - 1)
    return {"name": name, "value": value, "unit": unit, "reference": reference, "source": source, "error": error,
            "error_is": "absolute" if absolute or reference == 0 else "relative", "tolerance": tolerance,
            "pass": bool(error <= tolerance)}


def bound(name, value, unit, low, high, source):
    """One line of the summary for a value that must lie between two bounds (None: no bound)."""
    good = (low is None or value >= low) and (high is None or value <= high)
    return {"name": name, "value": value, "unit": unit, "reference": [low, high], "source": source, "error": None,
            "error_is": "bounds", "tolerance": None, "pass": bool(good)}


def points(label, x, y):
    """A series of a figure: what the program gave."""
    return {"label": label, "x": [float(v) for v in x], "y": [float(v) for v in y], "kind": "points"}


def curve(label, x, y):
    """A series of a figure: what the program gave, joined by a line."""
    return dict(points(label, x, y), kind="curve")


def reference(label, x, y):
    """A series of a figure: the published or analytic values; one point is drawn as a marker, two and more as a line."""
    return dict(points(label, x, y), kind="reference")


def reference_points(label, x, y):
    """A series of a figure: published values that are not to be joined."""
    return dict(points(label, x, y), kind="reference points")


def level(label, y):
    """A series of a figure: a reference that holds everywhere, a horizontal line."""
    return {"label": label, "x": [], "y": [float(y)], "kind": "level"}
