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
    text = text.replace("0.5 + 0.3*tanh", "0.25 + 0.1*tanh").replace("value: [300 K, 300 K, 420 K, 420 K]", "value: [350 K, 350 K, 350 K, 350 K]")
    mean = text.replace(str(first), str([(a + b) / 2 for a, b in zip(first, second)])).replace(", second: %s, temperatures: [300, 400]" % second, "")
    mean = mean[:mean.index("\ntemperature:")] + mean[mean.index("\nevolve:"):]
    a, b = (table(RUNS.run(folder, name, "evolve.end=0.05 s", text=t))["f_total_J/m3"] for name, t in (("two", text), ("mean", mean)))
    check(len(a) > 20 and len(a) == len(b) and np.allclose(a, b, rtol=1e-11), (a, b))  # c from 0.15 to 0.35, where f'' > 0: differences do not grow
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


# Nd2Fe14B (0.118) and a liquid of which a phase diagram tells the composition
MELT = """box: {size: [12 nm, 1.5 nm, 0 nm], spacing: 0.5 nm, periodic: y}
phasefield: {model: kks, initial_formula: 0.5*(1 + tanh((x - 4)/1.5))}
temperature: {time: [0, 2 s, 4 s, 8 s], value: [1000 K, 1000 K, 1300 K, 1300 K]}
kks:
  interface_energy: 0.3 J/m2
  interface_width: 1.5 nm
  rate: 1e-7 m3/(J s)
  initial_c: "p = 0.5*(1 + tanh((x - 4)/1.5)); 0.118*p + 0.46*(1 - p)"
  diagram: {temperature: [900 K, 1400 K], first: [0.5, 0.3], second: [0.118, 0.118]}
  phases:
    - {energy: regular_solution, interaction: 2 kJ/mol, molar_volume: 1e-5 m3/mol, D0: 1e-16 m2/s}
    - {curvature: 1e10 J/m3, minimum: 0.118, D0: 1e-16 m2/s}
evolve: {end: 8 s, first_step: 1 ms, tolerance: 5e-3}
"""


def test_melt(folder):
    """Heat melts by the lever rule of the diagram; stopped in the ramp and continued to the bit; bad diagrams."""
    whole = RUNS.run(folder, "whole", "evolve.snapshots=[3]", text=MELT)
    t = table(whole)
    check(np.ptp(t["c_mean"]) < 1e-12, np.ptp(t["c_mean"]))
    for time, liquid in ((2, 0.46), (8, 0.34)):
        share = (t["c_mean"][0] - liquid) / (0.118 - liquid)
        check(abs(t["fraction"][np.argmin(abs(t["t_s"] - time))] - share) < 5e-4, (time, share, t["fraction"]))
    parts = RUNS.run(folder, "parts", "evolve.end=3 s", text=MELT)
    again = support.magtwin(BUILD, "evolve", RUNS.source(folder, MELT), "output.folder=" + parts, "--resume")
    check(again.code == 0 and same(whole, parts), again)
    for change, words in [(("[900 K, 1400 K]", "[900 K, 1200 K]"), "goes from 900 to 1200 K, but section temperature to 1300 K"),
                          (("first: [0.5, 0.3]", "first: [0.5]"), "kks.diagram.first: has 1 values for 2"),
                          (("[0.5, 0.3]", "[0.5, 1.3]"), "c of this phase is from 0 to 1"),
                          (("minimum: 0.118,", "minimum: 0.118, ends: [1e8, 0],"), "sets the ends of the second phase"),
                          (("minimum: 0.118,", "minimum: 0.118, entropies: [1e5, 0],"), "need kks.reference_temperature"),
                          (("temperature: {time", "# {time"), "section temperature")]:
        done = RUNS.run(folder, "bad", code=2, text=MELT.replace(*change))
        check(words in done.err, (words, str(done)))


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
                                ("melt by a phase diagram", test_melt), ("a program for nothing", test_idle)]))
