/**
 * The door of prediction over HTTP: the Open Inference Protocol v2, and for a process of one model what
 * MLflow, SageMaker and Vertex AI ask for. It stands on `node:http` alone, because what a framework
 * costs a request is a third of what this one may cost in all.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { AssayError, generalErrors, unexpected } from '../../lib/errors.ts'
import { type HostedModel, type ModelHost, runtimeOf, type Tensor } from '../../serving/index.ts'
import { metricsType } from '../prometheus.ts'
import { readBody } from '../body.ts'
import { refuseEncoded } from '../refusals.ts'
import { inferenceErrors } from './errors.ts'
import {
  answer,
  bodyBytesMax,
  type InferRequest,
  readInferRequest,
  readRawRequest,
  writeInferResponse,
} from './infer.ts'
import { readInvocation, writePredictions } from './invocations.ts'
import { modelMetadata, serverMetadata } from './metadata.ts'
import type { AskedRequest, InferenceMeter } from './meter.ts'
import { type InferRoute, type Route, routeOf } from './routes.ts'

export interface InferenceDoorOptions {
  readonly models: ModelHost
  /** Of Assay. */
  readonly version: string
  /** Name of the model that the paths without a name ask; absent: they are not offered. */
  readonly only?: string
  /** Further paths of the one model: address → `/ping` or `/invocations`. */
  readonly aliases?: ReadonlyMap<string, '/ping' | '/invocations'>
  /** Refuses whoever may not ask; absent: everybody may. Health is told to everybody. */
  readonly admit?: (headers: IncomingHttpHeaders) => Promise<unknown>
  /** Counts requests for answers. */
  readonly meter?: InferenceMeter
  /** Requests that are read or computed at a time; absent: 256. */
  readonly inFlightMax?: number
  readonly onDefect: (
    error: unknown,
    request: { readonly method: string; readonly url: string },
  ) => void
}

export interface InferenceDoor {
  /** Whether the door answers this address. */
  handles(url: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): void
  /** From now on it says that it is not ready, and ends connections as they are answered. */
  drain(): void
}

const IN_FLIGHT_MAX = 256
const noAliases: ReadonlyMap<string, string> = new Map()

export function createInferenceDoor(options: InferenceDoorOptions): InferenceDoor {
  const { models, version, only, admit, meter, onDefect } = options
  const { aliases = noAliases, inFlightMax = IN_FLIGHT_MAX } = options
  let inFlight = 0
  let isDraining = false
  const isOwn =
    only === undefined
      ? /^\/v2(?:[/?]|$)/
      : /^\/(?:v2(?:[/?]|$)|(?:invocations|ping|health|version|metrics)(?:\?|$))/

  function send(
    response: ServerResponse,
    status: number,
    type: string,
    body: string | Buffer,
    more: readonly string[] = [],
  ): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const headers = ['content-type', type, 'content-length', String(length), ...more]
    if (isDraining) headers.push('connection', 'close')
    response.writeHead(status, headers)
    response.end(body)
  }

  function refuse(
    error: unknown,
    request: IncomingMessage,
    response: ServerResponse,
    asked?: AskedRequest,
  ): void {
    const known = error instanceof AssayError ? error : unexpected(error)
    asked?.refused(error, String(known.status))
    if (!(error instanceof AssayError)) {
      onDefect(error, { method: request.method ?? '', url: request.url ?? '' })
    }
    const { detail, status, extra } = known
    const more: string[] = []
    if (typeof extra?.['retryAfter'] === 'number') {
      more.push('retry-after', String(extra['retryAfter']))
    }
    if (status === 401) more.push('www-authenticate', 'Bearer')
    send(response, status, 'application/json', JSON.stringify({ error: detail }), more)
  }

  function sendJson(response: ServerResponse, value: unknown, status = 200): void {
    send(response, status, 'application/json', JSON.stringify(value))
  }

  /** What is told of health and models; nothing is computed for it. */
  function tell(route: Route, response: ServerResponse): void {
    switch (route.kind) {
      case 'live':
        return sendJson(response, { live: true })
      case 'ready': {
        const unready = unreadyModels(models)
        const ready = !isDraining && unready.length === 0
        // Names of models are for those who may ask for them.
        const told = admit === undefined && unready.length > 0 ? { models: unready } : {}
        return sendJson(response, { ready, ...told }, ready ? 200 : 503)
      }
      case 'server':
        return sendJson(response, serverMetadata(version))
      case 'model':
        return sendJson(response, modelMetadata(models, route.model, route.version))
      case 'model-ready': {
        const { name, standing } = models.find(route.model, route.version)
        const ready = standing.state === 'ready'
        const reason = 'reason' in standing ? { reason: standing.reason } : {}
        return sendJson(response, { name, ready, ...reason }, ready ? 200 : 503)
      }
      case 'ping': {
        const ready = !isDraining && isReady(models.find(only ?? ''))
        return send(response, ready ? 200 : 503, 'application/json', ready ? '\n' : '{}')
      }
      case 'version':
        return send(response, 200, 'text/plain', version)
      case 'metrics':
        return send(response, 200, metricsType, `${(meter?.lines(models) ?? []).join('\n')}\n`)
      default:
        throw inferenceErrors.inference_route_unknown('There is nothing at this address.')
    }
  }

  /** Reads the body, asks the model, answers. */
  function infer(
    route: InferRoute | { readonly kind: 'invocations' },
    request: IncomingMessage,
    response: ServerResponse,
    counted: AskedRequest | undefined,
  ): void {
    const { headers } = request
    readBody(request, bodyBytesMax, {
      whole(body) {
        try {
          if (route.kind === 'infer') {
            const hosted = known(models.find(route.model, route.version))
            const asked = readRequest(body, headers, hosted)
            then(answer(runtimeOf(hosted), asked), (given) => {
              sendTensors(hosted, asked, given)
              counted?.answered(rowsOf(asked), '200')
            })
          } else {
            const runtime = runtimeOf(known(models.find(only ?? '')))
            const asked = readInvocation(body, headers['content-type'] ?? '', runtime)
            then(answer(runtime, asked), (given) => {
              send(response, 200, 'application/json', writePredictions(given))
              counted?.answered(rowsOf(asked), '200')
            })
          }
        } catch (error) {
          fail(error)
        }
      },
      tooLarge: (bytes) =>
        fail(inferenceErrors.inference_body_too_large(`The body has ${bytes} bytes or more.`)),
    })

    /** At once where nothing is waited for. */
    function then(
      given: readonly Tensor[] | Promise<readonly Tensor[]>,
      finish: (tensors: readonly Tensor[]) => void,
    ): void {
      if (given instanceof Promise) given.then(finish).catch(fail)
      else finish(given)
    }

    function fail(error: unknown): void {
      refuse(error, request, response, counted)
    }

    function known(hosted: HostedModel): HostedModel {
      if (counted !== undefined) counted.model = hosted
      return hosted
    }

    function sendTensors(
      hosted: HostedModel,
      asked: InferRequest,
      tensors: readonly Tensor[],
    ): void {
      const { body, jsonLength } = writeInferResponse(hosted, asked, tensors)
      if (jsonLength === undefined) return send(response, 200, 'application/json', body)
      const header = ['inference-header-content-length', String(jsonLength)]
      send(response, 200, 'application/octet-stream', body, header)
    }
  }

  function enter(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    counted: AskedRequest | undefined,
  ): void {
    try {
      if (route.kind !== 'infer' && route.kind !== 'invocations') return tell(route, response)
      if (inFlight >= inFlightMax) {
        throw generalErrors.overloaded(`${inFlight} requests are being answered.`, {
          extra: { retryAfter: 1 },
        })
      }
      refuseEncoded(request)
      inFlight++
      response.once('close', () => {
        inFlight--
        counted?.abandoned()
      })
      infer(route, request, response, counted)
    } catch (error) {
      refuse(error, request, response, counted)
    }
  }

  return {
    handles: (url) => isOwn.test(url) || aliases.has(url),
    handle(request, response) {
      let route: Route
      try {
        const url = request.url ?? ''
        route = routeOf(request.method ?? '', aliases.get(url) ?? url)
      } catch (error) {
        return refuse(error, request, response)
      }
      const counted = countedRoute(route)
      const asked = counted === undefined ? undefined : meter?.begin('http', counted)
      const isOpen = route.kind === 'live' || route.kind === 'ready' || route.kind === 'ping'
      if (admit === undefined || isOpen) return enter(route, request, response, asked)
      admit(request.headers).then(
        () => enter(route, request, response, asked),
        (error: unknown) => refuse(error, request, response, asked),
      )
    },
    drain() {
      isDraining = true
    },
  }
}

/** Those that should be ready and are not, with why. */
export function unreadyModels(models: ModelHost) {
  return models.list().flatMap(({ name, version, standing }) => {
    if (standing.state === 'ready' || standing.state === 'unserved') return []
    const reason = standing.state === 'loading' ? 'It is being loaded' : standing.reason
    return [{ name, version, reason }]
  })
}

/** As OpenTelemetry wants it: without the parts that each request fills in. */
function countedRoute(route: Route): string | undefined {
  if (route.kind === 'invocations') return '/invocations'
  if (route.kind !== 'infer') return undefined
  return route.version === undefined
    ? '/v2/models/{model}/infer'
    : '/v2/models/{model}/versions/{version}/infer'
}

function rowsOf({ inputs }: Pick<InferRequest, 'inputs'>): number {
  return inputs[0]?.shape[0] ?? 0
}

function isReady({ standing }: HostedModel): boolean {
  return standing.state === 'ready'
}

function readRequest(
  body: Buffer,
  headers: IncomingHttpHeaders,
  hosted: HostedModel,
): InferRequest {
  const header = headers['inference-header-content-length']
  if (header === undefined) return readInferRequest(body)
  if (typeof header !== 'string' || !/^\d{1,10}$/.test(header)) {
    throw inferenceErrors.inference_request_invalid(
      `Inference-Header-Content-Length is ${String(header).slice(0, 40)}, which is no length.`,
    )
  }
  if (Number(header) === 0) return readRawRequest(body, runtimeOf(hosted))
  return readInferRequest(body, Number(header))
}
