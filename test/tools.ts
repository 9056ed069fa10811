// Tools that some tests need and a plain checkout does not have. A test that misses one is skipped
// and says in one line what to install; where ASSAY_REQUIRE lists the tool (as .ci/run does for
// those that it could install), missing it is a failure instead.
//
//   test.skipIf(!needs('chromium'))('the page shows a decision', async () => { … })
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { repositoryRoot } from './source-text.ts'

export type Tool =
  | 'chromium'
  | 'inference-clients'
  | 'mlflow'
  | 'openssl'
  | 'python'
  | 'redis'
  | 'registry'
  | 'shared-data'
  | 'sklearn-onnx'
  | 'tree-libraries'

interface ToolSearch {
  /** Path of the tool; undefined where it is missing. */
  readonly find: () => string | undefined
  readonly install: string
}

const sharedFolder = join(dirname(repositoryRoot), 'shared', 'data')

const tools: Readonly<Record<Tool, ToolSearch>> = {
  chromium: {
    find: () =>
      process.env.ASSAY_CHROMIUM ??
      onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'),
    install:
      'install Chromium (Debian: apt-get install chromium) or set ASSAY_CHROMIUM to its path',
  },
  'inference-clients': {
    find: () => pythonWith(process.env.ASSAY_CLIENTS_PYTHON, ['tritonclient', 'grpc', 'kserve']),
    install:
      'install Python 3 with the clients of the Open Inference Protocol in an environment of their own ' +
      '(pip install "tritonclient[http,grpc]" kserve) and set ASSAY_CLIENTS_PYTHON to its interpreter',
  },
  mlflow: {
    find: findMlflow,
    install:
      "install Python 3 with MLflow's client (bench/peers/install.sh) " +
      'or set ASSAY_PYTHON to such an interpreter',
  },
  openssl: {
    find: () => onPath('openssl'),
    install: 'install OpenSSL (Debian: apt-get install openssl)',
  },
  python: {
    find: findPython,
    install:
      'install Python 3 with what tests use of it ' +
      '(pip install scikit-learn pandas pyarrow requests) ' +
      'or set ASSAY_PYTHON to such an interpreter',
  },
  redis: {
    find: () => process.env.ASSAY_REDIS_SERVER ?? onPath('redis-server', 'valkey-server'),
    install:
      'install a Redis server (Debian: apt-get install redis-server) or set ASSAY_REDIS_SERVER ' +
      'to the path of redis-server or valkey-server',
  },
  registry: {
    find: findRegistry,
    install: 'connect to an npm registry, or fill its cache by `npm ci`',
  },
  'shared-data': {
    find: () => (existsSync(sharedFolder) ? sharedFolder : undefined),
    install: 'put the public data sets into ../shared/data beside the repository',
  },
  'sklearn-onnx': {
    find: () => peersWith('sklearn, skl2onnx'),
    install:
      'install Python 3 with scikit-learn and skl2onnx (bench/peers/install.sh) ' +
      'or set ASSAY_PYTHON to such an interpreter',
  },
  'tree-libraries': {
    find: () => peersWith('xgboost, lightgbm, onnxruntime'),
    install:
      'install Python 3 with XGBoost, LightGBM and ONNX Runtime (bench/peers/install.sh) ' +
      'or set ASSAY_PYTHON to such an interpreter',
  },
}

const found = new Map<Tool, string | undefined>()

/** Whether the tool is there. Says once what to install; throws where the tool is required. */
export function needs(tool: Tool): boolean {
  if (!found.has(tool)) found.set(tool, look(tool))
  return found.get(tool) !== undefined
}

/** Path of a tool that `needs` has found. */
export function toolPath(tool: Tool): string {
  if (!needs(tool)) throw new Error(`${tool} is missing: ask needs('${tool}') first`)
  return found.get(tool)!
}

/** Path of a file among the shared data sets; ask `needs('shared-data')` first. */
export function sharedData(...parts: string[]): string {
  return join(toolPath('shared-data'), ...parts)
}

function look(tool: Tool): string | undefined {
  const path = tools[tool].find()
  if (path !== undefined) return path
  const message = `${tool} is missing, tests that need it are skipped: ${tools[tool].install}`
  if (required().includes(tool)) throw new Error(`${message} (ASSAY_REQUIRE lists it)`)
  process.stderr.write(`${message}\n`)
  return undefined
}

function required(): string[] {
  return (process.env.ASSAY_REQUIRE ?? '').split(',').map((name) => name.trim())
}

function findPython(): string | undefined {
  const interpreter = process.env.ASSAY_PYTHON ?? onPath('python3', 'python')
  if (interpreter === undefined) return undefined
  const probe = spawnSync(interpreter, ['-c', 'import sklearn, numpy, pandas, pyarrow, requests'], {
    timeout: 60_000,
  })
  return probe.status === 0 ? interpreter : undefined
}

/** The interpreter of bench/peers/install.sh, or another one. */
function peersPython(): string | undefined {
  const own = join(repositoryRoot, 'bench/.venv/bin/python')
  return process.env.ASSAY_PYTHON ?? (existsSync(own) ? own : onPath('python3'))
}

function peersWith(modules: string): string | undefined {
  const interpreter = peersPython()
  if (interpreter === undefined) return undefined
  const probe = spawnSync(interpreter, ['-c', `import ${modules}`], { timeout: 60_000 })
  return probe.status === 0 ? interpreter : undefined
}

function findMlflow(): string | undefined {
  return pythonWith(peersPython(), ['mlflow', 'sklearn', 'xgboost', 'lightgbm', 'matplotlib'])
}

/** The modules are looked for only, because importing them takes seconds. */
function pythonWith(interpreter: string | undefined, modules: string[]): string | undefined {
  if (interpreter === undefined) return undefined
  const list = JSON.stringify(modules)
  const look = `import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, ${list})))`
  const probe = spawnSync(interpreter, ['-c', look], { timeout: 60_000 })
  return probe.status === 0 ? interpreter : undefined
}

/** One package that is surely asked for later tells whether npm can install anything at all. */
function findRegistry(): string | undefined {
  const probe = spawnSync('npm', ['view', 'commander', 'version', '--prefer-offline'], {
    timeout: 60_000,
  })
  return probe.status === 0 ? 'npm' : undefined
}

function onPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  for (const name of names) {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable)
    if (path !== undefined) return path
  }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
