"""A campaign of magtwin optimize, read for figures: database.jsonl, and model.json where the program has written its model of the trials."""
import datetime
import json
import math
import os

import numpy as np

from results import Unusable, existing


class Trial:
    """One point: number, x {name: value}, status waiting | started | done | failed, y {goal: value}, and what the model expected of it."""

    def __init__(self, event):
        self.number, self.by, self.how, self.x = event["id"], event["by"], event.get("how"), event["x"]
        self.expected = event.get("expected", {})
        self.status, self.y, self.cost, self.reason, self.since, self.starts = "waiting", {}, None, "", None, 0

    def kind(self):
        """Who chose it: spread, model or person."""
        return "person" if self.how is None else "spread" if self.how == "spread" else "model"


class Goal:
    """One number that is wanted; sign +1 where smaller is better, target: the wanted value itself, or None."""

    def __init__(self, words):
        want, self.name = words.split()[:2]
        self.want, self.sign = want, -1 if want == "maximize" else 1
        self.target = float(words.split()[3]) if want == "target" else None

    def loss(self, value):
        """Smaller is better."""
        return abs(value - self.target) if self.target is not None else self.sign * value

    def wanted(self):
        return "%s near %g" % (self.name, self.target) if self.target is not None else "%s (%s)" % (self.name, "smaller is better" if self.sign > 0 else "larger is better")


def parse_time(text):
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except (TypeError, ValueError):
        return None


class Campaign:
    def __init__(self, folder):
        self.folder, self.trials, self.space, self.begun, self.last, self.lines = folder, [], "", None, None, 0
        path = existing(folder, "database.jsonl")
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.endswith("\n"):
                    break  # torn: does not count
                self.lines = number
                try:
                    self.apply(json.loads(line))
                except (ValueError, KeyError, IndexError, TypeError) as reason:
                    raise Unusable("%s:%d makes no sense (%s)" % (path, number, reason)) from None
        words = [w for w in self.space.split("; ")]
        self.goals = [Goal(w) for w in words if w.split(" ")[0] in ("minimize", "maximize", "target")]
        self.variables = [w.split(" ")[0] for w in words if w.split(" ")[0] not in ("minimize", "maximize", "target")]
        self.ranges = dict(zip(self.variables, (w.split(" ")[1:] for w in words)))
        if not self.goals or not self.variables:
            raise Unusable("%s does not say in its first line what is searched" % path)
        self.model = self.read_model()

    def apply(self, event):
        when = parse_time(event.get("time"))
        self.begun, self.last = self.begun or when, when or self.last
        if event["event"] == "campaign":
            self.space = event["space"]
        elif event["event"] == "suggested":
            self.trials.append(Trial(event))
        elif event["event"] == "started":
            trial = self.trials[event["id"] - 1]
            trial.status, trial.since, trial.starts = "started", when, trial.starts + 1
        elif event["event"] == "told":
            trial = self.trials[event["id"] - 1]
            trial.status, trial.y, trial.cost = event["status"], event.get("y", {}), event.get("cost")
            trial.reason, trial.by = event.get("reason", ""), event.get("by", trial.by)

    def read_model(self):
        """model.json, None where there is none; written of fewer trials than there are now: still the last picture."""
        try:
            with open(os.path.join(self.folder, "model.json"), encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    def done(self):
        return [t for t in self.trials if t.status == "done"]

    def told(self):
        return [t for t in self.trials if t.status in ("done", "failed")]

    def losses(self, trials, goals=None):
        """[n, goals], smaller is better; of all goals if none are named."""
        goals = goals or self.goals
        return np.array([[g.loss(t.y[g.name]) for g in goals] for t in trials]).reshape(len(trials), len(goals))

    def best(self):
        """The best trial of one goal; None without any."""
        done = self.done()
        return min(done, key=lambda t: self.goals[0].loss(t.y[self.goals[0].name])) if done else None

    def front(self, goals=None):
        """Trials that no other one beats in all of these goals (all, if none are named), sorted by the first."""
        goals, done = goals or self.goals, self.done()
        y = self.losses(done, goals)
        keep = [t for i, t in enumerate(done)
                if not any((y[j] <= y[i]).all() and ((y[j] < y[i]).any() or j < i) for j in range(len(done)))]
        return sorted(keep, key=lambda t: t.y[goals[0].name])

    def is_log(self, name):
        return len(self.ranges[name]) > 1 and self.ranges[name][1] == "log"

    def evaluation(self, trial):
        return os.path.join(self.folder, "evaluations", "%04d" % trial.number)


def front_of(y):
    """Those of the points [n, goals] (smaller is better) that no other one beats; equal ones once."""
    y = np.unique(y, axis=0)
    return y[[not ((y <= p).all(1) & (y < p).any(1)).any() for p in y]]


def added(p, others, reference):
    """Volume that p dominates below the reference and the other points [n, goals] do not."""
    if (p >= reference).any():
        return 0.0
    return float(np.prod(reference - p)) - volume(np.maximum(others, p), reference)


def volume(y, reference):
    """Volume that points [n, goals] (smaller is better) dominate below the reference: slab by slab of the last goal, in one goal less (as src/optimize/hypervolume.c)."""
    y = y[(y < reference).all(1)]
    if len(y) == 0:
        return 0.0
    if y.shape[1] == 1:
        return float(reference[0] - y.min())
    y = front_of(y)
    y = y[np.argsort(-y[:, -1], kind="stable")]
    if y.shape[1] == 2:
        return float(np.sum((reference[0] - y[:, 0]) * (np.append(reference[1], y[:-1, 1]) - y[:, 1])))
    return sum((reference[-1] - p[-1]) * added(p[:-1], y[k + 1:, :-1], reference[:-1]) for k, p in enumerate(y))


def reference_of(y):
    """A tenth beyond the worst of the points on the front."""
    front = front_of(y)
    low, high = front.min(0), front.max(0)
    return high + 0.1 * np.maximum(high - low, 1e-6 * (1 + np.abs(high)))


def shown(value):
    return "%.4g" % value if isinstance(value, (int, float)) and math.isfinite(value) else str(value)
