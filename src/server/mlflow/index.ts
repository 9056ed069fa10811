// MLflow's door: its REST protocol over our rooms, so that its client works unmodified. It only
// translates: read leniently, one call into a room, encode. What an endpoint is stands in endpoint.ts;
// the endpoints stand in tables, one file a subject. Always: a client's mistake is a 4xx of the form
// {"error_code", "message"}, every body is bounded, and nobody unknown gets further than the version,
// but for an ephemeral start, which lets in whoever is on the machine.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Identity } from '../../access/index.ts'
import { AssayError, isAssayError } from '../../lib/errors.ts'
import { asRefusal, throwAway } from '../refusals.ts'
import { ensureDefaultExperiment } from './default-experiment.ts'
import { createArriving, type Arriving } from './arriving.ts'
import { registerArtifactRoutes } from './artifact-routes.ts'
import { StreamAnswer, type Endpoint } from './endpoint.ts'
import { mlflowErrors, refusalOf } from './errors.ts'
import { bodyBytesMax, emulatedVersion } from './limits.ts'
import { parseFields, readJsonObject, readQuery } from './parse.ts'
import type { MlflowDoorOptions } from './rooms.ts'
import { endpoints } from './tables.ts'
import { whoMay } from './who.ts'

export type { MlflowDoorOptions, MlflowRooms } from './rooms.ts'

/** The SDK's prefix and the UI's; below 3.0 nothing is served, and said so in MLflow's form. */
const prefixes = ['/api/2.0', '/ajax-api/2.0']
const emptyPrefixes = ['/api/3.0', '/ajax-api/3.0']

/** Whether an address is behind this door, so that refusals there have MLflow's form. */
export function isMlflowPath(url: string): boolean {
  return /^\/(?:ajax-)?api\/[23]\.0(?:[/?]|$)/.test(url)
}

/** Adds the door to an app whose own routes and hooks it leaves alone. */
export async function registerMlflow(
  app: FastifyInstance,
  options: MlflowDoorOptions,
): Promise<void> {
  app.get('/health', async (_request, reply) => reply.type('text/plain').send('OK'))
  app.get('/version', async (_request, reply) => reply.type('text/plain').send(emulatedVersion))
  const arriving = createArriving()
  for (const prefix of prefixes) {
    await app.register(async (door) => registerEndpoints(door, options, arriving), { prefix })
  }
  await registerArtifactRoutes(app, { ...options, arriving }, (error, request, reply) =>
    refuseMlflow(options, error, request, reply),
  )
  for (const prefix of emptyPrefixes) {
    await app.register(async (door) => registerRefusals(door, options), { prefix })
  }
}

async function registerEndpoints(
  door: FastifyInstance,
  options: MlflowDoorOptions,
  arriving: Arriving,
): Promise<void> {
  registerRefusals(door, options)
  door.removeAllContentTypeParsers()
  door.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (_: FastifyRequest, body: Buffer) => body,
  )
  for (const endpoint of endpoints) {
    if (endpoint.body !== 'stream') registerEndpoint(door, endpoint, options, arriving)
  }
  await door.register(async (streams) => {
    streams.removeAllContentTypeParsers()
    streams.addContentTypeParser('*', async (_: FastifyRequest, body: IncomingMessage) => body)
    for (const endpoint of endpoints) {
      if (endpoint.body === 'stream') registerEndpoint(streams, endpoint, options, arriving)
    }
  })
}

function registerEndpoint(
  door: FastifyInstance,
  endpoint: Endpoint,
  options: MlflowDoorOptions,
  arriving: Arriving,
): void {
  const identities = new WeakMap<FastifyRequest, Identity>()
  const { method, path, action } = endpoint
  const rest = /\*(\w+)$/.exec(path)?.[1]
  const reason = `Asked for by an MLflow client: ${method} ${path.replace(/^\/mlflow\//, '')}`
  door.route({
    method,
    url: path.replace(/\*\w+$/, '*'),
    ...(endpoint.body !== 'stream' && { bodyLimit: endpoint.bodyBytesMax ?? bodyBytesMax }),
    // Before the body is read: who may not ask costs nothing.
    onRequest: async (request) => {
      identities.set(request, await whoMay(options, request, action))
    },
    handler: async (request, reply) => {
      const identity = identities.get(request)!
      const isStream = endpoint.body === 'stream'
      await ensureDefaultExperiment(options.rooms)
      const handle = () =>
        endpoint.handle({
          request: parsed(request, endpoint, rest),
          rooms: options.rooms,
          identity,
          by: { actor: identity, reason },
          stream: isStream
            ? ((request.body as Readable | undefined) ?? Readable.from([]))
            : undefined,
          headers: request.headers,
        })
      const answer = await (isStream ? arriving.during(identity.id, handle) : handle())
      if (!(answer instanceof StreamAnswer)) return answer
      return reply.headers(answer.headers).send(Readable.from(answer.stream))
    },
  })
}

/** The fields; a refusal quotes the numbers of a body as they were sent. */
function parsed(request: FastifyRequest, endpoint: Endpoint, rest: string | undefined) {
  const parse = (options?: { readonly ownNumbers: boolean }) => {
    const source = { ...sourceOf(request, endpoint, options), ...paramsOf(request, rest) }
    return parseFields(endpoint.fields, source, { fromQuery: endpoint.method === 'GET' })
  }
  try {
    return parse()
  } catch (error) {
    const { body } = request
    if (!Buffer.isBuffer(body) || body.length > bodyBytesMax) throw error
    try {
      return parse({ ownNumbers: true })
    } catch (quoted) {
      // What is nested too deep to be read so is told as it was.
      throw isAssayError(quoted, 'mlflow_request_invalid') ? quoted : error
    }
  }
}

function paramsOf(request: FastifyRequest, rest: string | undefined): Record<string, unknown> {
  const { '*': tail, ...params } = request.params as Record<string, string>
  return rest === undefined ? params : { ...params, [rest]: tail }
}

function sourceOf(
  request: FastifyRequest,
  { fields, body }: Endpoint,
  options?: { readonly ownNumbers: boolean },
): Record<string, unknown> {
  const query = readQuery(request.query as Record<string, unknown>, fields)
  const hasBody = body !== 'stream' && request.method !== 'GET'
  if (!hasBody) return query
  requireJson(request)
  const read = Buffer.isBuffer(request.body) ? readJsonObject(request.body, options) : {}
  return request.method === 'DELETE' ? { ...query, ...read } : read
}

// As MLflow's server does: of POST and PUT alone.
function requireJson({ method, headers }: FastifyRequest): void {
  if (method !== 'POST' && method !== 'PUT') return
  const type = headers['content-type']
  if (type === undefined) {
    throw mlflowErrors.mlflow_request_invalid('Bad Request. Content-Type header is missing.')
  }
  if (type.split(';', 1)[0].trim().toLowerCase() !== 'application/json') {
    throw mlflowErrors.mlflow_request_invalid(
      "Bad Request. Content-Type must be one of ['application/json'].",
    )
  }
}

function registerRefusals(door: FastifyInstance, options: MlflowDoorOptions): void {
  door.setErrorHandler((error, request, reply) => refuseMlflow(options, error, request, reply))
  door.setNotFoundHandler((request, reply) => sendRefusal(reply, unknownEndpoint(request)))
}

/** Answers a failure in MLflow's form; a defect is reported and gives nothing away. */
export async function refuseMlflow(
  { onDefect }: Pick<MlflowDoorOptions, 'onDefect'>,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const known = error instanceof AssayError ? error : asRefusal(error, request)
  // Who hung up while a file arrived made no defect of ours.
  const hungUp = request.raw.destroyed && isCode(error, 'ECONNRESET')
  if (known === undefined && !hungUp) onDefect(error, request)
  // The framework would end the connection under a client that is still sending.
  reply.removeHeader('connection')
  throwAway(request.raw)
  return sendRefusal(reply, known ?? error)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function unknownEndpoint({ method, url }: FastifyRequest): AssayError {
  return mlflowErrors.mlflow_endpoint_unknown(
    `${method} ${url.slice(0, 200)} is not an endpoint of this server.`,
  )
}

function sendRefusal(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, body, retryAfterS } = refusalOf(error)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
  return reply.code(status).type('application/json').send(JSON.stringify(body))
}
