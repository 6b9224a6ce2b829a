#!/usr/bin/env python3
"""inputs_test.py BUILD: every file of inputs/ passes magtwin check, and is complete for the subcommands it is meant for."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import Skip, check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
MEANT = {
    "anneal": "evolve mesh demag", "anneal_sweep": "sweep", "barrier": "barrier", "demo": "demag", "design": "optimize", "dynamics": "dynamics",
    "ebsd_iron": "reconstruct demag", "ebsd_voxel": "demag", "eight_grains": "demag", "evolve": "evolve", "fit_gb": "optimize", "fit_gb_base": "demag",
    "furnace": "evolve mesh demag", "furnace_sweep": "sweep",
    "grain_growth": "evolve", "kerr": "topology texture", "landscape": "demag pca landscape", "liquid": "evolve", "optimize": "optimize",
    "optimize_base": "demag", "pca": "pca", "peaks": "peaks", "pictured_growth": "evolve", "stack": "generate demag", "sweep": "sweep", "texture": "topology texture",
    "topology": "topology", "unmix": "unmix",
}
DATA = {"ebsd_iron": "ebsd_iron", "ebsd_voxel": "ebsd_iron", "kerr": "kerr", "pca": "nd_ce_fe_b_film", "texture": "kerr", "topology": "kerr"}  # of ../shared/data
NO_INPUTS = ("materials",)  # the library


def test_all_known(_):
    names = {os.path.basename(path)[:-5] for path in glob.glob(os.path.join(support.ROOT, "inputs", "*.yaml"))}
    check(names == set(MEANT) | set(NO_INPUTS), "say in MEANT for which subcommands %s is, or take out %s" % (
        sorted(names - set(MEANT) - set(NO_INPUTS)), sorted((set(MEANT) | set(NO_INPUTS)) - names)))


def passes(name):
    def test(folder):
        """In a folder beside which the data lie as they do beside the checkout."""
        data, root = os.path.join(os.path.dirname(support.ROOT), "shared"), os.path.join(folder, "magtwin")
        if name in DATA and not os.path.isdir(os.path.join(data, "data", DATA[name])):
            raise Skip("no %s" % os.path.join(data, "data", DATA[name]))
        os.makedirs(root)
        os.symlink(os.path.join(support.ROOT, "inputs"), os.path.join(root, "inputs"))
        if os.path.isdir(data):
            os.symlink(data, os.path.join(folder, "shared"))
        if name in ("peaks", "unmix"):
            subprocess.run([sys.executable, "inputs/spectra.py"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        if name in ("furnace", "pictured_growth"):  # needs the labels of another run, which check does not read
            os.makedirs(os.path.join(root, "out", "stack", "grains"))
            support.write(os.path.join(root, "out", "stack", "grains"), "", "labels.h5")
        r = support.magtwin(BUILD, "check", "inputs/%s.yaml" % name, cwd=root)
        check(r.code == 0 and "# ok" in r.out, r)
        for subcommand in MEANT[name].split():
            check("# complete for magtwin %s\n" % subcommand in r.out, (subcommand, str(r)))
    return test


if __name__ == "__main__":
    sys.exit(support.run_tests([("every file is known", test_all_known)] + [("inputs/%s.yaml" % name, passes(name)) for name in sorted(MEANT)]))
