"""Scores with the peers, one request a line on standard input, one answer a line: microseconds of
processor a row, one at a time (the median) and all at once. The margins are written to margins.f64.

Usage: python inference.py FOLDER FEATURES. The folder holds model.txt (LightGBM), model.json
(XGBoost), model.onnx and rows.f32 (float32, row after row). A request is {"engine"}.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

SINGLE_ROWS = 500


def load_lightgbm(folder, x):
    import lightgbm as lgb

    model = lgb.Booster(model_file=str(folder / "model.txt"))
    wide = x.astype(np.float64)
    options = {"num_threads": 1, "raw_score": True}
    return lambda rows: model.predict(rows, **options), wide


def load_xgboost(folder, x):
    import xgboost as xgb

    model = xgb.Booster({"nthread": 1}, model_file=str(folder / "model.json"))
    predict = lambda rows: model.inplace_predict(rows, predict_type="margin", validate_features=False)  # noqa: E731
    return predict, x


def load_onnxruntime(folder, x):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    return lambda rows: session.run(["margin"], {"features": rows})[0], x


LOADERS = {"lightgbm": load_lightgbm, "xgboost": load_xgboost, "onnxruntime": load_onnxruntime}


def timed(work):
    start = time.process_time()
    result = work()
    return (time.process_time() - start) * 1e6, result


def main(folder: Path, features: int) -> None:
    x = np.fromfile(folder / "rows.f32", dtype=np.float32).reshape(-1, features)
    loaded = {}
    for line in sys.stdin:
        engine = json.loads(line)["engine"]
        try:
            if engine not in loaded:
                loaded[engine] = LOADERS[engine](folder, x)
        except ImportError:
            print(json.dumps({"absent": True}), flush=True)
            continue
        predict, rows = loaded[engine]
        predict(rows)
        batch, margins = timed(lambda: predict(rows))
        singles = [rows[i : i + 1] for i in range(SINGLE_ROWS)]
        for row in singles:
            predict(row)
        single = statistics.median(timed(lambda row=row: predict(row))[0] for row in singles)
        np.asarray(margins, dtype=np.float64).ravel().tofile(folder / "margins.f64")
        print(json.dumps({"single": single, "batch": batch / len(rows)}), flush=True)


main(Path(sys.argv[1]), int(sys.argv[2]))
