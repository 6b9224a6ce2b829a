"""Lines of the summary that validate.py writes, and the error of a case that could not run."""


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
