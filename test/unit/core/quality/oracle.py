"""Values and intervals by scikit-learn and SciPy, written without a look at ours: intervals by their definitions, in O(n²) or by a root."""

import json
import sys

import numpy as np
from scipy import optimize, stats
from sklearn import metrics

Z = stats.norm.ppf(0.975)


def wilson(k, n):
    interval = stats.binomtest(int(k), int(n)).proportion_ci(0.95, method="wilson")
    return interval.low, interval.high


def kernel(own, other):
    return (own[:, None] > other[None, :]) + 0.5 * (own[:, None] == other[None, :])


def newcombe5(theta, m, n):
    """Newcombe 2006, method 5: the two θ at which |θ̂ − θ| is z standard errors by Hanley and McNeil's variance."""

    def beyond(t):
        q1, q2 = t / (2 - t), 2 * t * t / (1 + t)
        star = (m + n) / 2
        variance = (t * (1 - t) + (star - 1) * (q1 - t * t) + (star - 1) * (q2 - t * t)) / (m * n)
        return (theta - t) ** 2 - Z * Z * variance

    low = 0.0 if beyond(0.0) <= 0 else optimize.brentq(beyond, 0, theta - 1e-9, xtol=1e-14)
    high = 1.0 if beyond(1.0) <= 0 else optimize.brentq(beyond, theta + 1e-9, 1, xtol=1e-14)
    return low, high


def single_auc(of, scores):
    v = kernel(scores[of], scores[~of])
    value = metrics.roc_auc_score(of, scores)
    se = np.sqrt(v.mean(1).var(ddof=1) / len(v) + v.mean(0).var(ddof=1) / v.shape[1])
    if se == 0:
        return value, *newcombe5(value, *v.shape)
    ends = stats.logistic.ppf(value) + np.array([-1, 1]) * Z * se / (value * (1 - value))
    return value, *stats.logistic.cdf(ends)


def paired_auc(of, own, live):
    a, b = kernel(own[of], own[~of]), kernel(live[of], live[~of])
    s10 = np.cov(a.mean(1), b.mean(1))
    s01 = np.cov(a.mean(0), b.mean(0))
    s = s10 / a.shape[0] + s01 / a.shape[1]
    value = a.mean() - b.mean()
    variance = s[0, 0] + s[1, 1] - 2 * s[0, 1]
    # The same placements, of which there is a variance, are one order: no difference.
    same = (a.mean(1) == b.mean(1)).all() and (a.mean(0) == b.mean(0)).all() and s[0, 0] > 1e-15
    if variance < 1e-15 and not same and (own != live).any():
        # Nothing to estimate it by: the intervals of both, as of two samples (Newcombe's square and add).
        (x, l1, u1), (y, l2, u2) = single_auc(of, own), single_auc(of, live)
        return value, value - np.hypot(x - l1, u2 - y), value + np.hypot(u1 - x, y - l2)
    half = Z * np.sqrt(max(0, variance))
    return value, value - half, value + half


def loss(name, labels, predicted):
    n = len(labels)
    t = stats.t.ppf(0.975, n - 1)
    if name == "logLoss":
        each = -np.log(np.clip(np.where(labels == 1, predicted, 1 - predicted), 2**-23, 1 - 2**-23))
        value = metrics.log_loss(labels, predicted.astype("float32"), labels=[0, 1])
        part, influence = value, each
    elif name == "mae":
        each = np.abs(predicted - labels)
        value = metrics.mean_absolute_error(labels, predicted)
        part, influence = value, each
    elif name == "rmse":
        each = (predicted - labels) ** 2
        value = metrics.root_mean_squared_error(labels, predicted)
        part, influence = value, each / (2 * value)
    else:
        each = (predicted - labels) ** 2
        value = metrics.r2_score(labels, predicted)
        part = 1 - value
        influence = -(each - part * (labels - labels.mean()) ** 2) / labels.var()
    half = t * influence.std(ddof=1) / np.sqrt(n)
    ends = part * np.exp(np.array([-1, 1]) * half / part)
    if name == "r2":
        ends = 1 - ends[::-1]
    return (value, *ends), influence, t


def answer(case):
    name = case["name"]
    labels = np.array(case["labels"], float)
    own, live = np.array(case["own"], float), np.array(case["live"], float)
    if name == "t":
        return {"single": [stats.t.ppf(0.975, case["df"])]}
    if name == "auc":
        return {"single": single_auc(labels == 1, own), "paired": paired_auc(labels == 1, own, live)}
    if name == "accuracy":
        right, other = own == labels, live == labels
        n = len(labels)
        p1, p2 = metrics.accuracy_score(labels, own), metrics.accuracy_score(labels, live)
        (l1, u1), (l2, u2) = wilson(right.sum(), n), wilson(other.sum(), n)
        table = [[(right & other).sum(), (right & ~other).sum()], [(~right & other).sum(), (~right & ~other).sum()]]
        (a, b), (c, d) = np.array(table, float)
        margins = (a + b) * (c + d) * (a + c) * (b + d)
        cross = a * d - b * c
        phi = 0 if margins == 0 else (cross if cross < 0 else max(cross - n / 2, 0)) / np.sqrt(margins)
        low = np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
        high = np.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
        return {"single": [p1, l1, u1], "paired": [p1 - p2, p1 - p2 - low, p1 - p2 + high]}
    single, one, t = loss(name, labels, own)
    beside, other, _ = loss(name, labels, live)
    value = single[0] - beside[0]
    half = t * (one - other).std(ddof=1) / np.sqrt(len(labels))
    return {"single": single, "paired": [value, value - half, value + half]}


print(json.dumps([{k: [float(x) for x in v] for k, v in answer(case).items()} for case in json.load(sys.stdin)]))
