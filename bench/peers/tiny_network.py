"""Makes the graph that the tests adopt as a version of the tiny bank's model: a small network behind an
imputer, which only ONNX Runtime computes, with rows and what it says of them.

Usage: python tiny_network.py FOLDER. It writes outside-tiny-network.onnx and outside-tiny-network.onnx.rows.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROWS = 4000


def payments(rng):
    """Amount, customer's count of 1 and 7 days and mean of 7 days, the terminal's share of fraud."""
    amount = rng.gamma(2.0, 40.0, ROWS)
    day = rng.integers(1, 9, ROWS)
    week = day + rng.integers(0, 30, ROWS)
    mean = rng.gamma(2, 30, ROWS)
    risk = np.where(rng.random(ROWS) < 0.5, 0, rng.random(ROWS))
    x = np.column_stack([amount, day, week, mean, risk]).astype(np.float32)
    is_fraud = (amount > 220) | ((risk > 0.3) & (rng.random(ROWS) < 0.7))
    for column in (3, 4):
        x[rng.random(ROWS) < 0.1, column] = np.nan
    return x, is_fraud.astype(int)


def main(folder: Path) -> None:
    x, y = payments(np.random.default_rng(7))
    network = MLPClassifier((8,), max_iter=400, random_state=0)
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), network).fit(x, y)
    graph = to_onnx(
        model,
        x[:1],
        target_opset={"": 18, "ai.onnx.ml": 3},
        options={id(model): {"zipmap": False}},
    )
    file = folder / "outside-tiny-network.onnx"
    file.write_bytes(graph.SerializeToString())
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    said = session.run(["probabilities"], {session.get_inputs()[0].name: x[:20]})[0]
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in x[:20]]
    record = {"rows": rows, "expected": said.astype(float).tolist()}
    (folder / "outside-tiny-network.onnx.rows.json").write_text(json.dumps(record))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
