/**
 * Counts what models are asked and how long it takes, for `/metrics`: under Assay's own names by model and
 * version, and under those of OpenTelemetry's semantic conventions by door.
 */
import { isAssayError } from '../../lib/errors.ts'
import type { HostedModel, ModelHost } from '../../serving/index.ts'
import { histogram, metric, type Sample, tags } from '../prometheus.ts'

export type Protocol = 'http' | 'grpc'

export interface InferenceMeter {
  /** A request for an answer begins. */
  begin(protocol: Protocol, route: string): AskedRequest
  /** Lines of `/metrics`. */
  lines(models: ModelHost): string[]
}

export interface AskedRequest {
  /** Once it is known. */
  model: HostedModel | undefined
  /** Ends it. `status` is that of the protocol. */
  answered(rows: number, status: string): void
  refused(error: unknown, status: string): void
  /** The client went away; nothing where it was answered before. */
  abandoned(): void
}

interface Durations {
  readonly labels: Labels
  readonly counts: number[]
  sumUs: number
}

/** Of one model, version and protocol. */
interface Series extends Durations {
  requests: number
  rows: number
  readonly errors: Map<string, number>
}

type Labels = Readonly<Record<string, string>>

const BOUNDS_US = [
  100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
]
/** As the conventions advise for `http.server.request.duration`. */
const OTEL_BOUNDS_US = [
  5000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
  5_000_000, 7_500_000, 10_000_000,
]
/** Of each metric; what comes after has no model or route. */
const SERIES_MAX = 2000

/** `nowUs` must never go back. */
export function createInferenceMeter(nowUs: () => number): InferenceMeter {
  const series = new Map<string, Series>()
  const doors = { http: new Map<string, Durations>(), grpc: new Map<string, Durations>() }
  let inFlight = 0

  function seriesOf({ name = '', version = '' }: Partial<HostedModel>, protocol: Protocol): Series {
    return found(series, `${protocol} ${version} ${name}`, () => {
      const [model, number] = series.size < SERIES_MAX ? [name, version] : ['', '']
      const labels = { model, version: number, protocol }
      return { ...durationsOf(labels, BOUNDS_US), requests: 0, rows: 0, errors: new Map() }
    })
  }

  function end(protocol: Protocol, route: string, status: string, tookUs: number): void {
    inFlight--
    const labelsOf = protocol === 'http' ? httpLabels : rpcLabels
    const door = found(doors[protocol], `${status} ${route}`, () =>
      durationsOf(labelsOf(route, status), OTEL_BOUNDS_US),
    )
    record(door, OTEL_BOUNDS_US, tookUs)
  }

  return {
    begin(protocol, route) {
      const sinceUs = nowUs()
      let isOver = false
      inFlight++
      function over(status: string): Series | undefined {
        if (isOver) return undefined
        isOver = true
        const tookUs = nowUs() - sinceUs
        end(protocol, route, status, tookUs)
        const own = seriesOf(asked.model ?? {}, protocol)
        own.requests++
        record(own, BOUNDS_US, tookUs)
        return own
      }
      const asked: AskedRequest = {
        model: undefined,
        answered(rows, status) {
          const own = over(status)
          if (own !== undefined) own.rows += rows
        },
        refused: (error, status) =>
          failed(isAssayError(error) ? error.code : 'internal_error', status),
        abandoned: () => failed('client_gone', '499'),
      }
      function failed(code: string, status: string): void {
        const errors = over(status)?.errors
        errors?.set(code, (errors.get(code) ?? 0) + 1)
      }
      return asked
    },
    lines: (models) => [
      ...seriesLines([...series.values()]),
      ...metric('assay_inference_in_flight', 'gauge', 'Requests of models on their way.', [
        ['', inFlight],
      ]),
      ...metric('assay_model_ready', 'gauge', '1 for a model that is ready.', readiness(models)),
      ...histogram(
        'http_server_request_duration_seconds',
        'Duration of HTTP requests of models.',
        [...doors.http.values()].map((each) => cumulative(each, OTEL_BOUNDS_US)),
      ),
      ...histogram(
        'rpc_server_call_duration_seconds',
        'Duration of gRPC calls of models.',
        [...doors.grpc.values()].map((each) => cumulative(each, OTEL_BOUNDS_US)),
      ),
    ],
  }
}

function seriesLines(series: readonly Series[]): string[] {
  return [
    ...metric(
      'assay_inference_requests_total',
      'counter',
      'Requests of models that have ended.',
      series.map(({ labels, requests }): Sample => [tags(labels), requests]),
    ),
    ...metric(
      'assay_inference_rows_total',
      'counter',
      'Rows that models answered.',
      series.map(({ labels, rows }): Sample => [tags(labels), rows]),
    ),
    ...metric(
      'assay_inference_errors_total',
      'counter',
      'Requests of models that were refused or failed, by code.',
      series.flatMap(({ labels, errors }) =>
        Array.from(errors, ([code, n]): Sample => [tags({ ...labels, code }), n]),
      ),
    ),
    ...histogram(
      'assay_inference_duration_seconds',
      'From the head of a request to its answer.',
      series.map((each) => cumulative(each, BOUNDS_US)),
    ),
  ]
}

function readiness(models: ModelHost): Sample[] {
  return models.list().map(({ name: model, version, standing }) => {
    return [tags({ model, version }), standing.state === 'ready' ? 1 : 0]
  })
}

function httpLabels(route: string, status: string): Labels {
  return {
    http_request_method: 'POST',
    http_route: route,
    http_response_status_code: status,
    url_scheme: 'http',
  }
}

function rpcLabels(route: string, status: string): Labels {
  return { rpc_system_name: 'grpc', rpc_method: route, rpc_response_status_code: status }
}

function found<Value>(all: Map<string, Value>, key: string, make: () => Value): Value {
  const known = all.get(key) ?? (all.size < SERIES_MAX ? undefined : all.get(''))
  if (known !== undefined) return known
  const made = make()
  all.set(all.size < SERIES_MAX ? key : '', made)
  return made
}

function durationsOf(labels: Labels, bounds: readonly number[]): Durations {
  return { labels, counts: new Array<number>(bounds.length + 1).fill(0), sumUs: 0 }
}

function record(durations: Durations, bounds: readonly number[], tookUs: number): void {
  const at = bounds.findIndex((bound) => tookUs <= bound)
  durations.counts[at < 0 ? bounds.length : at]++
  durations.sumUs += tookUs
}

function cumulative({ labels, counts, sumUs }: Durations, boundsUs: readonly number[]) {
  let total = 0
  return { labels, boundsUs, sumUs, counts: counts.map((n) => (total += n)) }
}
