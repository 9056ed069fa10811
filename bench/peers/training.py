"""Trains boosted trees with the peers, one request a line on standard input, one answer a line.

Usage: python training.py FOLDER. The folder holds train.f32, train.y, test.f32 (float32, row after
row). A request is {"features", "categorical", "engine", "threads", "trees", "depth"}; the answer
{"s", "version"}, and the scores of the test rows in scores.f64. "s" covers everything from the raw
matrix to the model. Features that hold categories are given as such; scikit-learn, which takes at
most 255 categories, gets those of more as numbers.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np


def train_lightgbm(x, y, request):
    import lightgbm as lgb

    params = {
        "objective": "binary",
        "num_leaves": 2 ** request["depth"],
        "max_depth": request["depth"],
        "learning_rate": 0.1,
        "max_bin": 255,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 1.0,
        "lambda_l2": 1.0,
        "num_threads": request["threads"],
        "verbose": -1,
    }
    codes = request["categorical"] or "auto"
    start = time.perf_counter()
    data = lgb.Dataset(x, y, categorical_feature=codes, params=params)
    model = lgb.train(params, data, request["trees"])
    return time.perf_counter() - start, lambda t: model.predict(t), lgb.__version__


def train_xgboost(x, y, request):
    import xgboost as xgb

    params = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": request["depth"],
        "eta": 0.1,
        "max_bin": 255,
        "min_child_weight": 1.0,
        "lambda": 1.0,
        "nthread": request["threads"],
    }
    kinds = ["c" if i in request["categorical"] else "q" for i in range(x.shape[1])]
    shared = {"feature_types": kinds, "enable_categorical": True, "nthread": request["threads"]}
    start = time.perf_counter()
    data = xgb.QuantileDMatrix(x, y, max_bin=255, **shared)
    model = xgb.train(params, data, request["trees"])
    elapsed = time.perf_counter() - start
    return elapsed, lambda t: model.predict(xgb.DMatrix(t, **shared)), xgb.__version__


def train_sklearn(x, y, request):
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    codes = [i for i in request["categorical"] if np.unique(x[:, i]).size <= 255]
    with threadpool_limits(limits=request["threads"]):
        start = time.perf_counter()
        model = HistGradientBoostingClassifier(
            max_iter=request["trees"],
            max_depth=request["depth"],
            max_leaf_nodes=2 ** request["depth"],
            learning_rate=0.1,
            max_bins=255,
            min_samples_leaf=1,
            l2_regularization=1.0,
            early_stopping=False,
            categorical_features=codes or None,
        ).fit(x, y)
        elapsed = time.perf_counter() - start
    return elapsed, lambda t: model.predict_proba(t)[:, 1], sklearn.__version__


ENGINES = {"lightgbm": train_lightgbm, "xgboost": train_xgboost, "sklearn": train_sklearn}


def main(folder: Path) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        load = lambda name: np.fromfile(folder / name, dtype=np.float32)  # noqa: E731
        x = load("train.f32").reshape(-1, request["features"])
        test = load("test.f32").reshape(-1, request["features"])
        try:
            elapsed, predict, version = ENGINES[request["engine"]](x, load("train.y"), request)
        except ImportError:
            print(json.dumps({"absent": True}), flush=True)
            continue
        predict(test).astype(np.float64).tofile(folder / "scores.f64")
        print(json.dumps({"s": elapsed, "version": version}), flush=True)


main(Path(sys.argv[1]))
