"""A data scientist's session with MLflow's own Python client, unmodified.

Usage: mlflow_client.py TRACKING_URI PART...
Each part is one of the functions below; what does not hold fails with an AssertionError. The last
line of each part is `ok PART`.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException, RestException


def fails(code, act):
    try:
        act()
    except (RestException, MlflowException) as error:
        assert error.error_code == code, error
        return str(error)
    raise AssertionError(f"expected {code}")


def tracking():
    """Experiments and runs: log, nest, search with filters and paging, delete, restore, copy."""
    client = MlflowClient()
    experiment = mlflow.set_experiment("card-fraud")
    again = mlflow.set_experiment("card-fraud")
    assert again.experiment_id == experiment.experiment_id
    mlflow.set_experiment_tag("owner", "ann")
    with mlflow.start_run(run_name="parent", tags={"team": "cards"}) as parent:
        mlflow.log_param("depth", 6)
        mlflow.log_params({"rate": 0.1, "trees": 300})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.91, "recall": 0.7})
        mlflow.set_tags({"stage": "dev", "mlflow.note.content": "Überlegt & geprüft"})
        for i in range(3):
            with mlflow.start_run(run_name=f"child-{i}", nested=True):
                mlflow.log_metric("auc", 0.5 + i / 10)
                mlflow.log_param("depth", i)
    run = client.get_run(parent.info.run_id)
    assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time
    assert run.data.params == {"depth": "6", "rate": "0.1", "trees": "300"}
    assert run.data.metrics["loss"] == 0.2
    assert run.data.tags["mlflow.note.content"] == "Überlegt & geprüft"
    assert run.data.tags["mlflow.runName"] == run.info.run_name == "parent"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, round(m.value, 3)) for m in history] == [
        (0, 1), (1, 0.5), (2, 0.333), (3, 0.25), (4, 0.2)
    ]

    ids = [experiment.experiment_id]
    found = mlflow.search_runs(filter_string="metrics.auc > 0.55 and params.depth != '6'")
    assert sorted(found["tags.mlflow.runName"]) == ["child-1", "child-2"], found
    children = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    page = client.search_runs(ids, children, max_results=2, order_by=["metrics.auc DESC"])
    names = [r.info.run_name for r in page]
    assert names == ["child-2", "child-1"] and page.token
    rest = client.search_runs(
        ids, children, max_results=2, order_by=["metrics.auc DESC"], page_token=page.token
    )
    assert [r.info.run_name for r in rest] == ["child-0"] and not rest.token
    for text in ("status = 'FINISHED'", "run_name LIKE 'child%' AND start_time > 0"):
        assert len(client.search_runs(ids, text)) >= 3, text
    fails("INVALID_PARAMETER_VALUE", lambda: client.search_runs(ids, "metrics.auc >"))

    fails("INVALID_PARAMETER_VALUE", lambda: client.log_param(run.info.run_id, "depth", 7))
    fails("RESOURCE_DOES_NOT_EXIST", lambda: client.get_run("0" * 32))
    batch = dict(
        metrics=[Metric("m", float("nan"), 1, 0), Metric("m", 2.0, 2, 1)],
        params=[Param("late", "yes")],
        tags=[RunTag("copied", "no")],
    )
    client.log_batch(run.info.run_id, **batch)
    client.delete_tag(run.info.run_id, "copied")
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    gone = client.search_runs(ids, run_view_type=ViewType.DELETED_ONLY)
    assert [r.info.run_id for r in gone] == [run.info.run_id]
    client.restore_run(run.info.run_id)

    tags = {k: v for k, v in run.data.tags.items() if k != "mlflow.runName"}
    copy = client.create_run(ids[0], tags=tags, run_name="copy")
    client.log_batch(
        copy.info.run_id,
        metrics=[Metric(k, v, 1, 0) for k, v in run.data.metrics.items()],
        params=[Param(k, v) for k, v in run.data.params.items()],
    )
    client.set_terminated(copy.info.run_id, "KILLED")
    copied = client.get_run(copy.info.run_id)
    assert copied.info.status == "KILLED" and copied.data.params == run.data.params

    other = client.create_experiment("short-lived", tags={"a": "b"})
    assert client.get_experiment(other).tags["a"] == "b"
    client.rename_experiment(other, "renamed")
    assert client.get_experiment_by_name("renamed").experiment_id == other
    fails("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("renamed"))
    named = client.search_experiments(filter_string="name LIKE 'ren%'", max_results=5)
    assert [e.experiment_id for e in named] == [other]
    client.delete_experiment(other)
    assert client.get_experiment(other).lifecycle_stage == "deleted"
    client.restore_experiment(other)
    assert client.get_experiment("0").name == "Default"


def datasets():
    """What a run read: log_input, and searches by data set."""
    import pandas

    experiment = mlflow.set_experiment("read")
    frame = pandas.DataFrame({"amount": [1.5, 2.5], "label": [0, 1]})
    source = mlflow.data.from_pandas(frame, name="payments", targets="label")
    with mlflow.start_run() as run:
        mlflow.log_input(source, context="training", tags={"part": "one"})
    kept = MlflowClient().get_run(run.info.run_id).inputs.dataset_inputs
    assert [d.dataset.name for d in kept] == ["payments"]
    assert {t.key: t.value for t in kept[0].tags} == {
        "mlflow.data.context": "training", "part": "one"
    }
    assert json.loads(kept[0].dataset.profile)["num_rows"] == 2
    found = MlflowClient().search_runs([experiment.experiment_id], "dataset.name = 'payments'")
    assert [r.info.run_id for r in found] == [run.info.run_id]


def artifacts():
    """Files: text, JSON, a folder; list, download, delete nothing of another run."""
    client = MlflowClient()
    mlflow.set_experiment("files")
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "er" / "ümlaut +%.txt").write_text("hello")
        (folder / "empty.bin").write_bytes(b"")
        mlflow.log_artifacts(name, "data")
        mlflow.log_text("some text", "notes/one.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
    run_id = run.info.run_id
    assert [f.path for f in client.list_artifacts(run_id)] == ["config.json", "data", "notes"]
    assert [(f.path, f.is_dir) for f in client.list_artifacts(run_id, "data")] == [
        ("data/deep", True), ("data/empty.bin", False)
    ]
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/config.json") == {"a": [1, 2]}
    local = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="data")
    assert (Path(local) / "deep" / "er" / "ümlaut +%.txt").read_text() == "hello"
    assert (Path(local) / "empty.bin").read_bytes() == b""


def models():
    """A real scikit-learn model: log, register, alias, load back, and predict the same."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    client = MlflowClient()
    mlflow.set_experiment("models")
    random = numpy.random.default_rng(1)
    x = random.normal(size=(200, 3))
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    with mlflow.start_run() as run:
        model = LogisticRegression().fit(x, y)
        mlflow.log_metric("accuracy", model.score(x, y))
        info = mlflow.sklearn.log_model(
            model, name="model", input_example=x[:2], serialization_format="cloudpickle"
        )
    logged = client.get_logged_model(info.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id
    assert client.get_run(run.info.run_id).outputs.model_outputs[0].model_id == info.model_id
    found = client.search_logged_models(
        [run.info.experiment_id], filter_string="name = 'model'", max_results=5
    )
    assert [m.model_id for m in found] == [info.model_id]

    version = mlflow.register_model(info.model_uri, "card-model")
    assert int(version.version) == 1
    client.set_registered_model_alias("card-model", "champion", 1)
    client.set_model_version_tag("card-model", "1", "checked", "yes")
    client.update_model_version("card-model", "1", description="The first")
    for uri in (info.model_uri, "models:/card-model/1", "models:/card-model@champion"):
        loaded = mlflow.pyfunc.load_model(uri)
        assert numpy.array_equal(loaded.predict(x), model.predict(x)), uri
    second = mlflow.register_model(f"models:/{info.model_id}", "card-model")
    assert int(second.version) == 2
    assert client.get_model_version_by_alias("card-model", "champion").version in (1, "1")
    versions = client.search_model_versions("name = 'card-model'")
    assert sorted(int(v.version) for v in versions) == [1, 2]
    copied = client.copy_model_version("models:/card-model/1", "card-model-copy")
    assert int(copied.version) == 1
    client.delete_model_version("card-model", "2")
    client.delete_registered_model_alias("card-model", "champion")
    client.delete_registered_model("card-model-copy")
    left = [m.name for m in client.search_registered_models("name LIKE 'card-model%'")]
    assert left == ["card-model"]


def autolog_sklearn():
    """Autolog of scikit-learn: parameters, metrics, data set and model without a line of ours."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    mlflow.set_experiment("autolog-sklearn")
    mlflow.sklearn.autolog(serialization_format="cloudpickle")
    try:
        x, y = make_classification(n_samples=120, n_features=5, random_state=1)
        with mlflow.start_run() as run:
            RandomForestClassifier(n_estimators=5, max_depth=3, random_state=1).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    kept = MlflowClient().get_run(run.info.run_id)
    assert kept.data.params["n_estimators"] == "5"
    assert kept.data.metrics["training_accuracy_score"] > 0.5
    assert len(kept.outputs.model_outputs) == 1


def autolog_xgboost():
    """Autolog of XGBoost: a metric per round."""
    import numpy
    import xgboost

    mlflow.set_experiment("autolog-xgboost")
    mlflow.xgboost.autolog()
    try:
        random = numpy.random.default_rng(2)
        x = random.normal(size=(200, 4))
        data = xgboost.DMatrix(x, label=(x[:, 0] > 0).astype(int))
        with mlflow.start_run() as run:
            xgboost.train(
                {"objective": "binary:logistic", "eval_metric": "logloss", "nthread": 1},
                data,
                num_boost_round=7,
                evals=[(data, "train")],
                verbose_eval=False,
            )
    finally:
        mlflow.xgboost.autolog(disable=True)
    client = MlflowClient()
    history = client.get_metric_history(run.info.run_id, "train-logloss")
    assert [m.step for m in history] == list(range(7))
    assert len(client.get_run(run.info.run_id).outputs.model_outputs) == 1


def autolog_lightgbm():
    """Autolog of LightGBM."""
    import lightgbm
    import numpy

    mlflow.set_experiment("autolog-lightgbm")
    mlflow.lightgbm.autolog()
    try:
        random = numpy.random.default_rng(3)
        x = random.normal(size=(300, 4))
        data = lightgbm.Dataset(x, label=(x[:, 1] > 0).astype(int))
        params = {"objective": "binary", "metric": "auc", "verbose": -1, "num_threads": 1}
        with mlflow.start_run() as run:
            lightgbm.train(params, data, num_boost_round=5, valid_sets=[data], valid_names=["t"])
    finally:
        mlflow.lightgbm.autolog(disable=True)
    client = MlflowClient()
    assert [m.step for m in client.get_metric_history(run.info.run_id, "t-auc")] == list(range(5))
    assert len(client.get_run(run.info.run_id).outputs.model_outputs) == 1


if __name__ == "__main__":
    mlflow.set_tracking_uri(sys.argv[1])
    for part in sys.argv[2:]:
        globals()[part]()
        print("ok", part, flush=True)
