"""Makes the golden models of test/fixtures/models: small models of other libraries, rows of float32
with missing and unknown values, and the margins that the library itself gives for them.

Usage: python model_fixtures.py FOLDER [NAME…]. Names choose among the cases below; a case whose
library is missing is left as it is. The old formats need old libraries in an interpreter of their
own: xgboost==1.7.6 and lightgbm==3.3.5 for "…-old".
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

ROWS = 20


def draw(seed, features=4, categories=0):
    """A table to learn from, with missing values, zeros and, last, codes of categories."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, features)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = 0
    if categories:
        x[:, -1] = rng.integers(0, categories, len(x))
    x[rng.random(x.shape) < 0.1] = np.nan
    filled = np.nan_to_num(x)
    signal = filled[:, 0] + np.sin(filled[:, -1] * 2) + rng.normal(size=len(x)) * 0.3
    # Whole numbers of 1/256, so that their text is short.
    test = (np.round(rng.normal(size=(ROWS, features)) * 384) / 256).astype(np.float32)
    if categories:
        test[:, -1] = rng.integers(-1, categories + 40, ROWS)
    test[rng.random(test.shape) < 0.15] = np.nan
    test[rng.random(test.shape) < 0.1] = 0
    return x, signal, test


def xgboost_case(seed, params, rounds=3, categories=0, label=lambda s: s):
    def make(path):
        import xgboost as xgb

        x, signal, test = draw(seed, categories=categories)
        types = ["q"] * 3 + ["c" if categories else "q"]
        options = {"feature_types": types, "enable_categorical": True}
        booster = xgb.train(
            {"max_depth": 3, "nthread": 1, "max_cat_to_onehot": 1, **params},
            xgb.DMatrix(x, label(signal), **options),
            rounds,
        )
        booster.save_model(path)
        return test, booster.predict(xgb.DMatrix(test, **options), output_margin=True)

    return make


def lightgbm_case(seed, params, rounds=3, categories=0, label=lambda s: s):
    def make(path):
        import lightgbm as lgb

        x, signal, test = draw(seed, categories=categories)
        given = {
            "verbose": -1,
            "num_leaves": 7,
            "min_data_in_leaf": 5,
            "min_data_per_group": 5,
            "cat_smooth": 1,
            "num_threads": 1,
            **params,
        }
        columns = [3] if categories else []
        data = lgb.Dataset(x.astype(np.float64), label(signal), categorical_feature=columns)
        booster = lgb.train(given, data, rounds)
        # The parameters and importances behind the trees are no part of the model.
        text = booster.model_to_string().split("end of trees")[0]
        Path(path).write_text(f"{text}end of trees\n")
        margins = booster.predict(test.astype(np.float64), raw_score=True)
        # LightGBM gives the raw sum of a random forest, but takes the mean before it goes on.
        return test, margins / (rounds if params.get("boosting") == "rf" else 1)

    return make


def sklearn_case(seed, build, label=lambda s: s, missing=False):
    """The outputs are those of ONNX Runtime: chances of all classes, or values."""

    def make(path):
        import onnxruntime
        from skl2onnx import to_onnx

        x, signal, test = draw(seed)
        x, test = (x, test) if missing else (np.nan_to_num(x), np.nan_to_num(test))
        opset = {"": 18, "ai.onnx.ml": 3}
        model = to_onnx(build().fit(x, label(signal)), x[:1], target_opset=opset)
        Path(path).write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        outputs = session.run(None, {session.get_inputs()[0].name: test})[-1]
        if isinstance(outputs, list):
            outputs = np.array([list(chances.values()) for chances in outputs])
        return test, outputs

    return make


def outside_case(seed, build, label, types=None, options=None):
    """A classifier whose chances a graph gives as it is told: through ZipMap, or as a table."""

    def make(path):
        import onnxruntime
        from skl2onnx import to_onnx

        x, signal, test = draw(seed)
        # The last column holds small whole numbers, for inputs that take those.
        x, test = np.nan_to_num(x), np.nan_to_num(test)
        x[:, -1], test[:, -1] = np.round(x[:, -1]), np.round(test[:, -1])
        given = types() if types else None
        names = [name for name, _ in given] if given else None
        frame = as_frame(x, names) if given else x
        fitted = build().fit(frame, label(signal))
        opset = {"": 18, "ai.onnx.ml": 3}
        settings = {id(fitted): options} if options else None
        sample = {"initial_types": given} if given else {"X": x[:1]}
        model = to_onnx(fitted, **sample, target_opset=opset, options=settings)
        Path(path).write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
        feeds = {
            each.name: test[:, [names.index(each.name)]].astype(kinds[each.type]) if given else test
            for each in session.get_inputs()
        }
        outputs = session.run(None, feeds)[-1]
        if isinstance(outputs, list):
            outputs = np.array([list(chances.values()) for chances in outputs])
        return test, outputs

    return make


def as_frame(x, names):
    import pandas as pd

    return pd.DataFrame(x, columns=names)


def named_inputs():
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType

    return [
        ("amount", FloatTensorType([None, 1])),
        ("balance", FloatTensorType([None, 1])),
        ("age", FloatTensorType([None, 1])),
        ("children", Int64TensorType([None, 1])),
    ]


def of_named_columns():
    from sklearn.compose import ColumnTransformer
    from sklearn.naive_bayes import GaussianNB
    from sklearn.preprocessing import StandardScaler

    scaled = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["amount", "balance", "age"]),
            ("counts", "passthrough", ["children"]),
        ]
    )
    return pipeline(scaled, GaussianNB())


def bayes():
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def words(signal):
    return np.array(["low", "middle", "high"])[three(signal)]


def pipeline(*steps):
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps)


def imputed_logistic():
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    return pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


def normalised_ridge():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import MinMaxScaler, Normalizer

    return pipeline(MinMaxScaler(), Normalizer(), Ridge())


def forest_of_three():
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(3, max_depth=3, random_state=0)


def boosting():
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=4, max_depth=3, random_state=0)


def network():
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((6,), max_iter=60, random_state=0)


def positive(signal):
    return (signal > 0.2).astype(int)


def three(signal):
    return np.digitize(signal, [-0.5, 0.5])


def counts(signal):
    return np.floor(np.abs(signal) * 2)


BINARY = {"objective": "binary:logistic"}
CASES = {
    "xgboost-binary.json": xgboost_case(1, BINARY, categories=9, label=positive),
    "xgboost-binary.ubj": xgboost_case(1, BINARY, categories=9, label=positive),
    "xgboost-base.json": xgboost_case(2, {**BINARY, "base_score": 0.3}, label=positive),
    "xgboost-classes-dart.json": xgboost_case(
        3,
        {"objective": "multi:softprob", "num_class": 3, "booster": "dart", "rate_drop": 0.5},
        rounds=2,
        label=three,
    ),
    "xgboost-quantiles.json": xgboost_case(
        4, {"objective": "reg:quantileerror", "quantile_alpha": [0.2, 0.8]}, rounds=2
    ),
    "xgboost-counts.json": xgboost_case(
        5, {"objective": "count:poisson", "num_parallel_tree": 2}, rounds=2, label=counts
    ),
    "xgboost-linear.json": xgboost_case(
        6, {"objective": "reg:squarederror", "booster": "gblinear", "max_depth": None}
    ),
    "xgboost-old.json": xgboost_case(7, BINARY, rounds=2, label=positive),
    "lightgbm-binary.txt": lightgbm_case(
        1, {"objective": "binary", "sigmoid": 1.5}, categories=40, label=positive
    ),
    "lightgbm-zero.txt": lightgbm_case(2, {"objective": "regression", "zero_as_missing": True}),
    "lightgbm-nothing-missing.txt": lightgbm_case(
        3, {"objective": "poisson", "use_missing": False}, label=counts
    ),
    "lightgbm-classes.txt": lightgbm_case(
        4, {"objective": "multiclass", "num_class": 3}, rounds=2, label=three
    ),
    "lightgbm-forest.txt": lightgbm_case(
        5,
        {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7},
        label=positive,
    ),
    "lightgbm-old.txt": lightgbm_case(
        6, {"objective": "binary"}, rounds=2, categories=12, label=positive
    ),
    "sklearn-logistic.onnx": sklearn_case(1, imputed_logistic, label=positive, missing=True),
    "sklearn-ridge.onnx": sklearn_case(2, normalised_ridge),
    "sklearn-forest.onnx": sklearn_case(3, forest_of_three, label=three),
    "sklearn-boosting.onnx": sklearn_case(4, boosting, label=positive),
    # Not for our engine but for ONNX Runtime.
    "outside-network.onnx": sklearn_case(5, network, label=three),
    "outside-words.onnx": outside_case(6, bayes, words),
    "outside-table.onnx": outside_case(7, bayes, positive, options={"zipmap": False}),
    "outside-inputs.onnx": outside_case(8, of_named_columns, positive, types=named_inputs),
}


def numbers(array):
    """Rows as JSON: float32 as the double that it is, null for missing."""
    rows = np.asarray(array, dtype=np.float64).reshape(ROWS, -1).tolist()
    return [[None if math.isnan(value) else value for value in row] for row in rows]


def main(folder: Path, names: list[str]) -> None:
    for name in names or CASES:
        try:
            rows, expected = CASES[name](str(folder / name))
        except ImportError as error:
            print(f"{name}: left as it is, {error}")
            continue
        text = json.dumps({"rows": numbers(rows), "expected": numbers(expected)})
        (folder / f"{name}.rows.json").write_text(f"{text}\n")
        print(name)


main(Path(sys.argv[1]), sys.argv[2:])
