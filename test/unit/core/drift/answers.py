"""What scipy says to the same questions: standard input is JSON {name: [arguments, …]}, standard output {name: [answer, …]}."""
import json
import math
import sys

import numpy as np
from scipy import integrate, optimize, special, stats


def pair(limit, n, m):
    """P(two windows exceed), by the same series with scipy's gamma functions."""
    r2 = (n / (n + m)) ** 2
    k = np.arange(0, max(50, int(100 / -math.log(r2))))
    return float((1 - r2) * np.sum(r2**k * special.gammaincc(k + 1, limit / (2 * (1 - r2))) ** 2))


def pair_integral(limit, n, m):
    """The same without the series: given the reference's error, m|d|² = x, both windows are independent noncentral chi²."""

    def both(x):
        return stats.ncx2.sf(limit * (n + m) / m, 2, n / m * x) ** 2 * 0.5 * math.exp(-x / 2)

    return integrate.quad(both, 0, 200, epsabs=0, epsrel=1e-10, limit=500)[0]


def smooth(n, a, b, m, phi):
    ne = n * m / (n + m)
    t = ne * ((a / n) ** 2 + (b / n) ** 2)
    return [t, float(stats.chi2.sf(t / phi, 2)), math.sqrt(max(0, t - 2 * phi) / ne), a / n]


def contingency(live, reference, phi):
    """The ordinary chi² test of a table with two rows."""
    found = stats.chi2_contingency([live, reference], correction=False)
    return [found.statistic, found.dof, float(stats.chi2.sf(found.statistic / phi, found.dof))]


ANSWERS = {
    "quantile": lambda p: float(stats.norm.ppf(p)),
    "tail": lambda df, x: float(stats.chi2.sf(x, df)),
    "pair": pair,
    "pairIntegral": pair_integral,
    "noncentrality": lambda limit, power: optimize.brentq(
        lambda x: stats.ncx2.sf(limit, 2, x) - power, 1e-9, 1e5, xtol=1e-12, rtol=1e-14
    ),
    "threshold": lambda ne, d, alpha: float(
        max(
            stats.chi2.isf(alpha, 2),
            2 + ne * d * d + stats.norm.isf(alpha) * math.sqrt(4 + 4 * ne * d * d),
        )
    ),
    "smooth": smooth,
    "chi": contingency,
    "rare": lambda live, n, reference, m, phi: float(
        stats.binom.sf(live - 1, live + reference, n / (n + m)) ** (1 / phi)
    ),
    "hochberg": lambda ps, q: [bool(p <= q) for p in stats.false_discovery_control(ps)],
    "psi": lambda live, reference: float(
        sum(
            special.rel_entr(p, q) + special.rel_entr(q, p)
            for p, q in zip(
                (np.array(live) + 0.5) / (sum(live) + 0.5 * len(live)),
                (np.array(reference) + 0.5) / (sum(reference) + 0.5 * len(live)),
            )
        )
    ),
}

print(json.dumps({name: [ANSWERS[name](*args) for args in asked] for name, asked in json.load(sys.stdin).items()}))
