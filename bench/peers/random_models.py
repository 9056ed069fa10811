"""Random models of XGBoost and LightGBM, with rows and the margins that the libraries give; and the
margins that XGBoost and ONNX Runtime give for files that were written elsewhere.

Usage: python random_models.py make FOLDER SEED COUNT    writes models.json and the model files
       python random_models.py read FOLDER               reads written.json, writes answers.json
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

ROWS = 60


def choose(rng, *options):
    return options[int(rng.integers(0, len(options)))]


def draw(rng):
    """Rows to learn from and rows to ask, float32, missing and unknown values among them."""
    features, categories = int(rng.integers(2, 9)), int(choose(rng, 0, rng.integers(3, 60)))
    x = rng.normal(size=(300, features)).astype(np.float32)
    if rng.random() < 0.3:
        x[rng.random(x.shape) < 0.3] = 0
    if categories:
        x[:, -1] = rng.integers(0, categories, len(x))
    x[rng.random(x.shape) < choose(rng, 0, 0.15)] = np.nan
    filled = np.nan_to_num(x)
    signal = filled[:, 0] + np.sin(filled[:, -1]) + rng.normal(size=len(x)) * 0.3
    test = np.concatenate([x[: ROWS // 2], rng.normal(size=(ROWS // 2, features)) * 2])
    test = test.astype(np.float32)
    if categories:
        test[ROWS // 2 :, -1] = rng.integers(-2, categories + 40, ROWS // 2)
    test[rng.random(test.shape) < 0.1] = np.nan
    test[rng.random(test.shape) < 0.05] = 0
    test[rng.random(test.shape) < 0.02] = 1e30
    return x, signal, test, categories > 0


LABELS = {
    "binary": lambda signal: (signal > 0.2).astype(int),
    "classes": lambda signal: np.digitize(signal, [-0.5, 0.5]),
    "numbers": lambda signal: signal,
    "counts": lambda signal: np.floor(np.abs(signal) * 2),
}


def make_xgboost(rng, path, x, y, test, categorical, task):
    import xgboost as xgb

    params = {
        "max_depth": int(rng.integers(1, 9)),
        "subsample": choose(rng, 1.0, 0.7),
        "seed": int(rng.integers(0, 1000)),
        "nthread": 1,
        "max_cat_to_onehot": choose(rng, 1, 4),
        "objective": {
            "binary": choose(rng, "binary:logistic", "binary:logitraw"),
            "classes": choose(rng, "multi:softprob", "multi:softmax"),
            "numbers": choose(rng, "reg:squarederror", "reg:absoluteerror", "reg:quantileerror"),
            "counts": choose(rng, "count:poisson", "reg:tweedie"),
        }[task],
    }
    if task == "classes":
        params["num_class"] = 3
    if params["objective"] == "reg:quantileerror":
        params["quantile_alpha"] = [0.2, 0.8]
    elif rng.random() < 0.3:
        params["base_score"] = 0.3
    booster = choose(rng, "gbtree", "gbtree", "dart", "gblinear")
    if booster == "dart":
        params |= {"booster": "dart", "rate_drop": 0.4}
    elif booster == "gblinear" and not categorical:
        params |= {"booster": "gblinear", "max_depth": None, "subsample": None}
        params["max_cat_to_onehot"] = None
    elif rng.random() < 0.2:
        params["num_parallel_tree"] = 3
    params = {name: value for name, value in params.items() if value is not None}
    types = ["q"] * (x.shape[1] - 1) + ["c" if categorical else "q"]
    data = xgb.DMatrix(x, y, feature_types=types, enable_categorical=True)
    model = xgb.train(params, data, int(rng.integers(1, 25)))
    files = [f"{path}.json", f"{path}.ubj"]
    for file in files:
        model.save_model(file)
    asked = xgb.DMatrix(test, feature_types=types, enable_categorical=True)
    return params, files, model.predict(asked, output_margin=True)


def make_lightgbm(rng, path, x, y, test, categorical, task):
    import lightgbm as lgb

    params = {
        "verbose": -1,
        "num_threads": 1,
        "num_leaves": int(rng.integers(2, 32)),
        "min_data_in_leaf": 3,
        "min_data_per_group": 3,
        "cat_smooth": 1,
        "max_cat_to_onehot": choose(rng, 1, 4),
        "zero_as_missing": bool(rng.random() < 0.3),
        "use_missing": bool(rng.random() < 0.8),
        "objective": {
            "binary": choose(rng, "binary", "cross_entropy", "cross_entropy_lambda"),
            "classes": choose(rng, "multiclass", "multiclassova"),
            "numbers": choose(rng, "regression", "huber", "quantile"),
            "counts": "poisson",
        }[task],
    }
    if task == "classes":
        params["num_class"] = 3
    params["boosting"] = choose(rng, "gbdt", "gbdt", "dart", "rf")
    if params["boosting"] == "rf":
        params |= {"bagging_freq": 1, "bagging_fraction": 0.7}
    rounds = int(rng.integers(1, 25))
    columns = [x.shape[1] - 1] if categorical else []
    data = lgb.Dataset(x.astype(np.float64), y, categorical_feature=columns)
    model = lgb.train(params, data, rounds)
    model.save_model(f"{path}.txt")
    margins = model.predict(test.astype(np.float64), raw_score=True)
    # LightGBM gives the raw sum of a random forest, but takes the mean before it goes on.
    if params["boosting"] == "rf":
        margins = margins / model.current_iteration()
    return params, [f"{path}.txt"], margins


def numbers(array, rows):
    table = np.asarray(array, dtype=np.float64).reshape(rows, -1).tolist()
    return [[None if math.isnan(value) else value for value in row] for row in table]


def make(folder: Path, seed: int, count: int) -> None:
    made = []
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        x, signal, test, categorical = draw(rng)
        task = choose(rng, *LABELS)
        for engine, train in (("xgboost", make_xgboost), ("lightgbm", make_lightgbm)):
            path = str(folder / f"{engine}-{number}")
            given = (x, LABELS[task](signal), test, categorical, task)
            params, files, margins = train(rng, path, *given)
            made.append(
                {
                    "engine": engine,
                    "files": [Path(file).name for file in files],
                    "params": json.dumps(params),
                    "rows": numbers(test, ROWS),
                    "margins": numbers(margins, ROWS),
                }
            )
    (folder / "models.json").write_text(json.dumps(made))


def read(folder: Path) -> None:
    written = json.loads((folder / "written.json").read_text())
    rows = [[math.nan if value is None else value for value in row] for row in written["rows"]]
    x = np.array(rows, dtype=np.float32)
    answers = {}
    for file in written["files"]:
        path = str(folder / file)
        if file.endswith(".onnx"):
            import onnxruntime

            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            margins = session.run(["margin"], {"features": x})[0]
        else:
            import xgboost as xgb

            model = xgb.Booster(model_file=path)
            names, types = model.feature_names, model.feature_types
            asked = xgb.DMatrix(x, feature_names=names, feature_types=types, enable_categorical=True)
            margins = model.predict(asked, output_margin=True)
        answers[file] = numbers(margins, len(x))
    (folder / "answers.json").write_text(json.dumps(answers))


if sys.argv[1] == "make":
    make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
else:
    read(Path(sys.argv[2]))
