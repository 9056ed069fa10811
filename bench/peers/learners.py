"""Scores rows out of fold with the peers, one request a line on standard input, one answer a line.

Usage: python learners.py FOLDER. The folder holds x.f64 (row after row, NaN missing, categories as
codes), y.f64 and folds.u8 (the test fold of every row, repeat after repeat). A request is {"engine",
"setting", "rows", "features", "categorical", "repeats", "folds", "threads"}; the answer {"s"} or
{"absent"}, and the scores in scores.f64 (repeat after repeat).
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")

# "default": what a library does unless told. "alike": the same rounds, rate and leaves, which are
# LightGBM's and scikit-learn's defaults.
ALIKE = {"rounds": 100, "rate": 0.1, "leaves": 31}


def fit_lightgbm(x, y, request):
    import lightgbm as lgb

    params = {"objective": "binary", "num_threads": request["threads"], "verbose": -1, "seed": 1}
    data = lgb.Dataset(x, y, categorical_feature=request["categorical"] or "auto", params=params)
    model = lgb.train(params, data, ALIKE["rounds"])
    return model.predict


def fit_xgboost(x, y, request):
    import xgboost as xgb

    kinds = ["c" if i in request["categorical"] else "q" for i in range(x.shape[1])]
    params = {"objective": "binary:logistic", "tree_method": "hist", "nthread": request["threads"]}
    if request["setting"] == "alike":
        grow = {"grow_policy": "lossguide", "max_leaves": ALIKE["leaves"], "max_depth": 0}
        params |= {"eta": ALIKE["rate"], **grow}
    data = xgb.DMatrix(x, y, feature_types=kinds, enable_categorical=True)
    model = xgb.train(params, data, ALIKE["rounds"])
    kinds_of = lambda t: xgb.DMatrix(t, feature_types=kinds, enable_categorical=True)  # noqa: E731
    return lambda t: model.predict(kinds_of(t))


def fit_sklearn(x, y, request):
    from sklearn.ensemble import HistGradientBoostingClassifier

    params = {"categorical_features": request["categorical"] or None, "random_state": 1}
    if request["setting"] == "alike":
        params["early_stopping"] = False
    model = HistGradientBoostingClassifier(**params).fit(x, y)
    return lambda t: model.predict_proba(t)[:, 1]


ENGINES = {"lightgbm": fit_lightgbm, "xgboost": fit_xgboost, "sklearn": fit_sklearn}


def score(folder: Path, request) -> float:
    x = np.fromfile(folder / "x.f64").reshape(-1, request["features"])
    y = np.fromfile(folder / "y.f64")
    shape = (request["repeats"], request["rows"])
    folds = np.fromfile(folder / "folds.u8", dtype=np.uint8).reshape(shape)
    scores = np.zeros(shape)
    start = time.perf_counter()
    for repeat in range(request["repeats"]):
        for fold in range(request["folds"]):
            test = folds[repeat] == fold
            predict = ENGINES[request["engine"]](x[~test], y[~test], request)
            scores[repeat, test] = predict(x[test])
    scores.tofile(folder / "scores.f64")
    return time.perf_counter() - start


def main(folder: Path) -> None:
    from threadpoolctl import threadpool_limits

    for line in sys.stdin:
        request = json.loads(line)
        try:
            with threadpool_limits(limits=request["threads"]):
                print(json.dumps({"s": score(folder, request)}), flush=True)
        except ImportError:
            print(json.dumps({"absent": True}), flush=True)


main(Path(sys.argv[1]))
