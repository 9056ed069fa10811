// The API of a running server, for commands that ask it as the person whose key is given.
import { readFile } from 'node:fs/promises'
import { AssayError, type Problem } from '../../lib/errors.ts'
import {
  addresses,
  type BodyOf,
  type OperationName,
  type ParamsOf,
  type QueryOf,
  type ResponseOf,
} from '../../server/contract/index.ts'
import { requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

export interface ServerOfPerson {
  /** Absent: the server that runs on the home. */
  readonly url?: string
  readonly home: string
  /** Holds the person's own key. */
  readonly keyFile?: string
}

/** Errors: `server_unreachable`, and whatever the server refuses with. */
export type Ask = <Name extends OperationName>(
  name: Name,
  request?: {
    readonly params?: ParamsOf<Name>
    readonly query?: QueryOf<Name>
    readonly body?: BodyOf<Name>
  },
) => Promise<ResponseOf<Name>>

const ANSWER_WITHIN_MS = 60_000

/** Errors: `option_invalid` without a key, `input_unreadable`, `server_missing`. */
export async function askAs({ url, home, keyFile }: ServerOfPerson): Promise<Ask> {
  const base = (url ?? requireServer(home).server.url).replace(/\/*$/, '')
  if (keyFile === undefined) {
    throw commandErrors.option_invalid('Name the file that holds your key with --key-file.')
  }
  const key = (await textOfFile(keyFile)).trim()
  return async (name, { params = {}, query = {}, body } = {}) => {
    const { method, path } = addresses[name]
    const values = params as Readonly<Record<string, string>>
    const filled = path.replaceAll(/:(\w+)/g, (_, part: string) => encodeURIComponent(values[part]))
    const asked = new URLSearchParams(query as Record<string, string>).toString()
    const response = await fetch(`${base}${filled}${asked === '' ? '' : `?${asked}`}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).catch((cause: Error) => {
      throw commandErrors.server_unreachable(`${base}: ${cause.message}`, { cause })
    })
    const answer: unknown = await response.json()
    if (response.ok) return answer as ResponseOf<typeof name>
    throw refusal(answer as Partial<Problem>, response.status)
  }
}

function refusal(problem: Partial<Problem>, status: number): AssayError {
  const { code = 'server_unreachable', title = code, action = '', detail = title } = problem
  return new AssayError(code, { status, title, action }, detail)
}

/** Error: `input_unreadable`. */
export async function textOfFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
}
