"""Pieces of a page that needs nothing but itself: no script, no network, pictures inside."""
import base64
import html
import math
import os

STYLE = """
:root{--ink:#1d2329;--soft:#5d6873;--line:#d9dee3;--blue:#1b4f8a;--wash:#f4f6f8}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);margin:0 auto;max-width:66rem;padding:1.5rem 1.5rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.2rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.4rem 0 .3rem}
p{max-width:48rem;margin:.5rem 0}
.groups{display:flex;flex-wrap:wrap;gap:0 3rem;align-items:flex-start}
.soft{color:var(--soft)}
nav{margin:1rem 0 0;font-size:.9rem}nav a{margin-right:1.1rem;color:var(--blue)}
.tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
.tile{background:var(--wash);border-radius:6px;padding:.6rem 1rem;min-width:8rem}
.tile b{display:block;font-size:1.45rem;font-weight:600;line-height:1.3}
.tile span{color:var(--soft);font-size:.85rem}
.warn{background:#fff6e0;border-left:4px solid #d99a00;padding:.6rem 1rem;margin:1rem 0}
.bad{background:#fdecea;border-left:4px solid #b2182b;padding:.6rem 1rem;margin:1rem 0}
.warn ul,.bad ul{margin:.2rem 0;padding-left:1.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.6rem 0;font-size:.9rem;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:right;vertical-align:bottom;border-bottom:1px solid #9aa5b0;padding:.2rem .8rem}
td{text-align:right;border-bottom:1px solid var(--line);padding:.2rem .8rem}
td.t,th.t{text-align:left}
tr.best td{background:#eaf2fb;font-weight:600}
tr.failed td{color:#9b1c2e}
figure{margin:1rem 0 1.6rem}figure img{max-width:100%;height:auto;display:block}
figcaption{color:var(--soft);font-size:.9rem;max-width:48rem;margin-top:.3rem}
pre{background:var(--wash);padding:.8rem 1rem;overflow-x:auto;font-size:.82rem;line-height:1.4;border-radius:6px}
summary{cursor:pointer;color:var(--blue)}
.bar{display:inline-block;height:.75rem;background:var(--blue);border-radius:2px;vertical-align:middle}
code{font-size:.88em;overflow-wrap:anywhere}
@media print{body{max-width:none;padding:0}nav{display:none}figure,tr{break-inside:avoid}}
"""


def text(value):
    return html.escape(str(value))


def number(value, digits=4):
    """A number as a person writes it: 4 digits that count, no 1e+03 where 1000 does."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e7):
        return "{:,d}".format(int(value)).replace(",", "\u202f")
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return "\u2013"
    if 1e-3 <= abs(value) < 1e6:
        return ("%.*f" % (max(0, digits - 1 - math.floor(math.log10(abs(value)))), value))
    return "%.*g" % (digits, value)


def seconds(value):
    """A duration in the unit that suits it."""
    if value < 120:
        return "%.3g s" % value
    return "%.3g min" % (value / 60) if value < 7200 else "%.3g h" % (value / 3600)


def table(header, rows, classes=None, words=()):
    """rows of texts and numbers; columns whose place is in `words` are set left, as is the first; classes: of each row, or None."""
    left = {0, *words}
    cell = lambda tag, k, v: "<%s%s>%s</%s>" % (tag, " class=t" if k in left else "", text("\u2013" if v is None else number(v) if not isinstance(v, str) else v), tag)
    line = lambda tag, row, of: "<tr%s>%s</tr>" % (" class=%s" % of if of else "", "".join(cell(tag, k, v) for k, v in enumerate(row)))
    body = "".join(line("td", row, classes[i] if classes else "") for i, row in enumerate(rows))
    return "<div class=wide><table>%s%s</table></div>" % (line("th", header, "") if header else "", body)


def details(title, inside, opened=False):
    return "<details%s><summary>%s</summary>%s</details>" % (" open" if opened else "", text(title), inside)


def tiles(pairs):
    return "<div class=tiles>%s</div>" % "".join("<div class=tile><b>%s</b><span>%s</span></div>" % (text(v), text(k)) for k, v in pairs)


def box(kind, title, lines):
    if not lines:
        return ""
    return "<div class=%s><b>%s</b><ul>%s</ul></div>" % (kind, text(title), "".join("<li>%s</li>" % text(x) for x in lines))


WIDEST = 2100  # pixels of a figure across two columns of a journal: the width of the page


def picture(path, caption, width=None):
    """A PNG file inside the page; width in parts of the page, without it as its pixels say, so that letters have one size on all figures."""
    with open(path, "rb") as f:
        png = f.read()
    data = base64.b64encode(png).decode()
    width = width or min(1, int.from_bytes(png[16:20], "big") / WIDEST)
    name = os.path.splitext(os.path.basename(path))[0].replace("_", " ")
    return "<figure><img alt=\"%s\" src=\"data:image/png;base64,%s\"%s><figcaption>%s</figcaption></figure>" % (
        text(name), data, " style=\"width:%d%%\"" % (100 * width), text(caption))


class Page:
    """Sections in the order in which they are added, with links to them at the top."""

    def __init__(self, title, line):
        self.title, self.line, self.head, self.sections = title, line, [], []

    def above(self, inside):
        self.head.append(inside)

    def add(self, title, inside):
        if inside:
            self.sections.append((title, inside))

    def whole(self):
        anchor = lambda k: "part%d" % k
        links = "".join("<a href=\"#%s\">%s</a>" % (anchor(k), text(t)) for k, (t, _) in enumerate(self.sections))
        parts = "".join("<h2 id=%s>%s</h2>%s\n" % (anchor(k), text(t), inside) for k, (t, inside) in enumerate(self.sections))
        return ("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
                "<title>%s</title><style>%s</style></head><body>\n<h1>%s</h1><p class=soft>%s</p>\n<nav>%s</nav>\n%s\n%s</body></html>\n"
                % (text(self.title), STYLE, text(self.title), text(self.line), links, "\n".join(self.head), parts))
