"""Makes graphs of scikit-learn models that only ONNX Runtime computes, with rows and what the model
itself says of them: the chances of all classes, or a value.

Usage: python outside_models.py FOLDER. It writes NAME.onnx and NAME.json.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
FEATURES = 5
MODELS = {
    "ada": AdaBoostClassifier(n_estimators=4, random_state=0),
    "bayes": GaussianNB(),
    "bernoulli": BernoulliNB(),
    "calibrated": CalibratedClassifierCV(DecisionTreeClassifier(max_depth=3, random_state=0), cv=2),
    "neighbours": KNeighborsClassifier(5),
    "network": MLPClassifier((4,), max_iter=80, random_state=0),
    "vectors": SVC(probability=True, random_state=0),
    "voting": VotingClassifier(
        [("a", GaussianNB()), ("b", LogisticRegression())], voting="soft", flatten_transform=False
    ),
}
VALUES = {
    "neighbours": KNeighborsRegressor(5),
    "network": MLPRegressor(hidden_layer_sizes=(4,), max_iter=80, random_state=0),
    "vectors": SVR(),
}


def labels(signal, kind):
    if kind == "two":
        return (signal > 0).astype(int)
    return np.array(["low", "middle", "high"])[np.digitize(signal, [-0.5, 0.5])]


def save(folder, name, model, x, test, said, classes, **options):
    given = {id(model): options} if options else None
    graph = to_onnx(model, x[:1], target_opset={"": 18, "ai.onnx.ml": 3}, options=given)
    (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    record = {"rows": test.tolist(), "expected": np.atleast_2d(said).tolist(), "classes": classes}
    (folder / f"{name}.json").write_text(json.dumps(record))


def main(folder: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, FEATURES)).astype(np.float32)
    test = rng.normal(size=(25, FEATURES)).astype(np.float32)
    signal = x[:, 0] - x[:, 1] * x[:, 2]
    for kind in ("two", "three"):
        for name, model in MODELS.items():
            model.fit(x, labels(signal, kind))
            said, classes = model.predict_proba(test), [str(c) for c in model.classes_]
            save(folder, f"{name}-{kind}-maps", model, x, test, said, classes)
            save(folder, f"{name}-{kind}-table", model, x, test, said, classes, zipmap=False)
    for name, model in VALUES.items():
        model.fit(x, signal)
        said = model.predict(test).reshape(-1, 1)
        save(folder, f"{name}-value", model, x, test, said, None)


main(Path(sys.argv[1]))
