// `assay serve`: one model behind the standard protocols, in a process of its own that needs no home.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { exitCodes, type ServeOptions, type Terminal } from '../../cli/index.ts'
import { monotonicUs } from '../../lib/clock.ts'
import {
  createInferenceMeter,
  readGolden,
  startInferenceServer,
} from '../../server/inference/index.ts'
import { bodyOfFile, createModelHost, type ServedModel } from '../../serving/index.ts'
import { version } from '../config.ts'
import { commandErrors } from './errors.ts'
import { isModelUrl, remoteBody } from './remote-body.ts'

/** SageMaker and Kubernetes kill a process 30 s after they asked it to end. */
const GRACE_MS = 25_000

export async function serve(
  named: string,
  options: ServeOptions,
  terminal: Terminal,
): Promise<number> {
  const stopped = stopSignal()
  const { err } = terminal
  const document = withDevice(await documentOf(named, options), options.device)
  const models = createModelHost(async (body) => {
    const { openOutside } = await import('../outside-runtimes.ts')
    return openOutside(body, { allowPrivate: options.allowPrivate })
  })
  const golden = options.golden === undefined ? undefined : await bytesOf(options.golden)
  const { name, standing } = await models.load(
    document,
    golden && ((runtime) => readGolden(golden, runtime)),
  )
  if (standing.state === 'unavailable') {
    await models.close()
    throw commandErrors.model_not_served(`${named}: ${standing.reason}`)
  }
  const server = await startInferenceServer({
    models,
    version,
    only: name,
    meter: createInferenceMeter(monotonicUs),
    aliases: vertexRoutes(process.env),
    host: options.host,
    port: options.port,
    grpcPort: options.grpcPort,
    onDefect: (error, { method, url }) =>
      err.line(`${method} ${url}: ${error instanceof Error ? error.stack : String(error)}`),
  })
  const doors = [`${server.url}/v2/models/${encodeURIComponent(name)}`]
  if (server.grpcPort !== undefined) doors.push(`gRPC on port ${server.grpcPort}`)
  const ms = Math.round(process.uptime() * 1000)
  err.line(`${name} is ready after ${ms} ms: ${doors.join(', ')}`)
  await stopped
  await server.close(GRACE_MS)
  await models.close()
  return exitCodes.ok
}

/** What the argument names. Errors: `option_invalid`, `input_unreadable`, those of the file. */
async function documentOf(named: string, options: ServeOptions): Promise<ServedModel> {
  const { modelName } = options
  if (isModelUrl(named)) {
    const body = remoteBody(named)
    return { format: 1, name: modelName ?? body.model, version: body.version ?? '1', body }
  }
  if (existsSync(named)) {
    const name = modelName ?? basename(named, extname(named))
    return { format: 1, name, version: '1', body: bodyOfFile(await bytesOf(named)) }
  }
  if (!/.@./.test(named)) {
    throw commandErrors.input_unreadable(`There is no file ${named}; a version is NAME@VERSION.`)
  }
  const { servedVersion } = await import('./serve-version.ts')
  const document = await servedVersion(named, options.home)
  return { ...document, name: modelName ?? document.name }
}

/** Error: `option_invalid` where ONNX Runtime does not compute the model. */
function withDevice(document: ServedModel, device: string | undefined): ServedModel {
  const { body } = document
  if (device === undefined) return document
  if (body.kind === 'onnx') return { ...document, body: { ...body, device } }
  throw commandErrors.option_invalid(
    'Only graphs that ONNX Runtime computes take --device: the engine computes this model on the processor, or another server does as it likes.',
  )
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw commandErrors.input_unreadable(`${path}: ${(cause as Error).message}`, { cause })
  }
}

/** Vertex AI tells a container under which paths it asks. */
function vertexRoutes(env: NodeJS.ProcessEnv): Map<string, '/ping' | '/invocations'> {
  const routes = new Map<string, '/ping' | '/invocations'>()
  const { AIP_HEALTH_ROUTE: health, AIP_PREDICT_ROUTE: predict } = env
  if (health?.startsWith('/')) routes.set(health, '/ping')
  if (predict?.startsWith('/')) routes.set(predict, '/invocations')
  return routes
}

function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop())
  })
}
