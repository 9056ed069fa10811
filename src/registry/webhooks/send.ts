// One POST to a webhook. The address is checked again when its name is resolved, and the connection
// is made to just the address that was checked, so no second answer of the name server counts.
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isAssayError } from '../../lib/errors.ts'
import { checkedUrl, hostOf, mayConnect, type AddressPolicy } from './address.ts'
import type { SendOutcome, WebhookRequest, WebhookSender } from './types.ts'

/** How long one attempt may take, from connecting to the end of the answer. */
const ATTEMPT_MS = 5_000
/** How much of an answer is read. */
const ANSWER_BYTES_MAX = 16 * 1024

type Resolve = (
  host: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

export interface SenderOptions extends AddressPolicy {
  readonly resolve?: Resolve
  readonly attemptMs?: number
}

export function createWebhookSender(options: SenderOptions): WebhookSender {
  const { attemptMs = ATTEMPT_MS } = options
  return (request) =>
    post(request, options, attemptMs).catch((error: unknown) => ({ error: sentenceOf(error) }))
}

function sentenceOf(error: unknown): string {
  if (isAssayError(error)) return error.detail
  const { name, message, code } = error as NodeJS.ErrnoException
  if (name === 'AbortError' || name === 'TimeoutError') return 'It did not answer in time.'
  return code === undefined ? message : `${code}: ${message}`
}

async function post(
  { url: text, headers, body }: WebhookRequest,
  options: SenderOptions,
  attemptMs: number,
): Promise<SendOutcome> {
  const url = checkedUrl(text, options)
  const signal = AbortSignal.timeout(attemptMs)
  const ask = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const asked = ask(
      url,
      {
        method: 'POST',
        signal,
        agent: false,
        lookup: checkedLookup(hostOf(url), options),
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      },
      (answer) => {
        const parts: Buffer[] = []
        let size = 0
        const end = () => {
          const read = Buffer.concat(parts).subarray(0, ANSWER_BYTES_MAX).toString('utf8')
          resolve({ status: answer.statusCode ?? 0, body: read })
          asked.destroy()
        }
        answer.on('data', (part: Buffer) => {
          parts.push(part)
          size += part.length
          if (size >= ANSWER_BYTES_MAX) end()
        })
        answer.on('end', end)
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    // Also where no answer will come: after `101 Switching Protocols` there is none.
    asked.on('close', () => reject(new Error('It ended the connection without an answer.')))
    asked.end(body)
  })
}

/** Resolves a name only to addresses that may be called. */
export function checkedLookup(host: string, options: SenderOptions): LookupFunction {
  const resolve: Resolve =
    options.resolve ?? ((name, done) => systemLookup(name, { all: true }, done))
  return (name, { all }, done) =>
    resolve(name, (error, addresses) => {
      if (error !== null) return done(error, [])
      const refused = addresses.find(({ address }) => !mayConnect(address, host, options))
      if (refused !== undefined || addresses.length === 0) {
        const why = `${host} is ${refused?.address ?? 'nowhere'}, which is not a public address.`
        return done(new Error(why), [])
      }
      if (all === true) return done(null, [...addresses])
      return done(null, addresses[0].address, addresses[0].family)
    })
}
