"""Groups of summary.json as tables, whatever they hold."""
from page import details, number, table

ROWS = 40  # of a table that is not folded


UNITS = ("T", "nm", "nm2", "deg", "J", "J/m3", "ns", "mT")


def power(text):
    return text.replace("m3", "m\u00b3").replace("m2", "m\u00b2")


def words(name):
    """field_before_T -> field before (T)"""
    head, _, last = name.rpartition("_")
    return "%s (%s)" % (head.replace("_", " "), power(last)) if head and last in UNITS else name.replace("_", " ")


def value_of(v):
    """Text of a plain value or of {"value": v, "unit": u}; None for anything deeper."""
    if isinstance(v, dict) and set(v) == {"value", "unit"}:
        return "\u2013" if v["value"] is None else value_of(v["value"]) + ("" if v["unit"] in ("", "1") else "\u00a0" + power(v["unit"]))
    if v is None:
        return "\u2013"
    if isinstance(v, (bool, int, float)):
        return number(v)
    if isinstance(v, str):
        return v
    if isinstance(v, list) and 0 < len(v) <= 4 and all(isinstance(x, (int, float)) for x in v):
        return ", ".join(number(x) for x in v)
    return None


def plain(group):
    """(name, text) of the values of a group that are not groups or long lists."""
    return [(words(k), value_of(v)) for k, v in group.items() if value_of(v) is not None]


def list_table(rows):
    """A list of maps: a line each, a column a key that holds something plain."""
    columns = []
    for row in rows:
        columns += [k for k, v in row.items() if k not in columns and value_of(v) is not None]
    if not columns:
        return ""
    lines = [[value_of(row.get(k)) or "" for k in columns] for row in rows]
    left = [k for k, c in enumerate(columns) if any(isinstance(row.get(c), str) for row in rows)]
    drawn = table([words(c) for c in columns], lines, words=left)
    return drawn if len(rows) <= ROWS else details("%d lines" % len(rows), drawn)


def group_table(group, skip=()):
    """A group: its plain values, then its groups of plain values side by side, then its lists of maps."""
    parts, kept = [], {k: v for k, v in group.items() if k not in skip}
    if plain(kept):
        parts.append(table((), plain(kept)))
    for name, v in kept.items():
        if isinstance(v, dict) and value_of(v) is None and v:
            inside = group_table(v)
            if inside:
                parts.append("<h3>%s</h3>%s" % (words(name), inside))
        elif isinstance(v, list) and v and all(isinstance(x, dict) for x in v):
            inside = list_table(v)
            if inside:
                parts.append("<h3>%s</h3>%s" % (words(name), inside))
    return "".join(parts)
