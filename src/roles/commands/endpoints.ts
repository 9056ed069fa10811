// What `assay models challenge`, `confirm`, `end`, `suspend` … do: they ask the server as the person whose
// key is given, because two people are two keys.
import { readFile } from 'node:fs/promises'
import {
  exitCodes,
  printTable,
  type EndpointAct,
  type EndpointOptions,
  type Terminal,
} from '../../cli/index.ts'
import { AssayError, type Problem } from '../../lib/errors.ts'
import type { BodyOf, ResponseOf } from '../../server/contract/index.ts'
import { requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

type Endpoint = ResponseOf<'endpoint'>

const ANSWER_WITHIN_MS = 30_000

export async function endpoints(
  act: EndpointAct,
  options: EndpointOptions,
  { out }: Terminal,
): Promise<number> {
  const base = `endpoints/${encodeURIComponent(act.policy)}`
  const endpoint = await askFor(act, base, options)
  if (options.json) out.line(JSON.stringify(endpoint, null, 2))
  else say(endpoint, (line) => out.line(line), out)
  return exitCodes.ok
}

function askFor(act: EndpointAct, base: string, options: EndpointOptions): Promise<Endpoint> {
  const why = { reason: options.reason ?? '' }
  switch (act.act) {
    case 'traffic':
      return ask(options, 'GET', base)
    case 'challenge':
      return ask(options, 'POST', `${base}/challengers`, challengeOf(act.version, options))
    case 'confirm':
    case 'withdraw':
      return ask(options, 'POST', `${base}/proposals/${act.proposal}/${act.act}`, why)
    case 'end':
      return ask(options, 'POST', `${base}/challengers/${encodeURIComponent(act.name)}/end`, why)
    case 'suspend':
    case 'resume':
      return ask(options, 'POST', `${base}/${act.act}`, why)
  }
}

function challengeOf(version: string, options: EndpointOptions): BodyOf<'proposeChallenger'> {
  const { name, mode = 'shadow', share, when, sticky, reason = '' } = options
  const steps = options.step?.map((text) => {
    const [part, holdMinutes, minDecisions] = text.split(':').map(Number)
    return { share: part, holdMinutes, minDecisions }
  })
  const guards = options.guard?.map((text) => {
    const [guard, value] = text.split('=')
    return [guard, Number(value)] as const
  })
  return {
    version: Number(version),
    mode,
    reason,
    ...(name !== undefined && { name }),
    ...(share !== undefined && { share: Number(share) }),
    ...(when !== undefined && { when }),
    ...(sticky !== undefined && { sticky }),
    ...(steps !== undefined && { steps }),
    ...(guards !== undefined && { guards: Object.fromEntries(guards) }),
  }
}

async function ask(
  options: EndpointOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Endpoint> {
  if (options.keyFile === undefined) {
    throw commandErrors.option_invalid(
      'Name the file with your own key by --key-file: two people are two keys.',
    )
  }
  const key = await readFile(options.keyFile, 'utf8').catch((cause: Error) => {
    throw commandErrors.input_unreadable(`${options.keyFile}: ${cause.message}`, { cause })
  })
  const address = options.url ?? requireServer(options.home).server.url
  const url = new URL(`api/v1/${path}`, address.replace(/\/*$/, '/'))
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key.trim()}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((cause: Error) => {
    throw commandErrors.server_unreachable(`${url.origin}: ${cause.message}`, { cause })
  })
  const answer: unknown = await response.json()
  if (response.ok) return answer as Endpoint
  const problem = answer as Problem
  const { code, status, title, action, detail } = problem
  throw new AssayError(code, { status, title, action }, detail ?? title)
}

function say(endpoint: Endpoint, line: (text: string) => void, out: Terminal['out']): void {
  line(endpoint.verdict.sentence)
  printTable(
    out,
    ['who', 'version', 'share', 'how', 'health'],
    [
      [
        'champion',
        endpoint.champion.title,
        percent(endpoint.championShare),
        '',
        endpoint.suspended === null ? '' : `suspended: ${endpoint.suspended.reason}`,
      ],
      ...endpoint.traffic.map(({ name, version, share, mode, health }) => [
        name,
        version.title,
        percent(share),
        mode,
        health.sentence,
      ]),
    ],
  )
  for (const { id, sentence, by, reason } of endpoint.open) {
    line(`Waits for a second person: ${sentence}, proposed by ${by.name}: ${reason} (${id})`)
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
