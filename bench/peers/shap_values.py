"""SHAP values by the peers, one request a line on standard input, one answer a line.

Usage: python shap_values.py FOLDER. The folder holds train.f64, train.y and test.f64 (float64, row
after row). Requests, by "do":
  train        {"features", "trees", "depth"}: LightGBM trains; the model as it dumps it in model.json
  lightgbm     {"rows"}: pred_contrib on one thread
  shap         {"rows"}: the package's own algorithm, path-dependent
  shap-against {"rows", "background"}: the same, interventional, against the first rows of train.f64
The answer is {"s"}, seconds of processor time, or {"absent": true}; values and base of each row in values.f64.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

state = {}


def train(folder, request):
    import lightgbm as lgb

    features = request["features"]
    state["train"] = np.fromfile(folder / "train.f64").reshape(-1, features)
    state["test"] = np.fromfile(folder / "test.f64").reshape(-1, features)
    params = {
        "objective": "binary",
        "num_leaves": 2 ** request["depth"],
        "max_depth": request["depth"],
        "learning_rate": 0.1,
        "num_threads": 1,
        "verbose": -1,
    }
    data = lgb.Dataset(state["train"], np.fromfile(folder / "train.y"), params=params)
    start = time.process_time()
    state["model"] = lgb.train(params, data, request["trees"])
    elapsed = time.process_time() - start
    (folder / "model.json").write_text(json.dumps(state["model"].dump_model()))
    return elapsed, None


def lightgbm(folder, request):
    rows = state["test"][: request["rows"]]
    start = time.process_time()
    values = state["model"].predict(rows, pred_contrib=True, num_threads=1)
    return time.process_time() - start, values


def plain_tree(tree):
    """A tree as the arrays that `shap` takes; a model of LightGBM's it would give back to it."""
    nodes = {"children_left": [], "children_right": [], "children_default": [], "features": []}
    nodes |= {"thresholds": [], "values": [], "node_sample_weight": []}

    def add(node):
        at = len(nodes["features"])
        leaf = "split_feature" not in node
        for name in ("children_left", "children_right", "children_default"):
            nodes[name].append(-1)
        nodes["features"].append(-1 if leaf else node["split_feature"])
        nodes["thresholds"].append(-1 if leaf else node["threshold"])
        nodes["values"].append([node["leaf_value"] if leaf else 0.0])
        nodes["node_sample_weight"].append(node["leaf_count" if leaf else "internal_count"])
        if not leaf:
            nodes["children_left"][at] = add(node["left_child"])
            nodes["children_right"][at] = add(node["right_child"])
            nodes["children_default"][at] = nodes["children_left"][at]
        return at

    add(tree["tree_structure"])
    return {name: np.array(values) for name, values in nodes.items()}


def explainer(**options):
    import shap

    trees = [plain_tree(tree) for tree in state["model"].dump_model()["tree_info"]]
    model = {"trees": trees, "internal_dtype": np.float64, "input_dtype": np.float64}
    return shap.TreeExplainer(model, **options)


def with_base(explain, rows):
    start = time.process_time()
    values = explain.shap_values(rows, check_additivity=False)
    elapsed = time.process_time() - start
    base = np.broadcast_to(np.ravel(explain.expected_value)[0], (len(rows), 1))
    return elapsed, np.hstack([values.reshape(len(rows), -1), base])


def shap_path_dependent(folder, request):
    explain = explainer(feature_perturbation="tree_path_dependent")
    return with_base(explain, state["test"][: request["rows"]])


def shap_interventional(folder, request):
    background = state["train"][: request["background"]]
    explain = explainer(data=background, feature_perturbation="interventional")
    return with_base(explain, state["test"][: request["rows"]])


DO = {
    "train": train,
    "lightgbm": lightgbm,
    "shap": shap_path_dependent,
    "shap-against": shap_interventional,
}


def main(folder: Path) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        try:
            elapsed, values = DO[request["do"]](folder, request)
        except ImportError:
            print(json.dumps({"absent": True}), flush=True)
            continue
        if values is not None:
            np.ascontiguousarray(values, dtype=np.float64).tofile(folder / "values.f64")
        print(json.dumps({"s": elapsed}), flush=True)


main(Path(sys.argv[1]))
