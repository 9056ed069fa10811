// The decide process: opens what it owns, serves the port and the local socket, drains at the end.
import { promises as fs } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import * as path from 'node:path'
import {
  consumeStream,
  createStreamShare,
  decideRemote,
  directoryDeployments,
  openDecisionService,
} from '../../decisions/index.ts'
import type {
  DecisionIndex,
  DecisionService,
  MessageLog,
  OnlineStore,
  OutsideModels,
  RunningStream,
  StateMemory,
} from '../../decisions/index.ts'
import { monotonicUs, systemClock } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import { serveRpc } from '../../lib/rpc.ts'
import type { Home } from '../../projects/index.ts'
import type { ModelHost } from '../../serving/index.ts'
import { createInferenceDoor, createInferenceMeter, openGrpc } from '../inference/index.ts'
import { createDiskWatch } from '../disk.ts'
import { createDecideApp, type DecideAppOptions } from './app.ts'
import { doorErrors } from './errors.ts'
import { createPassOn } from './proxy.ts'
import { createDoorkeeper } from './who.ts'

export interface DecideLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface StartDecideOptions {
  readonly home: Pick<Home, 'decide' | 'published' | 'socket'> &
    Partial<Pick<Home, 'checkpoints' | 'database'>>
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Names, beside addresses, `localhost` and `host`, by which this server may be called. */
  readonly allowedHosts?: readonly string[]
  readonly openIndex: (directory: string) => Promise<DecisionIndex>
  readonly stateMemory?: StateMemory | undefined
  readonly online?: OnlineStore | undefined
  /** Topics on whose messages a policy decides, and the log that they come by. */
  readonly streams?: StreamSettings | undefined
  readonly log: DecideLog
  /** Called when the journal failed for good: the process must end and be started again. */
  readonly onFatal: (error: Error) => void
  readonly clock?: Clock
  /** Asks models that are computed elsewhere for the policies that decide by one. */
  readonly outsideModels?: OutsideModels | undefined
  /** The models behind the door of prediction, and the version of Assay that it tells. */
  readonly inference?: {
    readonly models: ModelHost
    readonly version: string
    /** Absent: no gRPC door. */
    readonly grpcPort?: number | undefined
  }
  /** Resolves when the model of a document, which decisions are to ask, is ready. */
  readonly modelReady?: ModelsRemote['ready']
  readonly inFlightMax?: number
  readonly checkpointEvery?: number
  readonly segmentBytes?: number
}

export interface StreamSettings {
  readonly log: MessageLog
  readonly policies: readonly { readonly topic: string; readonly policy: string }[]
}

/** What the process that keeps asks of the models here. */
export interface ModelsRemote {
  /** Errors: `served_model_unknown`, `served_model_unready`. */
  ready(document: string): Promise<void>
}

export interface RunningDecide {
  readonly url: string
  readonly port: number
  readonly service: DecisionService
  /** Stops listening, answers what is on its way, writes checkpoints, closes. */
  close(): Promise<void>
}

/** Of the requests that may be under way, those that messages of topics may be. */
const STREAMS_SHARE = 1 / 4

/** Where keep publishes deployment documents, and decide finds them. */
export function deploymentsDirectory(home: Pick<Home, 'published'>): string {
  return path.join(home.published, 'deployments')
}

/** Starts the process's work. Errors: `port_in_use`, `address_unavailable`, `socket_in_use`. */
export async function startDecide(options: StartDecideOptions): Promise<RunningDecide> {
  const { home, log, clock = systemClock } = options
  const service = await openDecisionService({
    directory: home.decide,
    files: nodeFiles,
    clock,
    deployments: directoryDeployments(deploymentsDirectory(home)),
    openIndex: options.openIndex,
    stateMemory: options.stateMemory,
    bases: home.checkpoints,
    online: options.online,
    outsideModels: options.outsideModels,
    removeDirectory: (directory) => fs.rm(directory, { recursive: true, force: true }),
    inFlightMax: options.inFlightMax,
    checkpointEvery: options.checkpointEvery,
    segmentBytes: options.segmentBytes,
    onFatal: options.onFatal,
    onWarning: (message, error) => log.warn({ error: String(error) }, message),
  })
  await service.openNamespace('live', 'wall')
  const doorkeeper = await createDoorkeeper(path.join(home.published, 'access.json'), clock)
  const { passOn, close: closePassOn } = createPassOn(home.socket('page'))
  const onDefect: DecideAppOptions['onDefect'] = (error, { method, url }) =>
    log.error(
      { method, url, error: error instanceof Error ? error.stack : String(error) },
      'A request failed',
    )
  const meter = createInferenceMeter(monotonicUs)
  const prediction = options.inference && {
    ...options.inference,
    meter,
    admit: (headers: IncomingHttpHeaders) => doorkeeper.admit(headers, 'decide'),
    onDefect,
  }
  const inference = prediction && createInferenceDoor(prediction)
  const disk = createDiskWatch({
    decide: home.decide,
    database: home.database,
    decisions: () => service.status().namespaces.reduce((sum, each) => sum + each.decisions, 0),
    clock,
  })
  const streams: RunningStream[] = []
  const app = await createDecideApp({
    service,
    doorkeeper,
    passOn,
    inference,
    inferenceMetrics: prediction && (() => meter.lines(prediction.models)),
    streams: () => streams.map((stream) => stream.figures()),
    disk,
    hosts: new Set(
      [options.host, ...(options.allowedHosts ?? [])].map((host) => host.toLowerCase()),
    ),
    onDefect,
  })
  const share = createStreamShare(Math.ceil(service.status().inFlightMax * STREAMS_SHARE))
  for (const { topic, policy } of options.streams?.policies ?? []) {
    const stream = { namespace: 'live', topic, policy }
    const onWarning = (message: string, error: unknown) =>
      log.warn({ topic, policy, error: String(error) }, message)
    const onNote = (message: string) => log.info({ topic, policy }, message)
    const consumed = { ...stream, share, onWarning, onNote }
    streams.push(await consumeStream(service, options.streams!.log, consumed))
  }
  const rpc = await serveRpc(
    home.socket('decide'),
    {
      decide: decideRemote(service),
      models: { ready: async (document: string) => options.modelReady?.(document) },
    },
    { onDefect: (error, call) => log.error({ call, error: String(error) }, 'A local call failed') },
  )
  const url = await listen(app, options)
  const grpc = prediction && (await openGrpc({ ...prediction, host: options.host }))
  const { recoveryMs, namespaces } = service.status()
  log.info({ url, recoveryMs, namespaces: namespaces.length }, 'Decisions are answered')
  return {
    url,
    port: Number(new URL(url).port),
    service,
    async close() {
      disk.stop()
      doorkeeper.close()
      inference?.drain()
      const grpcClosed = grpc?.close(5000)
      // Streams that were passed on would keep the door open for ever.
      closePassOn()
      app.server.closeIdleConnections()
      const closed = app.close()
      const grace = setTimeout(() => app.server.closeAllConnections(), 5000)
      await closed
      clearTimeout(grace)
      await grpcClosed
      await rpc.close()
      await Promise.all(streams.map((stream) => stream.stop()))
      await service.close()
    },
  }
}

async function listen(
  app: Awaited<ReturnType<typeof createDecideApp>>,
  { host, port }: StartDecideOptions,
): Promise<string> {
  try {
    return await app.listen({ host, port, backlog: 1024 })
  } catch (cause) {
    throw listenFailure(cause, { host, port })
  }
}

/** What it means that a server could not listen: `port_in_use`, `address_unavailable`, or a defect. */
export function listenFailure(
  cause: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    return doorErrors.port_in_use(`Another process listens on ${host}:${port}.`, { cause })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return doorErrors.address_unavailable(`${host}:${port} cannot be listened on (${code}).`, {
      cause,
    })
  }
  return cause
}
