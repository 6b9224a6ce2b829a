"""magtwin report and magtwin status: the page of a run and of a campaign holds everything itself, also half-finished ones; a browser shows it.
# timeout: 600
"""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys

import matplotlib.image
import numpy as np

import plot_test
import support

sys.path.insert(0, os.path.join(support.ROOT, "postprocess", "plot"))
from campaign import Campaign, added, reference_of, volume
from support import Skip, check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"

CAMPAIGN = """\
title: "a <script>alert(1)</script> title"
optimize:
  variables:
    - {name: x, min: 0, max: 1}
    - {name: n, type: integer, min: 0, max: 9}
    - {name: c, type: categorical, values: [a, b]}
  goals: GOALS
  evaluate: command
  command: >-
    if awk -v x={x} 'BEGIN { exit !(x > 0.8) }'; then echo 'no <such> phase' >&2; exit 3; fi;
    awk -v x={x} -v n={n} -v c={c} 'BEGIN { printf "%.15g MORE\\n", (x-0.3)^2 + (n-5)^2/100 + 0.2*(c == "b")VALUES }'
  initial: 6
  evaluations: 12
  seed: 5
output:
  folder: FOLDER
"""


class Page(html.parser.HTMLParser):
    """What a page is made of: headings, pictures, open and closed tags."""

    def __init__(self, path):
        super().__init__()
        self.text, self.heads, self.pictures, self.scripts, self.links, self.depth, self.words = open(path, encoding="utf-8").read(), [], [], 0, [], [], []
        self.feed(self.text)
        check(not self.depth or self.depth == ["html"], "tags left open: %s" % self.depth)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.pictures.append(attrs["src"])
        self.scripts += tag == "script"
        self.links += [v for k, v in attrs.items() if k in ("src", "href") and not v.startswith("data:")]
        if tag in ("div", "table", "details", "figure", "pre", "body", "ul"):
            self.depth.append(tag)

    def handle_endtag(self, tag):
        if tag in ("div", "table", "details", "figure", "pre", "body", "ul"):
            check(self.depth and self.depth.pop() == tag, "%s ends without a start" % tag)

    def handle_data(self, data):
        self.words.append(data)


def page_of(path):
    """Nothing on it points outside, and it runs nothing."""
    page = Page(path)
    check(all(link.startswith("#") for link in page.links), "points elsewhere: %s" % page.links)
    check("url(" not in page.text and "@import" not in page.text, "a style that loads something")
    check(page.scripts == 0, "%d scripts" % page.scripts)
    check(all(p.startswith("data:image/png;base64,") for p in page.pictures), "a picture from elsewhere")
    targets = set(re.findall(r"<h2 id=(\w+)>", page.text))
    check(all(link[1:] in targets for link in page.links), "a link to no heading")
    return page


def report(folder, *words):
    done = support.magtwin(BUILD, "report", folder, *words)
    check("Traceback" not in done.err, done)
    return done


def run_folder(folder):
    """A run as plot_test draws it, with what summary.json of a real one has besides."""
    plot_test.write_run(folder, n=12)
    path = os.path.join(folder, "summary.json")
    summary = json.load(open(path))
    summary.update(subcommand="demag", version="0", command="magtwin demag a&b.yaml", ranks=2, input="title: \"a <b>\"\ngrains:\n  count: 6\n",
                   input_file="a&b.yaml", libraries={"PETSc": "3"}, warnings=["walls <stick> to the mesh"], wall={"value": 200, "unit": "s"},
                   phases={"field path": {"wall": {"value": 190, "unit": "s"}}}, counts={"events": 3},
                   peak_memory_per_rank={"min": {"value": 10, "unit": "MiB"}, "max": {"value": 20, "unit": "MiB"}})
    with open(path, "w") as f:
        json.dump(summary, f)
    return folder


def of_a_run(folder):
    done = report(run_folder(folder))
    check(done.code == 0 and "report.html" in done.out, done)
    page = page_of(os.path.join(folder, "report.html"))
    check(len(page.pictures) == 5, "%d pictures" % len(page.pictures))
    text = "".join(page.words).replace("\u00a0", " ")
    for word in ("a <b>", "walls <stick> to the mesh", "magtwin demag a&b.yaml", "1.500 T", "coercive field", "field path", "3.17 min", "grains:\n  count: 6"):
        check(word in text, "no %r on the page" % word)
    check(os.path.getsize(os.path.join(folder, "report.html")) < 5e6, "a page of %d bytes" % os.path.getsize(os.path.join(folder, "report.html")))
    check(not [n for n in os.listdir(folder) if n.endswith(".tmp")], "a piece is left")
    other = os.path.join(folder, "other.html")
    check(report(folder, "--output", other).code == 0 and os.path.isfile(other), "--output")


def half_a_run(folder):
    """A run that goes on: the curve so far, and what is missing in words."""
    run_folder(folder)
    os.remove(os.path.join(folder, "summary.json"))
    done = report(folder)
    check(done.code == 0, done)
    page = page_of(os.path.join(folder, "report.html"))
    text = "".join(page.words)
    check("not finished" in text and "summary.json is missing" in text and len(page.pictures) == 2, text[:2000])
    status = support.magtwin(BUILD, "status", folder)
    check(status.code == 0 and "61 lines of curve.csv" in status.out and "J_T = " in status.out, status)


def stopped_run(folder):
    """A run that a signal ended is not called done; a phase field that goes on tells its time."""
    run_folder(folder)
    path = os.path.join(folder, "summary.json")
    with open(path) as f:
        summary = json.load(f)
    check(", done " in support.magtwin(BUILD, "status", folder).out, "a run that is done")
    with open(path, "w") as f:
        json.dump(dict(summary, stopped=True), f)
    status = support.magtwin(BUILD, "status", folder)
    check(", stopped " in status.out and "--resume continues" in status.out and ", done " not in status.out, status)
    check(report(folder).code == 0, "report")
    text = "".join(page_of(os.path.join(folder, "report.html")).words)
    check("stopped by a signal" in text, text[:2000])
    other = os.path.join(folder, "evolve")
    os.mkdir(other)
    with open(os.path.join(other, "evolve.csv"), "w") as f:
        f.write("t_s,dt_s,f_total_J/m3\n0,0,2\n0.5,0.5,1.5\n")
    status = support.magtwin(BUILD, "status", other)
    check("2 lines of evolve.csv" in status.out and "t_s = 0.5, f_total_J/m3 = 1.5" in status.out, status)
    os.rename(os.path.join(other, "evolve.csv"), os.path.join(other, "checkpoint.h5"))
    status = support.magtwin(BUILD, "status", other)  # of a run whose first line is not there yet
    check(status.code == 0 and "checkpoint" in status.out and not status.err, status)


def refused(folder):
    done = report(folder)
    check(done.code == 2 and "is it the output folder of a run?" in done.err and not os.listdir(folder), done)
    done = report(os.path.join(folder, "nowhere"))
    check(done.code == 2 and "there is no folder" in done.err, done)
    run_folder(folder)
    done = report(folder, "--output", os.path.join(folder, "curve.csv", "page.html"))
    check(done.code == 2 and "Not a directory" in done.err, done)
    for where in (os.path.join(folder, "nowhere"), os.path.join(folder, "curve.csv")):
        done = support.magtwin(BUILD, "status", where)
        check(done.code == 2 and "there is no folder" in done.err, done)
    os.mkdir(os.path.join(folder, "empty"))
    done = support.magtwin(BUILD, "status", os.path.join(folder, "empty"))
    check(done.code == 2 and "holds no run" in done.err, done)


MORE = ("(x-0.7)^2 + (n-2)^2/100", "x + n/20")  # of further goals


def write_campaign(folder, goals, more=0):
    path = os.path.join(folder, "campaign.yaml")
    text = CAMPAIGN.replace("GOALS", goals).replace("FOLDER", os.path.join(folder, "out"))
    with open(path, "w") as f:
        f.write(text.replace("MORE", "%.15g " * more).replace("VALUES", "".join(", " + v for v in MORE[:more])))
    return path


def campaign(folder, goals="[{name: loss, want: minimize}]", more=0):
    done = support.magtwin(BUILD, "optimize", write_campaign(folder, goals, more))
    check(done.code == 0, done)
    return os.path.join(folder, "out")


def model_is_right(out):
    """model.json: the model passes through what is known, its shares are shares, and what was left out is expected near where it is."""
    model = json.load(open(os.path.join(out, "model.json")))
    with open(os.path.join(out, "database.jsonl")) as f:
        told = {e["id"]: e for e in map(json.loads, f) if e["event"] == "told"}
    centre = told[model["centre"]]["y"]["loss"]
    check(centre == min(e["y"]["loss"] for e in told.values() if e["status"] == "done"), "the centre is not the best point")
    for cut in model["slices"]:
        mean = np.array(cut["goals"]["loss"]["mean"])
        check(len(mean) == len(cut["x"]) and np.isfinite(mean).all(), cut["variable"])
        if cut["variable"] == "n":  # the best point is one of these
            check(np.abs(mean - centre).min() < 1e-4, "the slice misses the best point by %g" % np.abs(mean - centre).min())
    shares = {i["variable"]: i for i in model["goals"][0]["importance"]}
    check(all(-0.02 <= s["first"] <= s["total"] + 0.05 <= 1.2 for s in shares.values()), shares)
    check(abs(sum(s["first"] for s in shares.values()) - 1) < 0.15, "an additive function has shares that add up: %s" % shares)
    check(len(model["planes"]) == 1 and len(model["goals"][0]["left_out"]) == sum(e["status"] == "done" for e in told.values()), "planes, left out")


def of_a_campaign(folder):
    out = campaign(folder)
    model_is_right(out)
    done = report(out)
    check(done.code == 0, done)
    page = page_of(os.path.join(out, "report.html"))
    text = "".join(page.words)
    for word in ("a <script>alert(1)</script> title", "no <such> phase", "What was found", "Which variables matter", "Can the model be trusted", "loss (smaller is better)"):
        check(word in text, "no %r on the page" % word)
    check(len(page.pictures) == 5 and "Not on this page" not in text, "%d pictures: %s" % (len(page.pictures), text[:1500]))
    status = support.magtwin(BUILD, "status", out)
    check(status.code == 0 and "12 points: " in status.out and "best: loss = " in status.out, status)
    done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "tell", "x=0.31", "n=5", "c=a", "loss=0.0001", "by=anna")
    check(done.code == 0 and report(out).code == 0, done)
    text = "".join(page_of(os.path.join(out, "report.html")).words)
    check("1 points; there are" not in text and "the model is of the first 12 points" in text and "anna" in text, text[:1500])


def of_two_goals(folder):
    out = campaign(folder, "[{name: loss, want: minimize}, {name: other, want: minimize}]", 1)
    check(report(out).code == 0, "report")
    page = page_of(os.path.join(out, "report.html"))
    check(len(page.pictures) == 6 and "points on the front" in page.text, "%d pictures" % len(page.pictures))
    check(support.magtwin(BUILD, "status", out).out.count("best in the first goal: loss = ") == 1, "status")


def of_three_goals(folder):
    """Three goals: the front over each pair, the volume that it dominates; figures and program agree on who is on it."""
    out = campaign(folder, "[{name: loss, want: minimize}, {name: other, want: minimize}, {name: third, want: maximize}]", 2)
    check(report(out).code == 0, "report")
    page = page_of(os.path.join(out, "report.html"))
    check(len(page.pictures) == 6 and "points on the front" in page.text and "third" in page.text, "%d pictures" % len(page.pictures))
    read = Campaign(out)
    kept = [p["id"] for p in json.load(open(os.path.join(out, "summary.json")))["results"]["front"]]
    check(sorted(kept) == sorted(t.number for t in read.front()) and len(kept) > 2, kept)
    y = read.losses(read.done())
    cells = (np.stack(np.meshgrid(*[np.arange(60)] * 3, indexing="ij"), -1).reshape(-1, 3) + 0.5) / 60
    low, high = y.min(0), reference_of(y)
    share = (low + cells * (high - low))[:, None, :] >= y[None]
    counted = share.all(2).any(1).mean() * np.prod(high - low)
    check(abs(volume(y, high) / counted - 1) < 0.02, "%g, counted %g" % (volume(y, high), counted))
    grown = sum(added(y[i], y[:i], high) for i in range(len(y)))
    check(abs(grown / volume(y, high) - 1) < 1e-9, "what the points add is not the whole")
    done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "tell", "x=0.3", "n=4", "c=a", "loss=1", "loss=2", "third=1")
    check(done.code == 2 and "give each goal once: loss, other, third" in done.err, done)
    done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "optimize.goals=[%s]" % ", ".join("{name: g%d}" % g for g in range(7)))
    check(done.code == 2 and "optimize.goals" in done.err, done)


def of_targets(folder):
    """A target and a misfit with scatter: the posterior of the model, on the page and in words."""
    out = campaign(folder, "[{name: loss, want: target, target: 0.1, scatter: 0.02}, {name: other, want: minimize, scatter: 0.3}]", 1)
    check(report(out).code == 0, "report")
    page = page_of(os.path.join(out, "report.html"))
    text = "".join(page.words)
    check("What the data say of the variables" in text and "loss near 0.1" in text and len(page.pictures) == 7, "%d pictures: %s" % (len(page.pictures), text[:1500]))
    kept = json.load(open(os.path.join(out, "model.json")))["posterior"]
    check([v["variable"] for v in kept["variables"]] == ["x", "n", "c"] and kept["scatter"] == [0.02, 0.3], kept)
    check(all(len(v["draws"]) == 640 and 0 <= v["narrowed"] < 1.2 for v in kept["variables"]), "draws")
    for bad, word in (("[{name: a, want: target}]", "target"), ("[{name: a, want: maximize, scatter: 1}]", "counts only for a target")):
        done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "optimize.goals=" + bad)
        check(done.code == 2 and word in done.err, done)


def barely_begun(folder):
    """A campaign with nothing done, and a database that somebody broke."""
    os.makedirs(os.path.join(folder, "out"))
    write_campaign(folder, "[{name: loss, want: minimize}]")
    done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "suggest", "2")
    check(done.code == 0, done)
    out = os.path.join(folder, "out")
    check(report(out).code == 0, "report")
    text = "".join(page_of(os.path.join(out, "report.html")).words)
    check("No evaluation is done yet" in text and "Under way or waiting" in text, text[:1500])
    check("2 waiting" in support.magtwin(BUILD, "status", out).out, "status")
    done = support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), "model")
    check(done.code == 1 and "two evaluations that are done" in done.err, done)
    with open(os.path.join(out, "database.jsonl"), "a") as f:
        f.write("nonsense\n")
    done = report(out)
    check(done.code == 2 and "database.jsonl:4" in done.err, done)
    done = support.magtwin(BUILD, "status", out)
    check(done.code == 2 and "database.jsonl:4" in done.err, done)


def of_a_sweep(folder):
    """What status and report say of the folders of points, as a sweep leaves them."""
    with open(os.path.join(folder, "points.csv"), "w") as f:
        f.write("id,thickness\n1,2\n2,3\n3,4\n")
    for number, code in ((1, "0"), (2, "3")):
        where = os.path.join(folder, "points", "%04d" % number)
        os.makedirs(where)
        for name, text in (("exit_code", code), ("errors.txt", "magtwin: no room\n" if number == 2 else "")):
            with open(os.path.join(where, name), "w") as f:
                f.write(text)
    done = support.magtwin(BUILD, "status", folder)
    check(done.code == 0 and "3 points: 1 done, 1 failed, 0 running, 1 waiting" in done.out and "2,3  failed  magtwin: no room" in done.out, done)
    with open(os.path.join(folder, "results.csv"), "w") as f:
        f.write("id,status,thickness,seed,Hc,folder,reason\n1,done,2,1,3.25,points/0001,\n2,failed,3,1,,points/0002,no <room>\n3,waiting,4,1,,points/0003,\n")
    with open(os.path.join(folder, "points", "0001", "summary.json"), "w") as f:
        json.dump({"warnings": ["edges of 4.2 nm", "edges of 4.3 nm"]}, f)
    check(report(folder).code == 0, "report")
    text = "".join(page_of(os.path.join(folder, "report.html")).words)
    for word in ("3points", "1failed", "no <room>", "in 1 of 1 runs: edges of 4.3 nm", "3.250"):
        check(word in text, "no %r in %s" % (word, text[:1500]))


def in_a_browser(folder):
    """Chromium without a network shows the pictures: many colours where they are, and nothing beyond the right margin."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        raise Skip("no chromium here")
    check(report(run_folder(folder)).code == 0, "report")
    shot = os.path.join(folder, "shot.png")
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=" + os.path.join(folder, "profile"),
                           "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1100,2600", "--screenshot=" + shot, "file://" + os.path.join(folder, "report.html")],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120)
    if not os.path.isfile(shot):
        raise Skip("chromium does not start here: %s" % (done.stderr.strip().splitlines() or ["no reason"])[-1])
    picture = matplotlib.image.imread(shot)[..., :3]
    colours = len(np.unique((picture * 15).astype(int).reshape(-1, 3), axis=0))
    check(colours > 100, "%d colours: the pictures are not there" % colours)
    check((picture[:, -8:] > 0.99).all() and (picture[:, :8] > 0.99).all(), "something reaches into the margins")


if __name__ == "__main__":
    sys.exit(support.run_tests([("page of a run", of_a_run), ("page of half a run", half_a_run), ("a run that was stopped", stopped_run), ("refused", refused), ("page of a campaign", of_a_campaign),
                                ("page of two goals", of_two_goals), ("page of three goals", of_three_goals), ("page of targets", of_targets), ("a campaign that has barely begun", barely_begun), ("status of a sweep", of_a_sweep),
                                ("in a browser", in_a_browser)]))
