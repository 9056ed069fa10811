"""Makes the logged models of test/fixtures/logged-models: what MLflow's client writes for small models,
and what the libraries themselves predict for some rows.

Usage: python logged_model_fixtures.py FOLDER, with mlflow, xgboost, lightgbm, scikit-learn, skl2onnx
and onnxruntime installed. Of models that are code only the description stays.
"""

import json
import shutil
import sys
from pathlib import Path

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

out = Path(sys.argv[1])
rng = np.random.default_rng(5)
n = 400
# Whole numbers of 1/256, so that they are the same in float32 and their text is short.
x = pd.DataFrame(
    {
        "amount": np.round(rng.gamma(2, 50, n)),
        "age": rng.integers(18, 90, n).astype("float64"),
        "rate": np.round(rng.normal(size=n) * 256) / 256,
    }
)
y = ((x.amount / 100 + x.rate + rng.normal(size=n)) > 1.2).astype(int)
full = x.head(20)
holes = full.copy()
holes.iloc[3, 0] = np.nan
holes.iloc[5, 2] = np.nan

booster = xgb.train(
    {"objective": "binary:logistic", "max_depth": 3, "seed": 1, "nthread": 1},
    xgb.DMatrix(x, label=y),
    8,
)
classifier = xgb.XGBClassifier(n_estimators=30, max_depth=2, n_jobs=1, early_stopping_rounds=2)
classifier.fit(x[:300], y[:300], eval_set=[(x[300:], y[300:])], verbose=False)
light = lgb.train(
    {"objective": "binary", "verbose": -1, "num_leaves": 7, "seed": 1, "num_threads": 1},
    lgb.Dataset(x, label=y),
    8,
)
light_classifier = lgb.LGBMClassifier(n_estimators=3, num_leaves=7, verbose=-1, n_jobs=1).fit(x, y)
logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
forest = RandomForestClassifier(n_estimators=5, max_depth=3, random_state=1)
forest.fit(x.astype("float32"), y)


class Function(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


def chances(model, rows):
    return model.predict_proba(rows)[:, 1].astype(float).tolist()


def numbers(values):
    return np.asarray(values).astype(float).tolist()


def save(name, flavor, model, keep, **options):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    signature = infer_signature(x, y.astype("float64"))
    flavor.save_model(
        model, str(folder), signature=signature, pip_requirements=["none"], **options
    )
    for file in folder.iterdir():
        if file.name not in ("MLmodel", keep):
            file.unlink()


out.mkdir(parents=True, exist_ok=True)
save("xgboost-booster", mlflow.xgboost, booster, "model.ubj")
save("xgboost-json", mlflow.xgboost, booster, "model.json", model_format="json")
save("xgboost-classifier", mlflow.xgboost, classifier, "model.ubj")
save("lightgbm-booster", mlflow.lightgbm, light, "model.lgb")
save("lightgbm-classifier", mlflow.lightgbm, light_classifier, None)
save("sklearn", mlflow.sklearn, logistic, None, serialization_format="cloudpickle")
first = x[:1].astype("float32").to_numpy()
linear = to_onnx(logistic, first, options={"zipmap": False})
save("onnx-logistic", mlflow.onnx, linear, "model.onnx")
save("onnx-forest", mlflow.onnx, to_onnx(forest, first), "model.onnx")
shutil.rmtree(out / "python-function", ignore_errors=True)
mlflow.pyfunc.save_model(
    str(out / "python-function"), python_model=Function(), pip_requirements=["none"]
)
for file in (out / "python-function").iterdir():
    if file.name != "MLmodel":
        file.unlink()

matrix = xgb.DMatrix(holes)
expected = {
    "rows": [[None if v != v else v for v in row] for row in holes.values.tolist()],
    "fullRows": full.values.tolist(),
    "xgboostMargin": numbers(booster.predict(matrix, output_margin=True)),
    "xgboostScore": numbers(booster.predict(matrix)),
    "xgboostClassifierScore": chances(classifier, holes),
    "lightgbmScore": numbers(light.predict(holes)),
    "logisticScore": chances(logistic, full),
    "forestScore": chances(forest, full.astype("float32")),
}
(out / "expected.json").write_text(json.dumps(expected))
