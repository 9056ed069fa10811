// The doors of decide: decisions, events, health, metrics. Thin: parse, authorise, one call, encode.
import { isUtf8 } from 'node:buffer'
import * as http from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DecisionService, RowAnswer, StreamFigures } from '../../decisions/index.ts'
import { decisionErrors } from '../../decisions/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { AssayError, isAssayError, toProblem } from '../../lib/errors.ts'
import type { InferenceDoor } from '../inference/index.ts'
import { arrival, asRefusal, refuseEncoded, throwAway, wrongType } from '../refusals.ts'
import { createDecisionDoor, EVENT_BYTES_MAX } from './decision-door.ts'
import { doorErrors } from './errors.ts'
import { metricsType } from '../prometheus.ts'
import { metricsText } from './metrics.ts'
import type { DiskWatch } from '../disk.ts'
import type { PassOn } from './proxy.ts'
import { createSlowUploads } from './slow-uploads.ts'
import { refuseForeignHost } from './who.ts'
import type { Doorkeeper } from './who.ts'

export interface DecideAppOptions {
  readonly service: DecisionService
  readonly doorkeeper: Doorkeeper
  readonly passOn: PassOn
  /** The door of prediction; without it there is none. */
  readonly inference?: InferenceDoor | undefined
  /** Lines of `/metrics` about it. */
  readonly inferenceMetrics?: (() => readonly string[]) | undefined
  readonly streams?: (() => readonly StreamFigures[]) | undefined
  /** How fast the disk fills. */
  readonly disk?: Pick<DiskWatch, 'report'> | undefined
  /** Names this server may be called by, beside addresses and `localhost`. */
  readonly hosts: ReadonlySet<string>
  readonly onDefect: (
    error: unknown,
    request: { readonly method: string; readonly url: string },
  ) => void
}

const ROWS_BYTES_MAX = 16 * 1024 * 1024
const ROWS_MAX = 10_000

/** What the framework answers here; all else is passed on. */
const OWN = /^\/(?:api\/v1\/events\/[^/?]+\/?(?:\?|$)|health\/|metrics(?:\?|$))/

/** Builds the app; it listens on nothing yet. */
export async function createDecideApp(options: DecideAppOptions): Promise<FastifyInstance> {
  const slowUploads = createSlowUploads()
  const decisions = createDecisionDoor(options)
  const app = Fastify({
    bodyLimit: EVENT_BYTES_MAX,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    logger: false,
    frameworkErrors: (error, request, reply) => void refuse(options, error, request, reply),
    clientErrorHandler: slowUploads.refuse,
    // Requests that are passed on never enter the framework: their bodies must stay streams.
    serverFactory: (own) =>
      // A request without a host is refused below, with words.
      http.createServer({ ...arrival, requireHostHeader: false }, (request, response) => {
        if (decisions.handles(request)) return decisions.handle(request, response)
        if (OWN.test(request.url ?? '')) return own(request, response)
        if (options.inference?.handles(request.url ?? '')) {
          return forward({ ...options, passOn: options.inference.handle }, request, response)
        }
        slowUploads.watch(request)
        forward(options, request, response)
      }),
  })
  app.removeAllContentTypeParsers()
  const whole = { parseAs: 'buffer' } as const
  const types = [
    'application/json',
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
  ]
  app.addContentTypeParser(types, whole, (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => refuse(options, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const unknown = doorErrors.operation_unknown(
      `${request.method} ${request.url.slice(0, 200)} is not an operation.`,
    )
    return sendProblem(reply, unknown)
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    refuseForeignHost(request.headers.host, options.hosts)
    refuseEncoded(request)
  })
  app.addHook('preClose', async () => decisions.drain())
  registerEvents(app, options)
  registerHealth(app, options)
  return app
}

function registerEvents(app: FastifyInstance, { service, doorkeeper }: DecideAppOptions): void {
  app.post<{ Params: { source: string }; Querystring: { namespace?: string } }>(
    '/api/v1/events/:source',
    { bodyLimit: ROWS_BYTES_MAX },
    async (request) => {
      const identity = await doorkeeper.admit(request.headers, 'ingest')
      const parsed = rowsOf(request)
      const { namespace = 'live' } = request.query
      const taken = await service.ingest({
        namespace,
        source: request.params.source,
        rows: parsed.rows,
        author: identity.name,
      })
      return summary(inPlace(parsed, taken))
    },
  )
}

interface ParsedRows {
  readonly rows: unknown[]
  /** Lines that are no JSON, by their place among all rows. */
  readonly unreadable: ReadonlyMap<number, RowAnswer>
}

/** A JSON array of rows, one JSON object, or one object a line. */
function rowsOf(request: FastifyRequest): ParsedRows {
  const type = request.headers['content-type'] ?? ''
  if (!Buffer.isBuffer(request.body)) throw wrongType(type)
  if (!/^application\/json\b/i.test(type)) return linesOf(request.body)
  const body = parseStrictJson(request.body, { maxBytes: ROWS_BYTES_MAX })
  return { rows: Array.isArray(body) ? body : [body], unreadable: new Map() }
}

function linesOf(body: Buffer): ParsedRows {
  const rows: unknown[] = []
  const unreadable = new Map<number, RowAnswer>()
  const lines = splitLines(body).filter((line) => line.toString().trim() !== '')
  if (lines.length > ROWS_MAX) {
    throw decisionErrors.batch_too_large(`The request has ${lines.length} rows.`)
  }
  for (const [place, line] of lines.entries()) {
    try {
      rows.push(parseStrictJson(line, { maxBytes: EVENT_BYTES_MAX }))
    } catch (error) {
      if (!isAssayError(error)) throw error
      const { code, detail } = error
      unreadable.set(place, { status: 'refused', eventId: null, code, detail, failures: [] })
    }
  }
  return { rows, unreadable }
}

/** Lines as text; where a body is not all UTF-8, as bytes, so that only the lines at fault are refused. */
function splitLines(body: Buffer): (string | Buffer)[] {
  if (isUtf8(body)) return body.toString('utf8').split('\n')
  const lines = body.toString('latin1').split('\n')
  return lines.map((line) => Buffer.from(line, 'latin1'))
}

/** Answers in the order of the rows as they came, unreadable ones in their places. */
function inPlace({ unreadable }: ParsedRows, taken: readonly RowAnswer[]): RowAnswer[] {
  const answers: RowAnswer[] = []
  let next = 0
  for (let place = 0; place < taken.length + unreadable.size; place++) {
    answers.push(unreadable.get(place) ?? taken[next++])
  }
  return answers
}

function summary(rows: readonly RowAnswer[]) {
  const count = (status: RowAnswer['status']) => rows.filter((row) => row.status === status).length
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    refused: count('refused'),
    rows,
  }
}

function registerHealth(app: FastifyInstance, options: DecideAppOptions): void {
  const { service, streams, disk, inferenceMetrics } = options
  const loop = monitorEventLoopDelay({ resolution: 20 })
  loop.enable()
  app.addHook('onClose', async () => {
    loop.disable()
  })
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    const { ready, storage, recoveryMs } = service.status()
    if (!ready) reply.code(503).header('retry-after', '1')
    return { status: ready ? 'ready' : 'not ready', storage, recoveryMs }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.type(metricsType)
    return metricsText(service, loop, streams?.(), await disk?.report(), inferenceMetrics?.())
  })
}

function forward(
  { hosts, passOn }: DecideAppOptions,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  try {
    refuseForeignHost(request.headers.host, hosts)
  } catch (error) {
    const problem = toProblem(error)
    throwAway(request)
    response.writeHead(problem.status, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify(problem))
    return
  }
  passOn(request, response)
}

async function refuse(
  { onDefect }: DecideAppOptions,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const known = error instanceof AssayError ? error : asRefusal(error, request)
  if (known === undefined) onDefect(error, request)
  // The framework would end the connection under a client that is still sending.
  reply.removeHeader('connection')
  throwAway(request.raw)
  return sendProblem(reply, known ?? error)
}

function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error)
  const { retryAfter } = problem
  if (typeof retryAfter === 'number') reply.header('retry-after', String(retryAfter))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
