/** The door of prediction over gRPC: `inference.GRPCInferenceService`, the same models and checks. */
import type { IncomingHttpHeaders } from 'node:http'
import { fileURLToPath } from 'node:url'
import {
  loadPackageDefinition,
  type Metadata,
  Metadata as MetadataOf,
  Server,
  ServerCredentials,
  status as codes,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { AssayError, generalErrors, unexpected } from '../../lib/errors.ts'
import { type HostedModel, type ModelHost, runtimeOf, type Tensor } from '../../serving/index.ts'
import { doorErrors } from '../decide/errors.ts'
import { type ModelInferRequest, readInferMessage, writeInferMessage } from './grpc-messages.ts'
import { answer, bodyBytesMax } from './infer.ts'
import { modelMetadata, serverMetadata } from './metadata.ts'
import type { AskedRequest, InferenceMeter } from './meter.ts'
import { unreadyModels } from './rest.ts'

export interface GrpcDoorOptions {
  readonly models: ModelHost
  readonly version: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** As of the REST door; the key comes in the metadata `authorization`. */
  readonly admit?: (headers: IncomingHttpHeaders) => Promise<unknown>
  /** Counts requests for answers. */
  readonly meter?: InferenceMeter
  readonly inFlightMax?: number
  readonly onDefect: (error: unknown, method: string) => void
}

export interface RunningGrpcDoor {
  readonly port: number
  close(graceMs: number): Promise<void>
}

const IN_FLIGHT_MAX = 256

interface Named {
  readonly name: string
  readonly version: string
}

/** Errors: `port_in_use`. */
export async function startGrpcDoor(options: GrpcDoorOptions): Promise<RunningGrpcDoor> {
  const { models, version, host, port } = options
  const isReady = ({ standing }: HostedModel) => standing.state === 'ready'
  const find = ({ name, version: number }: Named) =>
    models.find(name, number === '' ? undefined : number)
  const unary = unaryCalls(options)
  const server = new Server({
    'grpc.max_receive_message_length': bodyBytesMax,
    'grpc.max_concurrent_streams': options.inFlightMax ?? IN_FLIGHT_MAX,
  })
  server.addService(serviceDefinition(), {
    ServerLive: unary('open', () => ({ live: true })),
    ServerReady: unary('open', () => ({ ready: unreadyModels(models).length === 0 })),
    ModelReady: unary('keyed', (asked: Named) => ({ ready: isReady(find(asked)) })),
    ServerMetadata: unary('keyed', () => serverMetadata(version)),
    ModelMetadata: unary('keyed', ({ name, version: number }: Named) =>
      modelMetadata(models, name, number === '' ? undefined : number),
    ),
    ModelInfer: unary('counted', (message: ModelInferRequest, counted?: AskedRequest) => {
      const hosted = find({ name: message.model_name, version: message.model_version })
      if (counted !== undefined) counted.model = hosted
      const runtime = runtimeOf(hosted)
      const asked = readInferMessage(message)
      const given = answer(runtime, asked)
      const write = (tensors: readonly Tensor[]) => {
        const written = writeInferMessage(hosted, asked, tensors)
        counted?.answered(asked.inputs[0]?.shape[0] ?? 0, 'OK')
        return written
      }
      return given instanceof Promise ? given.then(write) : write(given)
    }),
  })
  const bound = await new Promise<number>((resolve, reject) => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, number) => {
      if (cause === null) resolve(number)
      else reject(doorErrors.port_in_use(`${address}: ${cause.message}`, { cause }))
    })
  })
  return {
    port: bound,
    close: (graceMs) =>
      new Promise((resolve) => {
        const grace = setTimeout(() => server.forceShutdown(), graceMs)
        server.tryShutdown(() => {
          clearTimeout(grace)
          resolve()
        })
      }),
  }
}

function serviceDefinition(): ServiceDefinition {
  const file = fileURLToPath(new URL('./inference.proto', import.meta.url))
  const loaded = loadPackageDefinition(
    loadSync(file, { keepCase: true, longs: Number, arrays: true, objects: true, defaults: true }),
  )
  const { GRPCInferenceService } = loaded['inference'] as unknown as {
    readonly GRPCInferenceService: { readonly service: ServiceDefinition }
  }
  return GRPCInferenceService.service
}

type Handler = <Asked, Given>(
  who: 'open' | 'keyed' | 'counted',
  act: (asked: Asked, counted?: AskedRequest) => Given | Promise<Given>,
) => (call: ServerUnaryCall<Asked, Given>, done: sendUnaryData<Given>) => void

/** Makes handlers that ask for the key, bound what is in flight, and answer with gRPC's statuses. */
function unaryCalls(options: GrpcDoorOptions): Handler {
  const { admit, meter, inFlightMax = IN_FLIGHT_MAX, onDefect } = options
  let inFlight = 0
  return (who, act) => (call, done) => {
    const counted = who === 'counted' ? meter?.begin('grpc', call.getPath().slice(1)) : undefined
    if (inFlight >= inFlightMax) {
      const full = generalErrors.overloaded(`${inFlight} requests are being answered.`)
      return refuse(full)
    }
    inFlight++
    if (admit === undefined || who === 'open') return enter()
    admit(headersOf(call.metadata)).then(enter, fail)

    function enter(): void {
      try {
        const given = act(call.request, counted)
        if (given instanceof Promise) given.then(finish, fail)
        else finish(given)
      } catch (error) {
        fail(error)
      }
    }
    function finish(given: Parameters<typeof done>[1]): void {
      inFlight--
      done(null, given)
    }
    function fail(error: unknown): void {
      inFlight--
      refuse(error)
    }
    function refuse(error: unknown): void {
      const known = error instanceof AssayError ? error : unexpected(error)
      counted?.refused(error, codes[codeOf(known.status)])
      if (known !== error) onDefect(error, call.getPath())
      const metadata = new MetadataOf()
      const retryAfter = known.extra?.['retryAfter']
      if (typeof retryAfter === 'number') metadata.set('retry-after', String(retryAfter))
      done({ code: codeOf(known.status), details: known.detail, metadata })
    }
  }
}

function headersOf(metadata: Metadata): IncomingHttpHeaders {
  const [authorization] = metadata.get('authorization')
  return typeof authorization === 'string' ? { authorization } : {}
}

function codeOf(httpStatus: number): codes {
  switch (httpStatus) {
    case 401:
      return codes.UNAUTHENTICATED
    case 403:
      return codes.PERMISSION_DENIED
    case 404:
      return codes.NOT_FOUND
    case 429:
      return codes.RESOURCE_EXHAUSTED
    case 501:
      return codes.UNIMPLEMENTED
    case 503:
      return codes.UNAVAILABLE
    case 504:
      return codes.DEADLINE_EXCEEDED
    default:
      return httpStatus < 500 ? codes.INVALID_ARGUMENT : codes.INTERNAL
  }
}
