// The door of decisions. It stands on `node:http` alone: what a framework costs a request is a quarter
// of what a decision costs in all.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { decisionErrors, type DecisionService } from '../../decisions/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { isAssayError, toProblem, type Problem } from '../../lib/errors.ts'
import { readBody } from '../body.ts'
import { refuseEncoded, refusals, throwAway, wrongType } from '../refusals.ts'
import type { DecideAppOptions } from './app.ts'
import { refuseForeignHost } from './who.ts'

export interface DecisionDoor {
  /** Whether the door answers this request. */
  handles(request: IncomingMessage): boolean
  handle(request: IncomingMessage, response: ServerResponse): void
  /** From now on connections end as they are answered. */
  drain(): void
}

type Options = Pick<DecideAppOptions, 'doorkeeper' | 'hosts' | 'onDefect'> & {
  readonly service: Pick<DecisionService, 'decide' | 'hasRoom'>
}

export const EVENT_BYTES_MAX = 1024 * 1024
const ADDRESS = /^\/api\/v1\/decisions\/([^/?]+)\/?(?:\?(.*))?$/s

/** Made once: an answer that says no must cost a fraction of one that does not. */
const tooMany = toProblem(
  decisionErrors.too_many_in_flight('More requests are waiting than can be answered in time.', {
    extra: { retryAfter: 1 },
  }),
)
const tooManyBody = JSON.stringify(tooMany)

export function createDecisionDoor({
  service,
  doorkeeper,
  hosts,
  onDefect,
}: Options): DecisionDoor {
  let isDraining = false

  function send(
    response: ServerResponse,
    status: number,
    type: string,
    body: string,
    more: readonly string[] = [],
  ): void {
    const headers = ['content-type', type, 'content-length', String(Buffer.byteLength(body))]
    headers.push('x-content-type-options', 'nosniff', ...more)
    if (isDraining) headers.push('connection', 'close')
    response.writeHead(status, headers)
    response.end(body)
  }

  function sendProblem(response: ServerResponse, problem: Problem, body = JSON.stringify(problem)) {
    const more: string[] = []
    if (typeof problem['retryAfter'] === 'number') {
      more.push('retry-after', String(problem['retryAfter']))
    }
    if (problem.status === 401) more.push('www-authenticate', 'Bearer')
    send(response, problem.status, 'application/problem+json', body, more)
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { policy, namespace }: Address,
    body: Buffer,
  ): Promise<void> {
    const type = request.headers['content-type'] ?? ''
    if (!/^application\/json\b/i.test(type)) throw wrongType(type)
    const value = parseStrictJson(body, { maxBytes: EVENT_BYTES_MAX })
    const decided = await service.decide({ namespace, policy, body: value })
    const more = decided.replayed ? ['idempotent-replayed', 'true'] : undefined
    send(response, 200, 'application/json; charset=utf-8', decided.body, more)
  }

  return {
    handles: ({ method, url = '' }) => method === 'POST' && ADDRESS.test(url),
    handle(request, response) {
      const fail = (error: unknown) => {
        if (!isAssayError(error)) {
          onDefect(error, { method: request.method ?? '', url: request.url ?? '' })
        }
        sendProblem(response, toProblem(error))
      }
      // Before anything is read: what is too much already should cost no more.
      if (!service.hasRoom()) return sendProblem(response, tooMany, tooManyBody)
      const admit = async () => {
        const address = addressed(request)
        refuseForeignHost(request.headers.host, hosts)
        refuseEncoded(request)
        await doorkeeper.admit(request.headers, 'decide')
        return address
      }
      admit().then(
        (address) =>
          readBody(request, EVENT_BYTES_MAX, {
            whole: (body) => void answer(request, response, address, body).catch(fail),
            tooLarge: (bytes) => fail(refusals.body_too_large(`The body has ${bytes} bytes.`)),
          }),
        (error: unknown) => {
          throwAway(request)
          fail(error)
        },
      )
    },
    drain() {
      isDraining = true
    },
  }
}

interface Address {
  readonly policy: string
  readonly namespace: string
}

const NAME_MAX = 200

/** Error: `request_unreadable` where the name is no encoded text, or longer than one. */
function addressed({ url = '' }: IncomingMessage): Address {
  const [, name, query] = ADDRESS.exec(url)!
  if (name.length > NAME_MAX) {
    throw refusals.request_unreadable(`The policy's name has ${name.length} characters.`)
  }
  const namespace = query === undefined ? null : new URLSearchParams(query).get('namespace')
  try {
    return { policy: decodeURIComponent(name), namespace: namespace ?? 'live' }
  } catch {
    throw refusals.request_unreadable(`"${name}" is no encoded text.`)
  }
}
