// MLflow's own Python client, unmodified, against a whole server: two variables and a script that a
// data scientist might have written. What it does is in mlflow_client.py.
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { join } from 'node:path'
import { repositoryRoot } from '../source-text.ts'
import { startServer, temporaryDirectory, tinyProject, type TestServer } from '../system/server.ts'
import { needs, toolPath } from '../tools.ts'

const hasMlflow = needs('mlflow')
const script = join(repositoryRoot, 'test/interop/mlflow_client.py')

let server: TestServer
beforeAll(async () => {
  if (hasMlflow) {
    server = await startServer({ home: temporaryDirectory('mlflow'), project: tinyProject })
  }
}, 120_000)
afterAll(() => server?.stop())

/** Runs parts of the session; resolves with its exit code and the end of what it printed. */
async function session(parts: readonly string[], environment: Record<string, string>) {
  const folder = temporaryDirectory('mlflow-session')
  const child = spawn(toolPath('mlflow'), [script, server.url, ...parts], {
    cwd: folder,
    env: { ...process.env, HOME: folder, OMP_NUM_THREADS: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, printed: printed.slice(-4000) }
}

const token = () => ({ MLFLOW_TRACKING_TOKEN: server.key! })

test.skipIf(!hasMlflow).each([
  ['logs, nests, searches, pages, deletes, restores and copies runs', 'tracking'],
  ['logs files and folders, and gets them back byte for byte', 'artifacts'],
  ['trains a model, logs, registers and aliases it, and loads it back', 'models'],
  ['follows scikit-learn by itself', 'autolog_sklearn'],
  ['follows XGBoost by itself', 'autolog_xgboost'],
  ['follows LightGBM by itself', 'autolog_lightgbm'],
])('the client %s', { timeout: 240_000 }, async (_, part) => {
  const { code, printed } = await session([part], token())
  expect(code, printed).toBe(0)
  expect(printed).toContain(`ok ${part}`)
})

test.skipIf(!hasMlflow)(
  'a user name with a key as password does as well as a token, and a wrong key does not',
  { timeout: 240_000 },
  async () => {
    const basic = { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: server.key! }
    const { code, printed } = await session(['datasets'], basic)
    expect(code, printed).toBe(0)
    const wrong = await session(['datasets'], { MLFLOW_TRACKING_TOKEN: `ak_${'x'.repeat(43)}` })
    expect(wrong.code).not.toBe(0)
    expect(wrong.printed).toContain('UNAUTHENTICATED')
  },
)
