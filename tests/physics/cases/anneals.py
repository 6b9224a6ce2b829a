"""From an anneal to the coercive field: what has diffused in hardens a magnet as the K1 and Js of each place say."""
import glob
import math
import os

import h5py
import numpy as np

from lines import bound, curve, points, reference, result
from tools import A, JS, K1, MU0, read_summary

LENGTH, LAYER, TILT = 26.0, 2.0, 5e-5  # nm, nm, radians: inputs/hardened_layer.yaml
FULL = 0.71, 4.24e6  # Js (T) and K1 (J/m3) of both regions at c = 1


class Planes:
    """Planes of a magnet h (nm) apart with the constants between them that c = erfc(x/(2 depth)) gives, and the angles in which they turn."""

    def __init__(self, depth, h=0.1):
        n = round(LENGTH / h)
        x = (np.arange(n) + 0.5) * h
        c = np.array([math.erfc(v / (2 * depth)) if depth > 0 else 0.0 for v in x])
        here = np.where(x < LAYER, 0.0, K1)
        self.bond, self.K, self.J = 2 * A * 1e18 / h, np.zeros(n + 1), np.zeros(n + 1)
        for part in (slice(0, -1), slice(1, None)):
            self.K[part] += (here + (FULL[1] - here) * c) * h / 2
            self.J[part] += (JS + (FULL[0] - JS) * c) * h / (2 * MU0)

    def stiffness(self, turn):
        """Of the exchange, with the angles between neighbours."""
        stiff = self.bond * np.cos(turn)
        H = -np.diag(stiff, 1) - np.diag(stiff, -1)
        H[range(1, len(H)), range(1, len(H))] += stiff
        H[range(len(stiff)), range(len(stiff))] += stiff
        return H

    def nucleation(self):
        """Least eigenvalue B (T) of exchange u + 2 K1 u = B Js/mu0 u (W. F. Brown, Phys. Rev. 105 (1957) 1479): the aligned state ends there."""
        root = 1 / np.sqrt(self.J)
        return float(np.linalg.eigvalsh(root[:, None] * (self.stiffness(np.zeros(len(root) - 1)) + np.diag(2 * self.K)) * root)[0])

    def torque(self, angle, B):
        """Derivative of the energy and its Hessian, the field B at TILT to the axis."""
        pull = self.bond * np.sin(np.diff(angle))
        g = self.K * np.sin(2 * angle) + self.J * B * np.sin(angle - TILT)
        g[1:] += pull
        g[:-1] -= pull
        return g, self.stiffness(np.diff(angle)) + np.diag(2 * self.K * np.cos(2 * angle) + self.J * B * np.cos(angle - TILT))

    def relax(self, angle, B):
        """The stable state that Newton's method leads to, or None."""
        for _ in range(40):
            g, H = self.torque(angle, B)
            step = np.linalg.solve(H, g)
            angle = angle - step * min(1, 0.2 / np.abs(step).max())
            if np.abs(step).max() < 1e-9:
                return angle if np.linalg.eigvalsh(self.torque(angle, B)[1])[0] > 0 else None
        return None

    def reversal(self):
        """Opposite field (T) up to which the states from saturation on stay stable, to 1 mT."""
        B, step = 0.5 * self.nucleation(), 0.2
        angle = self.relax(np.zeros(len(self.K)), -B)
        while step > 5e-4:
            new = self.relax(angle, -B - step)
            if new is None or np.abs(new - angle).max() > 0.5:
                step /= 2
            else:
                angle, B = new, B + step
        return B


def hardened_layer(case):
    """A surface layer without anisotropy is hardened by an anneal: coercive field against the depth of diffusion.

    2 nm of K1 = 0 on 24 nm of Nd2Fe14B, planar, without stray field, in bricks of 0.125 nm (with 0.25 nm the coercive field is 2 % off where the depth is 0.25 nm). c is held at the surface; in both regions K1 and Js go linearly to 4.24 MJ/m3 and 0.71 T
    at c = 1. evolve writes fields, demag takes K1 and Js from them (materials.composition). Beside it a chain of planes 0.1 nm apart with the constants of the
    analytic erfc(x/(2 sqrt(Dt))), followed by Newton's method from saturation to its last stable state in the same field."""
    annealed = case.run("evolve", "hardened_layer", "anneal")
    lines, depth, Hc = [], [], []
    for k, path in enumerate(sorted(glob.glob(os.path.join(annealed, "fields", "*.h5")))):
        with h5py.File(path, "r") as f:
            depth.append(math.sqrt(float(np.ravel(f.attrs["t_s"])[0])))
        folder = case.run("demag", "hardened_layer", "curve_%d" % k, "mesh.file=" + os.path.join(annealed, "mesh.h5"), "materials.composition.file=" + path)
        Hc.append(read_summary(folder)["results"]["Hc"]["value"])
    chains = [Planes(d) for d in depth]
    wanted, nuclei = [c.reversal() for c in chains], [c.nucleation() for c in chains]
    for d, found, chain in zip(depth, Hc, wanted):
        lines.append(result("hardened layer, sqrt(Dt) = %g nm: coercive field" % d, found, "T", chain, "chain of planes with the local K1 and Js", 0.01))
    above = min(found / nucleus for found, nucleus in zip(Hc, nuclei))
    lines.append(bound("hardened layer: least coercive field over nucleation field", above, "", 0.99, None, "W. F. Brown, Phys. Rev. 105 (1957) 1479: not before nucleation"))
    lines.append(bound("hardened layer: least rise of the coercive field from depth to depth", float(min(np.diff(Hc))), "T", 0, None, "issue: it rises with the shell"))
    case.panel("sqrt(Dt) (nm)", r"coercive field $\mu_0 H_c$ (T)", points("magtwin, evolve and demag", depth, Hc), reference("chain of planes", depth, wanted),
               curve("nucleation (Brown)", depth, nuclei))
    return lines
