// What each flavor of MLflow leaves behind, and what makes it servable where it is not data.

/** Where a flavor that may be data names its file. */
export interface DataFlavor {
  readonly name: 'xgboost' | 'lightgbm' | 'onnx'
  readonly title: string
  /** What the file is called where the flavor does not say it. */
  readonly usualFile: string
  /** Lines of Python that log the model as data. */
  readonly fix: string
}

export const dataFlavors: readonly DataFlavor[] = [
  {
    name: 'xgboost',
    title: 'XGBoost',
    usualFile: 'model.ubj',
    fix: `import mlflow

# The booster in XGBoost's own format, which is data.
mlflow.xgboost.log_model(model.get_booster(), name="model", model_format="ubj")`,
  },
  {
    name: 'lightgbm',
    title: 'LightGBM',
    usualFile: 'model.lgb',
    fix: `import mlflow

# The booster in LightGBM's text format, which is data.
mlflow.lightgbm.log_model(model.booster_, name="model")`,
  },
  {
    name: 'onnx',
    title: 'ONNX',
    usualFile: 'model.onnx',
    fix: `import mlflow
import onnx

model = onnx.load("model.onnx")  # one table of float32 numbers in
mlflow.onnx.log_model(model, name="model", save_as_external_data=False)`,
  },
]

/** Files that are code once they are loaded. */
export const codeEndings: Readonly<Record<string, string>> = {
  pkl: 'a pickle',
  pickle: 'a pickle',
  joblib: 'a pickle',
  skops: 'a skops file, which holds Python objects',
}

/** A flavor that is never data here. */
export interface OtherFlavor {
  readonly title: string
  readonly why: string
  readonly fix: string
}

const toOnnx = (lines: string) => `${lines}
mlflow.onnx.log_model(onnx_model, name="model")`

const others: Readonly<Record<string, OtherFlavor>> = {
  sklearn: {
    title: 'scikit-learn',
    why: 'It is kept as Python objects (a pickle, or skops): loading it would run code, and Assay never does that.',
    fix: toOnnx(`import mlflow
from skl2onnx import to_onnx

# X: the training table. Chances come as one table, without a ZipMap.
onnx_model = to_onnx(model, X[:1].astype("float32").to_numpy(), options={"zipmap": False})`),
  },
  catboost: {
    title: 'CatBoost',
    why: "CatBoost's own format is not read here.",
    fix: toOnnx(`import mlflow
import onnx

model.save_model("model.onnx", format="onnx")
onnx_model = onnx.load("model.onnx")`),
  },
  pytorch: {
    title: 'PyTorch',
    why: 'It is kept as Python objects (a pickle, or skops): loading it would run code, and Assay never does that.',
    fix: toOnnx(`import mlflow
import onnx
import torch

torch.onnx.export(model, torch.zeros(1, columns), "model.onnx")
onnx_model = onnx.load("model.onnx")`),
  },
  tensorflow: {
    title: 'TensorFlow',
    why: "TensorFlow's saved models are graphs of its own, which are not computed here.",
    fix: toOnnx(`import mlflow
import tf2onnx

onnx_model, _ = tf2onnx.convert.from_keras(model)`),
  },
  spark: {
    title: 'Spark ML',
    why: "Spark's pipelines need Spark to compute them.",
    fix: toOnnx(`import mlflow
from onnxmltools import convert_sparkml

onnx_model = convert_sparkml(model, "model", initial_types)`),
  },
}

/** Where the model stays where it is and is asked over the network. */
const remoteEndpoint = `# Serve it where Python runs; Assay asks it over the Open Inference Protocol.
#   mlflow models serve -m "models:/NAME/1" --enable-mlserver --port 8080`

export function otherFlavor(flavors: readonly string[]): OtherFlavor {
  for (const name of flavors) {
    const key = name === 'keras' ? 'tensorflow' : name
    if (Object.hasOwn(others, key)) return others[key]
  }
  const [own] = flavors.filter((name) => name !== 'python_function')
  if (own !== undefined) {
    return {
      title: own,
      why: `Models of the flavor ${own} are computed by Python alone.`,
      fix: remoteEndpoint,
    }
  }
  return {
    title: 'Python function',
    why: 'It is a Python function (cloudpickle): loading it would run code, and Assay never does that.',
    fix: remoteEndpoint,
  }
}
