// A graph that Python logged, brought to a running server as MLflow's client brings it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './source-text.ts'

/** Made by bench/peers/tiny_network.py for the features of the tiny bank. */
export const tinyGraph = join(repositoryRoot, 'test/fixtures/models/outside-tiny-network.onnx')

/** Its columns; the last one is not called as the feature that answers it. */
const columns = ['AMOUNT', 'CUSTOMER_COUNT_1D', 'CUSTOMER_COUNT_7D', 'CUSTOMER_MEAN_7D', 'RISK']

const mlmodel = `flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.23.2
signature:
  inputs: '${JSON.stringify(columns.map((name) => ({ type: 'double', name, required: true })))}'
  outputs: '[{"type": "double", "name": "chance", "required": true}]'
`

/** Registers it as the next version of `name`. */
export async function bringGraph(url: string, key: string | undefined, name: string) {
  const headers = { authorization: `Bearer ${key}` }
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${text}`)
    return JSON.parse(text)
  }
  const { run } = await post('runs/create', { experiment_id: '0', start_time: 0 })
  const { run_id: id, artifact_uri: root } = run.info as { run_id: string; artifact_uri: string }
  const files = { MLmodel: mlmodel, 'model.onnx': new Uint8Array(readFileSync(tinyGraph)) }
  for (const [file, body] of Object.entries(files)) {
    const path = `${root.replace('mlflow-artifacts:/', '')}/${name}/${file}`
    const put = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/${path}`, {
      method: 'PUT',
      headers,
      body,
    })
    if (!put.ok) throw new Error(`${path}: ${await put.text()}`)
  }
  await post('registered-models/create', { name })
  await post('model-versions/create', { name, source: `runs:/${id}/${name}`, run_id: id })
}
