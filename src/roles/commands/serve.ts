// `assay serve`: one model behind the standard protocols, in a process of its own that needs no home.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { exitCodes, type ServeOptions, type Terminal } from '../../cli/index.ts'
import { startInferenceServer } from '../../server/inference/index.ts'
import {
  bodyOfFile,
  createModelHost,
  type ServedBody,
  type ServedModel,
} from '../../serving/index.ts'
import { version } from '../config.ts'
import { commandErrors } from './errors.ts'

/** SageMaker and Kubernetes kill a process 30 s after they asked it to end. */
const GRACE_MS = 25_000

export async function serve(
  named: string,
  options: ServeOptions,
  terminal: Terminal,
): Promise<number> {
  const stopped = stopSignal()
  const { err } = terminal
  const document = await documentOf(named, options)
  const models = createModelHost(async (body) => {
    const { openOutside } = await import('../outside-runtimes.ts')
    return openOutside(body, { allowPrivate: options.allowPrivate })
  })
  const { name, standing } = await models.load(document)
  if (standing.state === 'unavailable') {
    throw commandErrors.model_not_served(`${named}: ${standing.reason}`)
  }
  const server = await startInferenceServer({
    models,
    version,
    only: name,
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
  if (/^https?:\/\//.test(named)) {
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

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw commandErrors.input_unreadable(`${path}: ${(cause as Error).message}`, { cause })
  }
}

/** `http://host:8080/v2/models/churn/versions/3`. */
function remoteBody(url: string): Extract<ServedBody, { kind: 'remote' }> {
  const parts = /^(.*?)\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/?$/.exec(url)
  if (parts === null) {
    throw commandErrors.option_invalid(`${url} is no address such as http://host/v2/models/churn.`)
  }
  const [, base, model, number] = parts
  return {
    kind: 'remote',
    url: base,
    model: decodeURIComponent(model),
    ...(number !== undefined && { version: decodeURIComponent(number) }),
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
