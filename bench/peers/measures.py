"""The figures of scikit-learn 1.9.1 and SciPy that src/learning/evaluation/measures.test.ts holds as constants.

    python bench/peers/measures.py
"""

import json

import numpy as np
from scipy.optimize import brentq
from scipy.stats import ks_2samp
from sklearn import metrics as m
from sklearn.linear_model import LogisticRegression

n = 120
i = np.arange(n)
y = ((i * 37) % 101 < 30).astype(float)
score = ((i * 53) % 40 + 12 * y + 1) / 60
value = ((i * 29) % 50) / 4
truth = np.round(value * 1.1 + ((i * 17) % 23 - 11) / 3).clip(0)
klass = (i * 11) % 17 % 4
raw = np.stack([1 + (i * (7 + 6 * c)) % 11 + 6.0 * (klass == c) for c in range(4)], axis=1)
proba = raw / raw.sum(axis=1, keepdims=True)
said = proba.argmax(axis=1)
alert = score >= 0.5
logit = np.log(score / (1 - score)).reshape(-1, 1)
line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14).fit(logit, y)
precision, recall, _ = m.precision_recall_curve(y, score)
bins = np.minimum((score * 15).astype(int), 14)



binary = {
    "roc_auc": m.roc_auc_score(y, score),
    "average_precision": m.average_precision_score(y, score),
    "gini": 2 * m.roc_auc_score(y, score) - 1,
    "ks": ks_2samp(score[y == 1], score[y == 0]).statistic,
    "recall@precision=0.6": recall[precision >= 0.6].max(),
    "recall": m.recall_score(y, alert),
    "precision": m.precision_score(y, alert),
    "f1": m.f1_score(y, alert),
    "accuracy": m.accuracy_score(y, alert),
    "balanced_accuracy": m.balanced_accuracy_score(y, alert),
    "mcc": m.matthews_corrcoef(y, alert),
    "log_loss": m.log_loss(y, score),
    "brier": m.brier_score_loss(y, score),
    "ece": sum(abs((y - score)[bins == b].sum()) for b in range(15)) / n,
    "calibration_slope": line.coef_[0, 0],
    "calibration_intercept": brentq(lambda a: (y - 1 / (1 + np.exp(-a - logit[:, 0]))).sum(), -9, 9, xtol=1e-15),
}
multiclass = {
    "log_loss": m.log_loss(klass, proba),
    "brier": ((np.eye(4)[klass] - proba) ** 2).sum(axis=1).mean(),
    "roc_auc_ovr": m.roc_auc_score(klass, proba, multi_class="ovr"),
    "roc_auc_hand_till": m.roc_auc_score(klass, proba, multi_class="ovo"),
    "accuracy": m.accuracy_score(klass, said),
    "balanced_accuracy": m.balanced_accuracy_score(klass, said),
    "f1_macro": m.f1_score(klass, said, average="macro"),
    "f1_weighted": m.f1_score(klass, said, average="weighted"),
    "f1_micro": m.f1_score(klass, said, average="micro"),
    "cohens_kappa": m.cohen_kappa_score(klass, said),
    "mcc": m.matthews_corrcoef(klass, said),
}
regression = {
    "rmse": m.root_mean_squared_error(truth, value),
    "mae": m.mean_absolute_error(truth, value),
    "median_absolute_error": m.median_absolute_error(truth, value),
    "r2": m.r2_score(truth, value),
    "mape": m.mean_absolute_percentage_error(truth[truth != 0], value[truth != 0]),
    "pinball@quantile=0.9": m.mean_pinball_loss(truth, value, alpha=0.9),
    "poisson_deviance": m.mean_poisson_deviance(truth, value + 0.5),
}
print(json.dumps({"binary": binary, "multiclass": multiclass, "regression": regression}, indent=2))
