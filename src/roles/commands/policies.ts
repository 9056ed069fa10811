// What `assay policies` and `assay lists` do: the same operations as the page's, by a person's own key,
// because who wrote, proposed and approved a policy counts.
import { readFile } from 'node:fs/promises'
import {
  exitCodes,
  printTable,
  type ListsAct,
  type PoliciesAct,
  type PoliciesOptions,
  type Terminal,
  type TextOutput,
} from '../../cli/index.ts'
import { AssayError, type Problem } from '../../lib/errors.ts'
import { requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

const ANSWER_WITHIN_MS = 60_000
const GIVEN_REASON = 'By hand, from the terminal'

// oxlint-disable-next-line typescript/no-explicit-any
type Answer = any
type Call = (method: string, path: string, body?: unknown) => Promise<Answer>

export async function policies(
  act: PoliciesAct,
  options: PoliciesOptions,
  { out }: Terminal,
): Promise<number> {
  const call = await caller(options)
  const at = `policies/${encodeURIComponent(act.policy)}`
  const answer = await answerTo(act, at, options, call)
  if (options.json) out.line(JSON.stringify(answer, null, 2))
  else say(act, answer, out)
  const mistakes: unknown[] = answer.mistakes ?? []
  return mistakes.length === 0 ? exitCodes.ok : exitCodes.notHeld
}

async function answerTo(
  act: PoliciesAct,
  at: string,
  { reason = GIVEN_REASON, draft: changed }: PoliciesOptions,
  call: Call,
): Promise<Answer> {
  switch (act.act) {
    case 'show':
      return call('GET', `${at}/work`)
    case 'check':
    case 'try': {
      const { parts, tests } = await contentOf(act.file)
      const body = act.act === 'try' ? { parts } : { parts, tests }
      return call('POST', `${at}/${act.act}`, body)
    }
    case 'draft': {
      const body = { ...(await contentOf(act.file)), reason }
      return changed === undefined
        ? call('POST', `${at}/drafts`, body)
        : call('PUT', `${at}/drafts/${encodeURIComponent(changed)}`, body)
    }
    case 'pause':
    case 'resume':
      return call('POST', `${at}/rules/${encodeURIComponent(act.rule)}/${act.act}`, { reason })
    case 'approve':
    case 'refuse': {
      const draft = `${at}/drafts/${encodeURIComponent(act.draft)}`
      const { binds } = await call('GET', draft)
      return call('POST', `${draft}/verdicts`, { verdict: act.act, reason, binds })
    }
    default: {
      const draft = `${at}/drafts/${encodeURIComponent(act.draft)}`
      return call('POST', `${draft}/acts`, { action: act.act, reason })
    }
  }
}

function say(act: PoliciesAct, answer: Answer, out: TextOutput): void {
  switch (act.act) {
    case 'show':
      printTable(
        out,
        ['rule', 'when', 'then', 'paused'],
        answer.parts.rules.map((rule: Answer) => [
          rule.name,
          rule.when,
          rule.then ?? 'signal',
          answer.paused.find((each: Answer) => each.rule === rule.name)?.reason ?? '–',
        ]),
      )
      for (const { id, state, sentence } of answer.drafts) out.line(`${id} ${state}: ${sentence}`)
      return
    case 'check':
      for (const { sentence } of answer.mistakes) out.line(sentence)
      for (const { name, sentence } of answer.results) out.line(`${name}: ${sentence}`)
      for (const difference of answer.differences) out.line(difference)
      return
    case 'draft':
      out.line(`${answer.id} ${answer.state}: ${answer.sentence}`)
      for (const difference of answer.differences) out.line(difference)
      return
    default:
      out.line(answer.sentence)
  }
}

export async function lists(
  act: ListsAct,
  options: PoliciesOptions,
  { out }: Terminal,
): Promise<number> {
  const call = await caller(options)
  const at = act.list === undefined ? 'lists' : `lists/${encodeURIComponent(act.list)}/entries`
  if (act.act !== 'show') {
    const { reason = GIVEN_REASON, until, file } = options
    const csv = file === undefined ? {} : { csv: await textOf(file) }
    const body = { change: act.act, values: act.values, ...csv, ...(until && { until }), reason }
    const answer = await call('POST', at, body)
    out.line(options.json ? JSON.stringify(answer, null, 2) : answer.sentence)
    return exitCodes.ok
  }
  const answer = await call('GET', at)
  if (options.json) out.line(JSON.stringify(answer, null, 2))
  else if (act.list === undefined) {
    printTable(
      out,
      ['list', 'column', 'entries', 'expired'],
      answer.lists.map((list: Answer) => [
        list.name,
        list.column,
        String(list.entries),
        String(list.expired),
      ]),
    )
  } else {
    printTable(
      out,
      ['value', 'until', 'by', 'reason'],
      answer.items.map((entry: Answer) => [
        entry.value,
        `${entry.until ?? 'for good'}${entry.expired ? ' (expired)' : ''}`,
        entry.by.name,
        entry.reason,
      ]),
    )
  }
  return exitCodes.ok
}

async function contentOf(file: string): Promise<{ parts: unknown; tests: unknown }> {
  try {
    const { parts, tests = [] } = JSON.parse(await textOf(file))
    return { parts, tests }
  } catch (cause) {
    if (cause instanceof AssayError) throw cause
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
}

/** Calls the API of the server of the home directory, or of another one, with a person's key. */
async function caller({ url, home, keyFile }: PoliciesOptions): Promise<Call> {
  const base = url ?? requireServer(home).server.url
  if (keyFile === undefined) {
    throw commandErrors.option_invalid('Name the file that holds your key with --key-file.')
  }
  const key = (await textOf(keyFile)).trim()
  return async (method, path, body) => {
    let response: Response
    try {
      response = await fetch(`${base.replace(/\/*$/, '')}/api/v1/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
    } catch (cause) {
      throw commandErrors.server_unreachable(`${base}: ${(cause as Error).message}`, { cause })
    }
    const answer: Answer = await response.json()
    if (response.ok) return answer
    const {
      code = 'server_unreachable',
      title = code,
      action = '',
      detail = title,
    } = answer as Partial<Problem>
    throw new AssayError(code, { status: response.status, title, action }, detail)
  }
}
