// `assay decide`: one event in, its decision out, by the server of this home or by another one.
import { readFile } from 'node:fs/promises'
import { exitCodes, type DecideOptions, type Terminal } from '../../cli/index.ts'
import type { DecideAnswer, DecideRemote } from '../../decisions/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { AssayError, type Problem } from '../../lib/errors.ts'
import { remote } from '../../lib/rpc.ts'
import { requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

const NAMESPACE = 'live'
const EVENT_BYTES_MAX = 1024 * 1024
const ANSWER_WITHIN_MS = 30_000

/** Prints the answer as indented JSON; a refusal is an error with its code and what to do. */
export async function decide(
  file: string | undefined,
  options: DecideOptions,
  terminal: Terminal,
): Promise<number> {
  const local = options.url === undefined
  const server = local ? requireServer(options.home) : undefined
  const event = parseStrictJson(await eventBytes(file, terminal), { maxBytes: EVENT_BYTES_MAX })
  const answer =
    server === undefined
      ? await decideOver(options, event)
      : await decideHere(
          remote<DecideRemote>(server.home.socket('decide'), 'decide'),
          options,
          event,
        )
  terminal.out.line(JSON.stringify(JSON.parse(answer), null, 2))
  return exitCodes.ok
}

/** The event as it came; bounded while it is read. */
async function eventBytes(file: string | undefined, { err }: Terminal): Promise<Buffer> {
  if (file !== undefined && file !== '-') {
    try {
      return await readFile(file)
    } catch (cause) {
      throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
    }
  }
  if (process.stdin.isTTY) err.line('Type one event as JSON, then Ctrl-D.')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > EVENT_BYTES_MAX) break // What follows would be refused as too large anyhow.
  }
  return Buffer.concat(chunks)
}

async function decideHere(
  decider: Pick<DecideRemote, 'namespaces' | 'decideMany'>,
  options: DecideOptions,
  event: unknown,
): Promise<string> {
  const policy = options.policy ?? (await onlyPolicy(decider))
  const request = { namespace: NAMESPACE, policy, events: [event] }
  const [answer] = await decider.decideMany(request)
  return bodyOf(answer)
}

async function onlyPolicy(decider: Pick<DecideRemote, 'namespaces'>): Promise<string> {
  const live = (await decider.namespaces()).find(({ namespace }) => namespace === NAMESPACE)
  const names = (live?.policies ?? []).map(({ policy }) => policy)
  if (names.length === 1) return names[0]
  if (names.length === 0) {
    throw commandErrors.policy_not_live(
      'The server runs, and no decision policy is live on it yet.',
    )
  }
  throw commandErrors.option_invalid(
    `Several decision policies are live; name one with --policy: ${names.join(', ')}.`,
  )
}

function bodyOf(answer: DecideAnswer): string {
  if (answer.ok) return answer.body
  throw errorOf(answer.problem)
}

async function decideOver(options: DecideOptions, event: unknown): Promise<string> {
  if (options.policy === undefined) {
    throw commandErrors.option_invalid('With --url, name the decision policy with --policy.')
  }
  const url = addressOf(options.url!, options.policy)
  const key = options.keyFile === undefined ? undefined : await keyIn(options.keyFile)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    text = await response.text()
  } catch (cause) {
    const reason = ((cause as Error).cause ?? cause) as Error
    throw commandErrors.server_unreachable(`${url.origin}: ${reason.message}`, { cause })
  }
  if (response.ok) return text
  throw errorOf(problemIn(text, response))
}

function addressOf(base: string, policy: string): URL {
  try {
    return new URL(`api/v1/decisions/${encodeURIComponent(policy)}`, base.replace(/\/*$/, '/'))
  } catch {
    throw commandErrors.option_invalid(`--url ${base} is not an address; write http://host:port.`)
  }
}

async function keyIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
}

function problemIn(text: string, { status, url }: Response): Partial<Problem> {
  try {
    return JSON.parse(text) as Partial<Problem>
  } catch {
    return { status, code: 'server_unreachable', detail: `${url} answered with status ${status}.` }
  }
}

/** A problem document as the error that it was over there. */
function errorOf(problem: Partial<Problem>): AssayError {
  const {
    code = 'server_unreachable',
    title = code,
    action = '',
    status = 500,
    detail = title,
  } = problem
  return new AssayError(code, { status, title, action }, detail, { extra: problem })
}
