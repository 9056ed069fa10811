// The load of `serving` and `decisions`, in a process of its own: `node serving-load.ts JSON`. Open loop: arrivals follow
// a schedule drawn in advance (a Poisson process with a seed), whatever the server does, and a
// latency counts from the time at which its request was meant to leave, so that a server that stalls is
// charged for everybody who had to wait (no coordinated omission). A rate of 0 asks as fast as answers
// come. Prints one line of JSON.
import { readFileSync } from 'node:fs'
import * as net from 'node:net'
import { fileURLToPath } from 'node:url'
import { Client, credentials, loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { monotonicUs, systemClock } from '../src/lib/clock.ts'
import { ln } from '../src/lib/math.ts'
import { createRandom } from '../src/lib/random.ts'
import { Latencies } from './features-measure.ts'

export interface LoadRequest {
  readonly door: 'rest' | 'grpc'
  readonly host: string
  readonly port: number
  /** Of REST whole requests, of gRPC encoded messages, in base64; asked in turn. */
  readonly requests: readonly string[]
  /** A file of them instead, one a line, each asked once, from the `from`-th on. */
  readonly file?: { readonly path: string; readonly from: number }
  /** Requests a second; 0: as many as `connections` carry. */
  readonly rate: number
  readonly seconds: number
  readonly connections: number
  readonly seed: number
}

export interface LoadResult {
  /** Requests that left. */
  readonly asked: number
  /** What was asked for was given; latencies are of these. */
  readonly answered: number
  /** Refused as too much, with a time after which to ask again. */
  readonly refused: number
  readonly failed: number
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly refusedP99Ms: number
}

type Outcome = 'answered' | 'refused' | 'failed'

/** One request at a time. */
interface Line {
  send(request: Buffer, done: (outcome: Outcome) => void): void
  close(): void
}

/** How long answers are waited for after the last request has left. */
const TAIL_US = 5e6

/** When requests are meant to leave, in microseconds from the start. */
export function arrivals(rate: number, seconds: number, seed: number): Float64Array {
  const random = createRandom(seed)
  const times: number[] = []
  for (let at = 0; ;) {
    at += (-ln(1 - random.next()) / rate) * 1e6
    if (at >= seconds * 1e6) return Float64Array.from(times)
    times.push(at)
  }
}

async function drive(load: LoadRequest): Promise<LoadResult> {
  const requests = requestsOf(load)
  const isOpen = load.rate > 0
  const times = isOpen ? arrivals(load.rate, load.seconds, load.seed) : new Float64Array(0)
  const most = isOpen ? times.length : 4_000_000
  const latencies = { answered: new Latencies(most), refused: new Latencies(most) }
  const counts = { answered: 0, refused: 0, failed: 0 }
  const connect = load.door === 'rest' ? restLine : grpcLine
  const lines = await Promise.all(Array.from({ length: load.connections }, () => connect(load)))
  const idle = [...lines]
  const waiting: number[] = []
  let [first, asked] = [0, 0]
  const startUs = monotonicUs()
  const endUs = startUs + load.seconds * 1e6
  let lastUs = startUs

  const ask = (line: Line, intendedUs: number) => {
    if (load.file !== undefined && asked === requests.length)
      throw new Error('The file is at its end')
    line.send(requests[asked++ % requests.length], (outcome) => {
      lastUs = monotonicUs()
      counts[outcome]++
      if (outcome !== 'failed') latencies[outcome].add(lastUs - intendedUs)
      if (first < waiting.length) ask(line, waiting[first++])
      else if (!isOpen && lastUs < endUs) ask(line, lastUs)
      else idle.push(line)
    })
  }

  while (!isOpen && idle.length > 0) ask(idle.pop()!, monotonicUs())
  for (let next = 0; next < times.length;) {
    const now = monotonicUs() - startUs
    for (; next < times.length && times[next] <= now; next++) {
      const line = idle.pop()
      if (line === undefined) waiting.push(startUs + times[next])
      else ask(line, startUs + times[next])
    }
    // Spins: timers are too coarse.
    await new Promise(setImmediate)
  }
  while (idle.length < lines.length && monotonicUs() < endUs + TAIL_US) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (const line of lines) line.close()
  const { answered, refused } = counts
  const [p50, p99, p999] = latencies.answered.quantiles(0.5, 0.99, 0.999)
  const [refusedP99] = latencies.refused.quantiles(0.99)
  return {
    asked,
    answered,
    refused,
    failed: isOpen ? times.length - answered - refused : counts.failed,
    rps: answered / ((lastUs - startUs) / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
    refusedP99Ms: refusedP99 / 1000,
  }
}

function requestsOf({ requests, file }: LoadRequest): Buffer[] {
  const texts =
    file === undefined
      ? requests
      : readFileSync(file.path, 'latin1').split('\n').slice(file.from, -1)
  return texts.map((text) => Buffer.from(text, 'base64'))
}

/** HTTP/1.1 with just as much reading as the answers need: a status and a content-length. */
function restLine({ host, port }: LoadRequest): Promise<Line> {
  let head = ''
  let missing = -1
  let isClosed = false
  let outcome: Outcome = 'failed'
  let answer: (outcome: Outcome) => void = () => {}
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, noDelay: true })
    socket.once('error', reject)
    socket.once('close', () => {
      if (!isClosed) throw new Error('The server closed a connection.')
    })
    socket.once('connect', () =>
      resolve({
        send(request, done) {
          answer = done
          socket.write(request)
        },
        close() {
          isClosed = true
          socket.destroy()
        },
      }),
    )
    socket.on('data', (part: Buffer) => {
      let body = part.length
      if (missing < 0) {
        head += part.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        outcome = outcomeOf(head)
        missing = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        body = head.length - end - 4
        head = ''
      }
      missing -= body
      if (missing > 0) return
      missing = -1
      answer(outcome)
    })
  })
}

function outcomeOf(head: string): Outcome {
  if (head.startsWith('HTTP/1.1 200')) return 'answered'
  return /^HTTP\/1\.1 (?:429|503)[^]*\r\nretry-after: \d/i.test(head) ? 'refused' : 'failed'
}

const METHOD = '/inference.GRPCInferenceService/ModelInfer'

/** The bytes of a request to `ModelInfer`. */
export function grpcMessage(request: object): Buffer {
  const file = fileURLToPath(new URL('../src/server/inference/inference.proto', import.meta.url))
  const loaded = loadPackageDefinition(loadSync(file, { keepCase: true }))
  const { GRPCInferenceService } = loaded['inference'] as unknown as {
    readonly GRPCInferenceService: { readonly service: ServiceDefinition }
  }
  return GRPCInferenceService.service['ModelInfer'].requestSerialize(request)
}

/** A connection of its own; messages are sent as the bytes that they are. */
function grpcLine({ host, port }: LoadRequest): Promise<Line> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  })
  const asIs = (bytes: Buffer) => bytes
  return new Promise((resolve, reject) => {
    client.waitForReady(systemClock.nowUs() / 1000 + 10_000, (error) => {
      if (error !== undefined) return reject(error)
      resolve({
        send: (request, done) =>
          void client.makeUnaryRequest(METHOD, asIs, asIs, request, (failed) =>
            done(failed === null ? 'answered' : 'failed'),
          ),
        close: () => client.close(),
      })
    })
  })
}

if (import.meta.main) {
  const load = JSON.parse(process.argv[2]) as LoadRequest
  process.stdout.write(`${JSON.stringify(await drive(load))}\n`)
  process.exit(0)
}
