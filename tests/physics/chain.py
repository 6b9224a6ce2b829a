"""A wall at a phase boundary as a chain of angles, solved by Newton's method with dense matrices: what linear elements with the box scheme
must give at a finite h, independently of the program.  Planes h apart; exchange 2 A (1 - cos of the angle between neighbours)/h, anisotropy
and field lumped; exact: K (1 - cos^2) integrated with the linear cosine between the planes, K h/6 (difference)^2 more than lumped."""
import math

import numpy as np

MU0 = 4e-7 * math.pi


class Chain:
    """Planes from -L to L (m), soft material on the left, hard on the right; each material (A J/m, K1 J/m3, J T)."""

    def __init__(self, soft, hard, h, L=40e-9, exact=False):
        n = round(2 * L / h)
        self.x = np.linspace(-L, L, n + 1)
        left = (self.x[1:] + self.x[:-1] < 0)[:, None]
        A, K, J = np.where(left, soft, hard).T
        step = 2 * L / n
        box = np.zeros((3, n + 1))
        for part in (slice(0, -1), slice(1, None)):
            box[0, part] += K * step / 2
            box[1, part] += J * step / (2 * MU0)
        self.bond, (self.K, self.J, _) = 2 * A / step / 1e-3, box / 1e-3
        self.between = exact * K * step / 3 / 1e-3

    def torque(self, angle, B):
        """Derivative of the energy, and its Hessian, in mJ/m2."""
        turn = np.diff(angle)
        pull, stiff = self.bond * np.sin(turn), self.bond * np.cos(turn)
        g = self.K * np.sin(2 * angle) + self.J * B * np.sin(angle)
        H = np.diag(2 * self.K * np.cos(2 * angle) + self.J * B * np.cos(angle))
        g[1:] += pull
        g[:-1] -= pull
        H[1:, 1:] += np.diag(stiff)
        H[:-1, :-1] += np.diag(stiff)
        H -= np.diag(stiff, 1) + np.diag(stiff, -1)
        c, s = np.cos(angle), np.sin(angle)
        slope = self.between * np.diff(c)
        g[1:] -= slope * s[1:]
        g[:-1] += slope * s[:-1]
        H[1:, 1:] += np.diag(self.between * s[1:]**2 - slope * c[1:])
        H[:-1, :-1] += np.diag(self.between * s[:-1]**2 + slope * c[:-1])
        both = self.between * s[1:] * s[:-1]
        return g, H - np.diag(both, 1) - np.diag(both, -1)

    def relax(self, angle, B, iterations=60):
        """The stable state Newton's method leads to, or None."""
        for _ in range(iterations):
            g, H = self.torque(angle, B)
            step = np.linalg.solve(H, g)
            angle = angle - step * min(1, 0.3 / np.abs(step).max())
            if np.abs(step).max() < 1e-10:
                return angle if np.linalg.eigvalsh(self.torque(angle, B)[1])[0] > 0 else None
        return None

    def approach(self, width, B):
        """A wall of that width (m) in the soft half, driven to the boundary by damped steps."""
        angle = 2 * np.arctan(np.exp((self.x + 3e-9) / width))
        for _ in range(300):
            g, H = self.torque(angle, B)
            least = np.linalg.eigvalsh(H)[0]
            step = np.linalg.solve(H + (max(0, -least) + 0.05) * np.eye(len(g)), g)
            angle = angle - step * min(1, 0.2 / max(np.abs(step).max(), 1e-300))
        return self.relax(angle, B)


def depinning_field(soft, hard, h, B, exact=False):
    """Field (T) at which the wall held at the boundary at B breaks through."""
    chain = Chain(soft, hard, h, exact=exact)
    angle, step = chain.approach(math.sqrt(soft[0] / soft[1]), B), 0.02
    if angle is None:
        raise ValueError("no wall is held at the boundary at %g T" % B)
    while step > 1e-5:
        new = chain.relax(angle, B + step)
        if new is None or np.abs(new - angle).max() > 1:
            step /= 2
        else:
            angle, B = new, B + step
    return B
