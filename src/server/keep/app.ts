// The app of `keep`: sign-in, the page's files, and every operation of the contract, registered
// from its one table. Routes are thin; views make the answers.
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import fastifyStatic from '@fastify/static'
import type { TSchema } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  requireMay,
  sessionCookie,
  sessionOf,
  sessionLifetimeUs,
  type Access,
  type Action,
  type Identity,
} from '../../access/index.ts'
import type { Arrivals } from '../../decisions/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { AssayError, toProblem } from '../../lib/errors.ts'
import {
  routes,
  uploadTypes,
  type OperationName,
  type Route,
  type Session,
} from '../contract/index.ts'
import {
  isMlflowPath,
  refuseMlflow,
  registerMlflow,
  type MlflowDoorOptions,
} from '../mlflow/index.ts'
import type { OpenedFile } from '../../tracking/index.ts'
import { asRefusal, refuseEncoded, throwAway } from '../refusals.ts'
import { readAddress } from './address-values.ts'
import { duties } from './duties.ts'
import { serverErrors } from './errors.ts'
import { exportRows, type ParquetWriter } from './export.ts'
import { createFollowing, type Follower } from './follow.ts'
import { FileAnswer, type Call, type Handlers, type TableCall, type Upload } from './handlers.ts'
import { openApi } from './openapi.ts'

export interface KeepAppOptions {
  readonly access: Access
  readonly handlers: Handlers
  /** Who is asking and which bank this is; `identity` is undefined before sign-in. */
  readonly session: (identity: Identity | undefined) => Promise<Session>
  /** Folder of the built page; where it is missing the page says how to build it. */
  readonly pageDirectory: string
  readonly version: string
  readonly parquet: ParquetWriter
  /** What those wait for who follow what happens. */
  readonly arrivals: Pick<Arrivals, 'moves' | 'wait'>
  /** Opens MLflow's door over these rooms. */
  readonly mlflow?: Pick<MlflowDoorOptions, 'rooms' | 'openTo'>
  readonly artifact: (runId: string, name: string) => Promise<OpenedFile>
  readonly onDefect: (error: unknown, request: { method: string; url: string }) => void
}

const BODY_BYTES_MAX = 4 * 1024 * 1024
const TABLE_BYTES_MAX = 16 * 1024 * 1024

/** Builds the app; it listens on nothing yet. */
export async function createKeepApp(options: KeepAppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: 1000 },
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: true,
        allowUnionTypes: true,
      },
    },
    logger: false,
    frameworkErrors: (error, request, reply) => void refuse(options, error, request, reply),
  })
  // One strict reader of JSON for both doors: what two readers may understand differently is refused.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) =>
      parseStrictJson(body, { maxBytes: BODY_BYTES_MAX }),
  )
  app.setErrorHandler((error, request, reply) => refuse(options, error, request, reply))
  app.addHook('onRequest', async (request) => refuseEncoded(request))
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
  })
  registerSession(app, options)
  registerOperations(app, options, (route) => !route.table && !route.upload)
  await app.register(async (tables) => {
    registerTables(tables)
    registerOperations(tables, options, (route) => route.table === true)
  })
  await app.register(async (uploads) => {
    registerUploads(uploads)
    registerOperations(uploads, options, (route) => route.upload === true)
  })
  app.get<{ Params: { runId: string; name: string } }>(
    '/api/v1/runs/:runId/artifacts/:name',
    async (request, reply) => {
      await requireIdentity(options.access, request, 'read')
      const { runId, name } = request.params
      const { contentType, size, stream } = await options.artifact(runId, name)
      const fileName = name.slice(name.lastIndexOf('/') + 1)
      reply.header('content-disposition', `attachment; filename="${encodeURIComponent(fileName)}"`)
      reply.header('content-length', String(size))
      return reply.type(contentType).send(Readable.from(stream))
    },
  )
  if (options.mlflow) await registerMlflow(app, { ...options, ...options.mlflow })
  app.get('/api/v1/openapi.json', async () => openApi(options.version))
  await registerPage(app, options.pageDirectory)
  return app
}

function registerSession(app: FastifyInstance, { access, session }: KeepAppOptions): void {
  app.get('/api/v1/session', async (request) => session(await whoAsks(access, request)))
  app.post<{ Body: { key: string } }>(
    '/api/v1/session',
    { schema: { body: routes.find((route) => route.name === 'signIn')?.body } },
    async (request, reply) => {
      requireSameOrigin(request)
      const signedIn = await access.signIn(request.body.key.trim())
      setCookie(reply, signedIn.session)
      return session(signedIn.identity)
    },
  )
  app.delete('/api/v1/session', async (request, reply) => {
    requireSameOrigin(request)
    const cookie = sessionOf(request.headers.cookie)
    if (cookie !== undefined) await access.signOut(cookie)
    setCookie(reply, '')
    return { sentence: 'You are signed out.' }
  })
  // A link from the terminal. It is used up by opening it, so a wrong one leads to the sign-in screen,
  // and looking at it with HEAD, as programs do that check links, must not be opening it.
  const once = { exposeHeadRoute: false }
  app.get<{ Querystring: { token?: string } }>('/sign-in', once, async (request, reply) => {
    const { token } = request.query
    if (token === undefined) return sendPage(reply)
    try {
      const signedIn = await access.signIn(token)
      setCookie(reply, signedIn.session)
      return reply.redirect('/', 303)
    } catch (error) {
      if (error instanceof AssayError) return reply.redirect('/sign-in?expired=1', 303)
      throw error
    }
  })
}

/** Within this scope bodies may be tables, which are longer than what people type. */
function registerTables(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: TABLE_BYTES_MAX },
    async (_request: FastifyRequest, body: Buffer) =>
      parseStrictJson(body, { maxBytes: TABLE_BYTES_MAX }),
  )
  app.addContentTypeParser(
    Object.keys(tableForms),
    { parseAs: 'buffer', bodyLimit: TABLE_BYTES_MAX },
    async (_request: FastifyRequest, body: Buffer) => body,
  )
}

/** Within this scope bodies are files of any size, handed on as they come and never held whole. */
function registerUploads(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    [...uploadTypes],
    async (_request: FastifyRequest, payload: IncomingMessage) => payload,
  )
}

function uploadOf({ body, headers }: FastifyRequest): Upload {
  const length = headers['content-length']
  return {
    stream: body as IncomingMessage,
    bytes: length === undefined ? undefined : Number(length),
  }
}

/** Media types of tables. The second of Parquet is what clients send that know no better. */
const tableForms: Readonly<Record<string, 'csv' | 'parquet'>> = {
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
  'application/octet-stream': 'parquet',
}

function tableOf(request: FastifyRequest): TableCall {
  const accepted = request.headers.accept ?? '*/*'
  const wantsJson = accepted.includes('application/json') && !accepted.includes('parquet')
  const type = mediaType(request)
  const form = tableForms[type]
  return {
    body: form === undefined ? undefined : { form, bytes: request.body as Buffer },
    as: wantsJson ? 'json' : 'parquet',
  }
}

function mediaType({ headers }: FastifyRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()
}

function registerOperations(
  app: FastifyInstance,
  options: KeepAppOptions,
  isOurs: (route: Route) => boolean,
): void {
  const identities = new WeakMap<FastifyRequest, Identity>()
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())
  const follow = createFollowing({ ...options, stopping: stopping.signal })
  for (const route of routes) {
    if (route.by === 'decide' || route.open || !isOurs(route)) continue
    const handler = options.handlers[route.name as keyof Handlers] as (
      call: Call<OperationName>,
    ) => Promise<unknown>
    const duty = duties[route.name as keyof Handlers]
    app.route({
      method: route.method,
      url: route.path,
      schema: requestSchema(route),
      // Before anything of the request is read: who may not ask learns nothing of its form.
      onRequest: async (request) => {
        identities.set(request, await requireIdentity(options.access, request, duty))
        if (route.method !== 'GET' && sessionOf(request.headers.cookie) !== undefined)
          requireSameOrigin(request)
      },
      preValidation: async (request) => {
        refuseUnknownQuery(route, request)
        readAddress(request.query as object, route.query)
        readAddress(request.params as object, route.params)
      },
      handler: async (request, reply) => {
        const call = {
          params: request.params,
          query: request.query,
          body: request.body,
          identity: identities.get(request),
          ...(route.table && { table: tableOf(request) }),
          ...(route.upload && { upload: uploadOf(request) }),
        } as Call<OperationName>
        const format = (request.query as { format?: string } | undefined)?.format
        if (route.exports && (format === 'csv' || format === 'parquet')) {
          const { name, response } = route
          const { parquet } = options
          return exportRows({ reply, name, response, format, call, handler, parquet })
        }
        if (route.follows && (request.headers.accept ?? '').includes('text/event-stream')) {
          const ask = (after: string | undefined) =>
            handler({ ...call, query: { ...(request.query as object), after } } as never)
          const stillMay = () => requireIdentity(options.access, request, duty)
          return follow({ request, reply, ask: ask as Follower['ask'], stillMay })
        }
        const answer = await handler(call)
        return answer instanceof FileAnswer ? sendFile(reply, answer) : answer
      },
    })
  }
}

function sendFile(reply: FastifyReply, { type, bytes, headers }: FileAnswer): FastifyReply {
  return reply.headers(headers).type(type).send(Buffer.from(bytes))
}

function requestSchema({ params, query, body, table, upload }: Route): Record<string, unknown> {
  return {
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && !upload && { body: table ? { content: tableSchemas(body) } : body }),
  }
}

/** A filter or an order that is misspelt would give a list of something else. */
function refuseUnknownQuery({ query }: Route, request: FastifyRequest): void {
  const known = Object.keys((query?.['properties'] as object | undefined) ?? {})
  const unknown = Object.keys(request.query as object).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const offered = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`
  throw serverErrors.request_invalid(
    `There is no query parameter ${unknown
      .slice(0, 5)
      .map((name) => `"${name.slice(0, 40)}"`)
      .join(', ')} at this address; ${offered}.`,
  )
}

/** Only JSON has a form that the contract describes; other tables are read row by row. */
function tableSchemas(json: TSchema): Record<string, { schema: object }> {
  const others = Object.keys(tableForms).map((type) => [type, { schema: {} }])
  return { 'application/json': { schema: json }, ...Object.fromEntries(others) }
}

async function registerPage(app: FastifyInstance, directory: string): Promise<void> {
  const built = existsSync(directory)
  if (built) {
    await app.register(fastifyStatic, {
      root: directory,
      // Built files carry the hash of their content in their name; the page that names them does not.
      setHeaders: (response, path) => {
        const lasting = path.includes('assets')
        response.header(
          'cache-control',
          lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
        )
        if (path.endsWith('.html')) setPagePolicy((name, value) => response.header(name, value))
      },
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === 'GET' && !request.url.startsWith('/api/')
    if (wantsPage && built) return sendPage(reply)
    if (!wantsPage) return sendProblem(reply, nothingAt(request))
    const detail = 'The page was not built. Run `npm run build:web` and start again.'
    return sendProblem(reply, serverErrors.not_found(detail))
  })
}

// Every address of the page is the same document; the page's router shows the right screen.
function sendPage(reply: FastifyReply): FastifyReply {
  setPagePolicy((name, value) => reply.header(name, value))
  return reply.sendFile('index.html')
}

function setPagePolicy(set: (name: string, value: string) => void): void {
  set(
    'content-security-policy',
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  )
  set('x-frame-options', 'DENY')
}

function whoAsks(access: Access, request: FastifyRequest): Promise<Identity | undefined> {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  return access.authenticate({
    bearer,
    session: bearer === undefined ? sessionOf(request.headers.cookie) : undefined,
  })
}

async function requireIdentity(
  access: Access,
  request: FastifyRequest,
  action: Action,
): Promise<Identity> {
  const identity = await whoAsks(access, request)
  if (identity === undefined) {
    throw serverErrors.not_signed_in(
      `${request.method} ${request.url.slice(0, 200)} needs a session or a key.`,
    )
  }
  return requireMay(identity, action)
}

function setCookie(reply: FastifyReply, value: string): void {
  const seconds = value === '' ? 0 : sessionLifetimeUs / 1_000_000
  reply.header(
    'set-cookie',
    `${sessionCookie}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`,
  )
}

// A browser names the origin of every request that changes something; only our own may.
function requireSameOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers
  if (origin === undefined) return
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw serverErrors.origin_refused(`The request was sent from ${origin}.`)
  }
}

async function refuse(
  { onDefect }: KeepAppOptions,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (isMlflowPath(request.url)) return refuseMlflow({ onDefect }, error, request, reply)
  const known = asAssayError(error, request)
  if (known === undefined) onDefect(error, request)
  // The framework would end the connection under a client that is still sending.
  reply.removeHeader('connection')
  throwAway(request.raw)
  return sendProblem(reply, known ?? error)
}

function asAssayError(error: unknown, request: FastifyRequest): AssayError | undefined {
  if (error instanceof AssayError) return error
  const {
    validation,
    statusCode,
    message = '',
  } = error as {
    validation?: readonly Violation[]
    message?: string
    statusCode?: number
  }
  if (validation !== undefined) return serverErrors.request_invalid(sentenceOf(message, validation))
  // The page's files are not there, or lie outside their folder, which is the same to the outside.
  if (statusCode === 403 || statusCode === 404) return nothingAt(request)
  return asRefusal(error, request)
}

/** What the validator of requests found, as far as it is told. */
interface Violation {
  readonly params?: { readonly allowedValues?: readonly unknown[] }
}

/** The validator's own words, and the values that it speaks of without naming them. */
function sentenceOf(message: string, violations: readonly Violation[]): string {
  const allowed = violations[0]?.params?.allowedValues
  return allowed === undefined ? message : `${message}: ${allowed.join(', ')}`
}

function nothingAt({ method, url }: FastifyRequest): AssayError {
  return serverErrors.not_found(`${method} ${url.slice(0, 200)} is not an operation of this API.`)
}

function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error)
  const { retryAfter } = problem as { retryAfter?: unknown }
  if (typeof retryAfter === 'number') reply.header('retry-after', String(retryAfter))
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
