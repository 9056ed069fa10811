/** A model of another server that speaks the Open Inference Protocol v2 over REST. */
import * as http from 'node:http'
import * as https from 'node:https'
import { generalErrors, isAssayError } from '../../lib/errors.ts'
import { type AddressPolicy, checkedLookup, checkedUrl, hostOf } from '../../registry/index.ts'
import { servingErrors } from '../errors.ts'
import { type PlainTensor, plainTensor, tensorOf } from './document.ts'
import type { ModelRuntime } from './ports.ts'
import type { ModelSignature, TensorSpec } from './signature.ts'
import { isDatatype, sizeOf, type Tensor } from './tensor.ts'

export interface RemoteModel {
  /** Of the server, without `/v2`. */
  readonly url: string
  readonly model: string
  readonly version?: string
}

export interface RemoteOptions extends AddressPolicy {
  /** From sending to the end of the answer; absent: 2 s. */
  readonly deadlineMs?: number
  /** Requests on their way; absent: 32. */
  readonly inFlightMax?: number
}

/** What a server that is busy says, and a gateway whose server is away: it may answer in a moment. */
const AWAY: readonly number[] = [429, 502, 503, 504]

const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/**
 * Asks the server for the model's metadata and whether it is ready. The address obeys the rule of
 * webhooks: https, or http on this machine, and no private network unless that is allowed. Errors:
 * `served_model_invalid`, `remote_unavailable`, `inference_timeout`, `inference_failed`.
 */
export async function openRemote(
  { url, model, version }: RemoteModel,
  options: RemoteOptions,
): Promise<ModelRuntime> {
  const { deadlineMs = 2000, inFlightMax = 32 } = options
  const named = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`
  const address = addressOf(
    `${url.replace(/\/$/, '')}/v2/models/${encodeURIComponent(model)}${named}`,
    options,
  )
  const secure = address.protocol === 'https:'
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: inFlightMax })
  let inFlight = 0

  async function ask(path: string, body?: string): Promise<unknown> {
    if (inFlight >= inFlightMax) {
      throw generalErrors.overloaded(`${inFlight} requests are on their way to ${address.host}.`, {
        extra: { retryAfter: 1 },
      })
    }
    inFlight++
    try {
      return await exchange(`${address.href}${path}`, body)
    } finally {
      inFlight--
    }
  }

  function exchange(target: string, body: string | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const asked = (secure ? https : http).request(
        target,
        {
          agent,
          method: body === undefined ? 'GET' : 'POST',
          signal: AbortSignal.timeout(deadlineMs),
          lookup: checkedLookup(hostOf(address), options),
          headers:
            body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (answer) => {
          const parts: Buffer[] = []
          let size = 0
          answer.on('data', (part: Buffer) => {
            parts.push(part)
            size += part.length
            if (size <= ANSWER_BYTES_MAX) return
            asked.destroy()
            reject(servingErrors.inference_failed(`${address.host} answered with too much.`))
          })
          answer.on('error', (error) => reject(troubleOf(error)))
          answer.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8')
            try {
              resolve(readAnswer(answer.statusCode ?? 0, text))
            } catch (error) {
              reject(error)
            }
          })
        },
      )
      asked.on('error', (error) => reject(troubleOf(error)))
      asked.end(body)
    })
  }

  function troubleOf(error: NodeJS.ErrnoException): Error {
    if (error.name === 'AbortError' || error.name === 'TimeoutError') {
      return servingErrors.inference_timeout(
        `${address.host} did not answer within ${deadlineMs} ms.`,
      )
    }
    return servingErrors.remote_unavailable(`${address.host}: ${error.message}`, {
      extra: { retryAfter: 1 },
    })
  }

  function readAnswer(status: number, text: string): unknown {
    const value = parsed(text)
    if (status === 200 && value !== undefined) return value
    const { error } = (value ?? {}) as { readonly error?: unknown }
    const what = value === undefined ? ' without JSON.' : `: ${String(error).slice(0, 200)}`
    const why = `${address.host} answered ${status}${what}`
    if (!AWAY.includes(status)) throw servingErrors.inference_failed(why)
    throw servingErrors.remote_unavailable(why, { extra: { retryAfter: 1 } })
  }

  try {
    const { platform, signature } = readMetadata(await ask(''))
    await ask('/ready')
    return {
      platform,
      signature,
      async predict(inputs) {
        const body = JSON.stringify({ inputs: inputs.map(plainTensor) })
        return outputsOf(await ask('/infer', body), signature)
      },
      close: async () => agent.destroy(),
    }
  } catch (error) {
    agent.destroy()
    throw error
  }
}

/** Undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text)
  } catch {
    return undefined
  }
}

function addressOf(text: string, policy: AddressPolicy): URL {
  try {
    return checkedUrl(text, policy)
  } catch (error) {
    if (!isAssayError(error)) throw error
    throw servingErrors.served_model_invalid(`The address of the model is refused: ${error.detail}`)
  }
}

function readMetadata(value: unknown): { platform: string; signature: ModelSignature } {
  const { platform, inputs, outputs } = (value ?? {}) as Readonly<Record<string, unknown>>
  const signature = { inputs: specsOf(inputs), outputs: specsOf(outputs) }
  if (signature.inputs.length === 0 || signature.outputs.length === 0) {
    throw servingErrors.served_model_invalid(
      'The server does not tell the inputs and outputs of the model, so nothing could be checked.',
    )
  }
  return { platform: typeof platform === 'string' ? platform : 'remote', signature }
}

function specsOf(value: unknown): TensorSpec[] {
  if (!Array.isArray(value)) return []
  return (value as Partial<TensorSpec>[]).flatMap(({ name, datatype, shape }) => {
    const isSpec = typeof name === 'string' && isDatatype(datatype) && Array.isArray(shape)
    return isSpec ? [{ name, datatype, shape: shape.map(Number) }] : []
  })
}

/** The outputs that the server promised. Error: `inference_failed`. */
function outputsOf(value: unknown, { outputs }: ModelSignature): Tensor[] {
  const given = (value as { readonly outputs?: readonly PlainTensor[] } | null)?.outputs
  return outputs.map(({ name, datatype }) => {
    const output = Array.isArray(given) ? given.find((each) => each?.name === name) : undefined
    const data = Array.isArray(output?.data) ? output.data.flat(8) : []
    const isOfType = (value: unknown) =>
      datatype === 'BYTES' ||
      typeof value === 'number' ||
      (datatype === 'BOOL' && typeof value === 'boolean')
    const isWhole =
      output !== undefined &&
      Array.isArray(output.shape) &&
      data.length === sizeOf(output.shape) &&
      data.every((value: unknown) => value === null || isOfType(value))
    if (!isWhole || output.datatype !== datatype) {
      throw servingErrors.inference_failed(`The server did not give its output "${name}".`)
    }
    return tensorOf({ name, datatype, shape: output.shape, data })
  })
}
