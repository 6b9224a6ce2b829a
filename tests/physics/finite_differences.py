#!/usr/bin/env python3
"""finite_differences.py sp2|sp3|sp4|sp5 NX NY NZ [D]: standard problems 2 (of width D exchange lengths, 30), 3, 4 and 5 by another method, for
docs/numerics.md.  Cells with the demagnetizing tensor of uniform bricks (A. J. Newell, W. Williams, D. J. Dunlop, J. Geophys. Res. 98 (1993)
9551) by FFT, exchange by differences of neighbours, Zhang and Li's drift by central ones, the classical Runge-Kutta method.  Not part of
make validate: 150 x 30 x 1 cells of sp2 take half a minute, 128 x 32 x 1 of sp4 one, 64 x 64 x 1 of sp5 three, 20 x 20 x 20 of sp3 ten seconds."""
import sys

import numpy as np

MU0, GAMMA0 = 4e-7 * np.pi, 2.211e5
PERMALLOY = 8e5, 1.3e-11  # Ms and A of problems 4 and 5
UNIT_LENGTH = 1 / MU0, 0.5e-18 / MU0  # Js of 1 T, exchange length sqrt(2A/(mu0 Ms^2)) of 1 nm
TINY = 1e-300


def newell_f(x, y, z):
    x, y, z = abs(x), abs(y), abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    return (y / 2 * (z * z - x * x) * np.arcsinh(y / (np.hypot(x, z) + TINY)) + z / 2 * (y * y - x * x) * np.arcsinh(z / (np.hypot(x, y) + TINY)) -
            x * y * z * np.arctan(y * z / (x * r + TINY)) + (2 * x * x - y * y - z * z) * r / 6)


def newell_g(x, y, z):
    z = abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    return (x * y * z * np.arcsinh(z / (np.hypot(x, y) + TINY)) + y / 6 * (3 * z * z - y * y) * np.arcsinh(x / (np.hypot(y, z) + TINY)) +
            x / 6 * (3 * z * z - x * x) * np.arcsinh(y / (np.hypot(x, z) + TINY)) - z**3 / 6 * np.arctan(x * y / (z * r + TINY)) -
            z * y * y / 2 * np.arctan(x * z / (y * r + TINY)) - z * x * x / 2 * np.arctan(y * z / (x * r + TINY)) - x * y * r / 3)


def tensor(function, order, n, d):
    """One component at all distances of cells, periodic in twice the body: second differences in each direction."""
    at = np.meshgrid(*[np.fft.fftfreq(k, 1 / k) for k in n], indexing="ij")
    weight, total = {-1: 1, 0: -2, 1: 1}, np.zeros(n)
    for i in weight:
        for j in weight:
            for k in weight:
                x = [(at[c] + shift) * d[c] for c, shift in enumerate((i, j, k))]
                total -= weight[i] * weight[j] * weight[k] * function(*[x[c] for c in order])
    return total / (4 * np.pi * d[0] * d[1] * d[2])


class Body:
    def __init__(self, size, cells, material=PERMALLOY, K=0):
        self.Ms, self.A, self.K = *material, K  # easy axis z
        self.n, self.d = cells, [s / k for s, k in zip(size, cells)]
        self.padded = [2 * k if k > 1 else 1 for k in cells]
        parts = {(0, 0): (newell_f, (0, 1, 2)), (1, 1): (newell_f, (1, 0, 2)), (2, 2): (newell_f, (2, 1, 0)), (0, 1): (newell_g, (0, 1, 2)),
                 (0, 2): (newell_g, (0, 2, 1)), (1, 2): (newell_g, (1, 2, 0))}
        N = {pair: tensor(*part, self.padded, self.d) for pair, part in parts.items()}
        trace = sum(N[c, c].flat[0] for c in range(3))
        assert abs(trace - 1) < 1e-9, "trace of the tensor of a cell: %g" % trace
        self.N = {pair: np.fft.rfftn(value, axes=(0, 1, 2)) for pair, value in N.items()}
        stiff = 2 * self.A / (MU0 * self.Ms) * GAMMA0 * sum(4 / d**2 for d, k in zip(self.d, self.n) if k > 1)
        self.dt = 2 / stiff  # of 2.83, where the method becomes unstable

    def stray(self, m):
        M = [np.fft.rfftn(m[c], s=self.padded, axes=(0, 1, 2)) for c in range(3)]
        H = [-self.Ms * np.fft.irfftn(sum(self.N[min(a, c), max(a, c)] * M[c] for c in range(3)), s=self.padded, axes=(0, 1, 2)) for a in range(3)]
        return np.array(H)[:, :self.n[0], :self.n[1], :self.n[2]]

    def field(self, m, applied):
        """A/m; `applied` in T."""
        H = self.stray(m) + np.reshape(applied, (3, 1, 1, 1)) / MU0
        for c in range(3):
            step = np.diff(m, axis=c + 1) * (2 * self.A / (MU0 * self.Ms) / self.d[c]**2)
            H += np.diff(step, axis=c + 1, prepend=0, append=0) if self.n[c] > 1 else 0
        H[2] += 2 * self.K / (MU0 * self.Ms) * m[2]
        return H

    def energies(self, m):
        """Of the stray field, exchange, anisotropy; J/m3."""
        exchange = sum((np.diff(m, axis=c + 1)**2).sum() / self.d[c]**2 for c in range(3))
        return np.array([-MU0 / 2 * self.Ms * (m * self.stray(m)).sum(axis=0).mean(), self.A * exchange / np.prod(self.n), self.K * (1 - (m[2]**2).mean())])

    def rate(self, m, applied, alpha, u, xi):
        t = -GAMMA0 * np.cross(m, self.field(m, applied), axis=0)
        if u:
            wide = np.pad(m, ((0, 0), (1, 1), (0, 0), (0, 0)), mode="edge")
            along = u * (wide[:, 2:] - wide[:, :-2]) / (2 * self.d[0])
            t += xi * np.cross(m, along, axis=0) - along
        t -= m * (m * t).sum(axis=0)
        return (t + alpha * np.cross(m, t, axis=0)) / (1 + alpha**2)

    def step(self, m, dt, *how):
        a = self.rate(m, *how)
        b = self.rate(m + dt / 2 * a, *how)
        c = self.rate(m + dt / 2 * b, *how)
        m = m + dt / 6 * (a + 2 * b + 2 * c + self.rate(m + dt * c, *how))
        return m / np.sqrt((m * m).sum(axis=0))

    def relax(self, m, applied, torque, hold=lambda g: g):
        """Down the gradient with the steps of J. Barzilai, J. M. Borwein, IMA J. Numer. Anal. 8 (1988) 141; `torque` in T.  hold: what it
        leaves of the gradient."""
        def gradient(m):
            H = self.field(m, applied)
            return hold(MU0 * (m * (m * H).sum(axis=0) - H))
        g, length = gradient(m), GAMMA0 / MU0 * self.dt / 4
        for i in range(20000):
            new = m - length * g
            new /= np.sqrt((new * new).sum(axis=0))
            g_new = gradient(new)
            s, y = new - m, g_new - g
            length = (s * s).sum() / abs((s * y).sum()) if i % 2 else abs((s * y).sum()) / (y * y).sum()
            m, g = new, g_new
            if np.sqrt((g * g).sum(axis=0)).max() < torque:
                return m
        raise SystemExit("not relaxed")

    def run(self, m, end, interval, *how):
        """Prints t (ns) and the mean of m."""
        count = int(np.ceil(interval / self.dt))
        for line in range(int(round(end / interval)) + 1):
            print("%.4f %+.5f %+.5f %+.5f" % (1e9 * line * interval, *m.mean(axis=(1, 2, 3))), flush=True)
            for _ in range(count):
                m = self.step(m, interval / count, *how)


def standard_problem_2(cells, d=30):
    """Prints field along [1, 1, 1] over Ms, m along it and m; the steps of the field are halved, to 6e-5, where m changes by more than 0.1."""
    body = Body((5e-9 * d, 1e-9 * d, 1e-10 * d), cells, UNIT_LENGTH)
    diagonal, m, along = np.ones(3) / np.sqrt(3), np.ones((3, *cells)) / np.sqrt(3), 1
    B, step, first = None, 2e-3, [0.5, 0.3, 0.1, 0.05, 0.02, 0, -0.01, -0.02]
    while along > 0:
        bisect, B_new = not first, first.pop(0) if first else B - step
        m_new = body.relax(m, B_new * diagonal, 2e-5)
        change = along - m_new.mean(axis=(1, 2, 3)) @ diagonal
        if bisect and change > 0.1 and step > 1e-4:
            step /= 2
            continue
        B, m, along = B_new, m_new, along - change
        step = min(2 * step, 2e-3) if change < 0.02 else step
        print("%+.5f %+.5f  %+.5f %+.5f %+.5f" % (B, along, *m.mean(axis=(1, 2, 3))), flush=True)


def images_mean(m):
    """Mean over the mirror planes across x, y and z and the turns about z, with the reversal of time that keeps m along z."""
    for axis in range(3):
        image = np.flip(m, axis + 1).copy()
        image[axis] *= -1
        m = (m + (image if axis < 2 else -image)) / 2
    return (m + np.transpose(m, (0, 2, 1, 3))[[1, 0, 2]]) / 2


def standard_problem_3(cells):
    """Prints state, energies of stray field, exchange, anisotropy and their sum over Km at two sizes, and the sizes (exchange lengths) where
    the vortex has the energy of the flower, held by its symmetry, and of the twisted flower, on straight lines between the two."""
    x, y, z = np.meshgrid(*[(np.arange(k) + 0.5) / k - 0.5 for k in cells], indexing="ij")
    one, none, sizes, e = np.ones(cells), np.zeros(cells), (8.4, 8.54), {}
    for L in sizes:
        body = Body(3 * (1e-9 * L,), cells, UNIT_LENGTH, 0.05 / MU0)
        for state, m, hold in (("flower", (none, none, one), images_mean), ("vortex", (-z, 0.2 * one, x), lambda g: g),
                               ("twisted flower", (-y, x, one), lambda g: g)):
            m = body.relax(np.array(m) / np.sqrt(sum(np.square(m))), (0, 0, 0), 1e-5, hold)
            e[state, L] = 2 * MU0 * body.energies(m)
            print("%.2f %-14s %.6f %.6f %.6f  %.6f" % (L, state, *e[state, L], e[state, L].sum()), flush=True)
    for state in ("flower", "twisted flower"):
        over = [e[state, L].sum() - e["vortex", L].sum() for L in sizes]
        print("%s = vortex at %.4f" % (state, sizes[0] + (sizes[1] - sizes[0]) * over[0] / (over[0] - over[1])))


def standard_problem_4(cells):
    body = Body((500e-9, 125e-9, 3e-9), cells)
    m = np.ones((3, *cells)) / np.sqrt(3)
    for B in (0.5, 0.3, 0.1, 0.05, 0.02, 0):
        m = body.relax(m, np.full(3, B) / np.sqrt(3), 1e-5)
    for field in ((-24.6e-3, 4.3e-3, 0), (-35.5e-3, -6.3e-3, 0)):
        print("# field %g %g %g T" % field)
        body.run(m, 0.2e-9, 5e-12, field, 0.02, 0, 0)


def standard_problem_5(cells):
    body = Body((100e-9, 100e-9, 10e-9), cells)
    x, y, _ = np.meshgrid(*[(np.arange(k) + 0.5) / k - 0.5 for k in cells], indexing="ij")
    m = np.array([-y, x, np.full(cells, 0.1)])
    m = body.relax(m / np.sqrt((m * m).sum(axis=0)), (0, 0, 0), 5e-5)
    body.run(m, 1e-9, 50e-12, (0, 0, 0), 0.1, -72.17, 0.05)


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6) or sys.argv[1] not in ("sp2", "sp3", "sp4", "sp5") or (len(sys.argv) == 6 and sys.argv[1] != "sp2"):
        sys.exit(__doc__)
    {"sp2": standard_problem_2, "sp3": standard_problem_3, "sp4": standard_problem_4,
     "sp5": standard_problem_5}[sys.argv[1]](tuple(int(v) for v in sys.argv[2:5]), *map(float, sys.argv[5:]))
