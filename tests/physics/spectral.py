#!/usr/bin/env python3
"""spectral.py [N [STEP [END]]]: PFHub 1a (spinodal decomposition in a periodic box) by a spectral method, independent of magtwin: N x N modes,
exponential Runge-Kutta of fourth order (S. M. Cox, P. C. Matthews, J. Comput. Phys. 176 (2002) 430).  Prints F at the times of cases/phase_field.py."""
import sys

import numpy as np

SIZE, RHO, KAPPA, M, TIMES = 200.0, 5.0, 2.0, 5.0, (1, 5, 10, 20, 50, 100, 200, 500, 1000)
HELD = 1.6  # f'' of the phases, in the linear part


def weights(lh):
    """Of the scheme, by means over circles around lh (A. K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214)."""
    around = np.exp(1j * np.pi * (np.arange(1, 33) - 0.5) / 32)
    values, where = np.unique(lh.round(12), return_inverse=True)
    z = values[:, None] + around[None, :]
    e = np.exp(z)
    of = [(np.exp(z / 2) - 1) / z, (-4 - z + e * (4 - 3 * z + z**2)) / z**3, (2 + z + e * (z - 2)) / z**3, (-4 - 3 * z - z**2 + e * (4 - z)) / z**3]
    return [np.mean(v, axis=1).real[where].reshape(lh.shape) for v in of]


def main():
    n, step, end = int(sys.argv[1]) if len(sys.argv) > 1 else 200, float(sys.argv[2]) if len(sys.argv) > 2 else 0.05, float(sys.argv[3]) if len(sys.argv) > 3 else 1000
    x, y = np.meshgrid(np.arange(n) * SIZE / n, np.arange(n) * SIZE / n)
    c = 0.5 + 0.01 * (np.cos(0.105 * x) * np.cos(0.11 * y) + (np.cos(0.13 * x) * np.cos(0.087 * y))**2 + np.cos(0.025 * x - 0.15 * y) * np.cos(0.07 * x - 0.02 * y))
    k = 2 * np.pi * np.fft.fftfreq(n, SIZE / n)
    k2 = k[:, None]**2 + k[None, :n // 2 + 1]**2
    linear = -M * k2 * (HELD + KAPPA * k2)
    e1, e2 = np.exp(step * linear), np.exp(step * linear / 2)
    q, f1, f2, f3 = (step * v for v in weights(step * linear))

    def rest(v):
        u = np.fft.irfft2(v, s=(n, n))
        return -M * k2 * np.fft.rfft2(2 * RHO * (u - 0.3) * (0.7 - u) * (1 - 2 * u) - HELD * u)

    def energy(v):
        u = np.fft.irfft2(v, s=(n, n))
        slope = sum(np.fft.irfft2(1j * w * v, s=(n, n))**2 for w in (k[:, None], np.abs(k[None, :n // 2 + 1])))
        return (SIZE / n)**2 * np.sum(RHO * (u - 0.3)**2 * (0.7 - u)**2 + KAPPA / 2 * slope)

    v = np.fft.rfft2(c)
    for i in range(1, int(round(end / step)) + 1):
        nv = rest(v)
        a = e2 * v + q * nv
        na = rest(a)
        b = e2 * v + q * na
        nb = rest(b)
        nc = rest(e2 * a + q * (2 * nb - nv))
        v = e1 * v + f1 * nv + 2 * f2 * (na + nb) + f3 * nc
        if any(abs(i * step - t) < 1e-9 for t in TIMES):
            print("%6g  %.4f" % (i * step, energy(v)), flush=True)


if __name__ == "__main__":
    main()
