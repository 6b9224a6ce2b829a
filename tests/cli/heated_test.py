#!/usr/bin/env python3
"""heated_test.py BUILD: free energies that follow a temperature program, as users call them; programs that act on nothing."""
# timeout: 300
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from _evolve import Evolve, table
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
# Two phases below W/2R = 360.8 K
SOLUTION = """box: {size: [24 nm, 2 nm, 0 nm], spacing: 0.5 nm, periodic: xy}
phasefield:
  energy: regular_solution
  solution: {interaction: 6 kJ/mol, molar_volume: 1e-5 m3/mol}
  gradient_energy: 1e-10 J/m
  mobility: 2e-25 m5/(J s)
  initial_formula: 0.5 + 0.3*tanh(6 - abs(x - 12))
temperature: {time: [0 s, 10 s, 14 s, 24 s], value: [300 K, 300 K, 420 K, 420 K]}
evolve: {end: 24 s, first_step: 1 ms, tolerance: 1e-3}
"""
RUNS = Evolve(BUILD, SOLUTION)


def same(a, b):
    with open(os.path.join(a, "evolve.csv"), "rb") as one, open(os.path.join(b, "evolve.csv"), "rb") as other:
        return one.read() == other.read()


def results(out):
    with open(os.path.join(out, "summary.json")) as f:
        return json.load(f)["results"]


def test_solution(folder):
    """Phases of the binodal at 300 K, one phase at 420 K; F rises as -S dT alone, mass stays; stopped in the ramp and continued to the bit."""
    out = RUNS.run(folder, "whole")
    t = table(out)
    held, end = np.argmin(abs(t["t_s"] - 10)), -1
    c, chi = t["c_min"][held], 6000 / (8.31446261815324 * 300)
    check(abs(np.log(c / (1 - c)) - chi * (2 * c - 1)) < 1e-3, c)
    check(t["c_max"][end] - t["c_min"][end] < 1e-4, (t["c_min"][end], t["c_max"][end]))
    check(np.ptp(t["c_mean"]) < 1e-13, np.ptp(t["c_mean"]))
    f = t["f_total_J/m3"]
    check((np.diff(f)[np.diff(t["temperature_K"]) == 0] <= 1e-12 * abs(f).max()).all(), f)
    check(results(out)["largest_rise_of_energy"]["value"] <= 1e-9 * abs(f).max(), results(out))
    check(t["rejected"][end] < 60 and t["steps"][end] < 200, (t["steps"][end], t["rejected"][end]))
    parts = RUNS.run(folder, "parts", "evolve.end=12 s")
    again = support.magtwin(BUILD, "evolve", RUNS.source(folder), "output.folder=" + parts, "--resume")
    check(again.code == 0, again)
    whole = RUNS.run(folder, "stopping", "evolve.snapshots=[12]")
    check(same(whole, parts), "evolve.csv differs")


def test_table(folder):
    """Two tables: at a temperature between them the energy is the mean of both, weighted."""
    c = [0.05 * k for k in range(1, 20)]
    first, second = ([1e8 * h * (v - 0.3)**2 * (0.7 - v)**2 * 100 for v in c] for h in (1, 3))
    text = SOLUTION.replace("energy: regular_solution", "energy: table").replace(
        "solution: {interaction: 6 kJ/mol, molar_volume: 1e-5 m3/mol}", "table: {c: %s, f: %s, second: %s, temperatures: [300, 400]}" % (c, first, second))
    text = text.replace("0.3*tanh", "0.1*tanh").replace("value: [300 K, 300 K, 420 K, 420 K]", "value: [350 K, 350 K, 350 K, 350 K]")
    mean = text.replace(str(first), str([(a + b) / 2 for a, b in zip(first, second)])).replace(", second: %s, temperatures: [300, 400]" % second, "")
    mean = mean[:mean.index("\ntemperature:")] + mean[mean.index("\nevolve:"):]
    a, b = (table(RUNS.run(folder, name, "evolve.end=0.05 s", text=t))["f_total_J/m3"] for name, t in (("two", text), ("mean", mean)))
    check(len(a) > 20 and np.allclose(a[:10], b[:10], rtol=1e-13), (a[:10], b[:10]))  # later what is unstable grows from the last digit
    for change, words in [(("temperatures: [300, 400]", "temperatures: [300]"), "must be two different temperatures"),
                          ((", second: %s" % second, ""), "has 0 values for 19 of c"),
                          (("temperature: {time", "# {time"), "section temperature is missing")]:
        done = RUNS.run(folder, "bad", code=2, text=text.replace(*change))
        check(words in done.err, (words, str(done)))


def test_fixed(folder):
    """A temperature of the energy beside a program: told where the program has mobilities, refused where it then has nothing."""
    fixed = SOLUTION.replace("interaction:", "temperature: 300 K, interaction:")
    done = RUNS.run(folder, "bad", code=2, text=fixed)
    check("temperature.time" in done.err and "acts on nothing" in done.err, done)
    check(not os.path.exists(os.path.join(folder, "bad")), "something was written")
    told = support.magtwin(BUILD, "evolve", RUNS.source(folder, fixed.replace("gradient_energy", "activation: 1 kJ/mol\n  gradient_energy")),
                           "output.folder=" + os.path.join(folder, "told"), "evolve.end=0.1 s")
    check(told.code == 0 and "this free energy stays that of 300 K" in told.out + told.err, told)
    done = RUNS.run(folder, "bad", code=2, text=SOLUTION.replace("temperature: {time", "# {time"))
    check("needs phasefield.solution.temperature or" in done.err, done)


IDLE = {"diffusion": "phasefield: {model: diffusion, initial_formula: x/24}\ndiffusion: {media: [{D0: 1e-18}]}",
        "grain_growth": "phasefield: {model: grain_growth, initial: voronoi, grains: 2, boundary: {energy: 0.5, mobility: 1e-18, width: 4}}",
        "double well": "phasefield: {double_well: {height: 1e8}, gradient_energy: 1e-10, mobility: 1e-25, initial_formula: 0.5}"}


def test_idle(folder):
    """A program that nothing follows is refused, as Q without a program is."""
    for name, model in IDLE.items():
        text = SOLUTION[:SOLUTION.index("phasefield:")] + model + SOLUTION[SOLUTION.index("\ntemperature:"):]
        done = RUNS.run(folder, "bad", code=2, text=text)
        check("acts on nothing" in done.err and "temperature.time" in done.err, (name, str(done)))
        checked = support.magtwin(BUILD, "check", RUNS.source(folder, text))
        check(checked.code == 2, checked)


if __name__ == "__main__":
    sys.exit(support.run_tests([("regular solution", test_solution), ("two tables", test_table), ("fixed beside a program", test_fixed),
                                ("a program for nothing", test_idle)]))
