// What `assay policies` and `assay lists` do: the same operations as the page's, by a person's own key,
// because who wrote, proposed and approved a policy counts.
import {
  exitCodes,
  printTable,
  type ListsAct,
  type PoliciesAct,
  type PoliciesOptions,
  type Terminal,
  type TextOutput,
} from '../../cli/index.ts'
import { AssayError } from '../../lib/errors.ts'
import type { BodyOf, ResponseOf } from '../../server/contract/index.ts'
import { askAs, textOfFile, type Ask } from './api.ts'
import { commandErrors } from './errors.ts'

const GIVEN_REASON = 'By hand, from the terminal'

/** What the server answered, and how the terminal tells it. */
interface Told {
  readonly answer: unknown
  readonly say: (out: TextOutput) => void
  /** Mistakes, and tests that do not hold. */
  readonly wrong?: number
}

export async function policies(
  act: PoliciesAct,
  options: PoliciesOptions,
  { out }: Terminal,
): Promise<number> {
  const told = await answerTo(act, options, await askAs(options))
  if (options.json) out.line(JSON.stringify(told.answer, null, 2))
  else told.say(out)
  return (told.wrong ?? 0) === 0 ? exitCodes.ok : exitCodes.notHeld
}

async function answerTo(act: PoliciesAct, options: PoliciesOptions, ask: Ask): Promise<Told> {
  const { policy } = act
  const { reason = GIVEN_REASON, draft: changed } = options
  switch (act.act) {
    case 'show':
      return changed === undefined
        ? work(await ask('policyWork', { params: { policy } }))
        : one(await ask('draft', { params: { policy, draft: changed } }))
    case 'check': {
      const { parts, tests } = await contentOf(act.file)
      return check(await ask('checkDraft', { params: { policy }, body: { parts, tests } }))
    }
    case 'try': {
      const { parts } = await contentOf(act.file)
      return sentence(await ask('tryDraft', { params: { policy }, body: { parts } }))
    }
    case 'draft': {
      const { binds, ...content } = await contentOf(act.file)
      const body = { ...content, reason }
      if (changed === undefined) return saved(await ask('newDraft', { params: { policy }, body }))
      if (binds === undefined) {
        throw commandErrors.option_invalid(
          `${act.file} does not say as what the draft was read. Take the file from \`assay policies show ${policy} --draft ${changed} --json\`, which has "binds", and change that.`,
        )
      }
      const params = { policy, draft: changed }
      return saved(await ask('saveDraft', { params, body: { ...body, binds } }))
    }
    case 'pause':
    case 'resume': {
      const name = act.act === 'pause' ? 'pauseRule' : 'resumeRule'
      return sentence(await ask(name, { params: { policy, rule: act.rule }, body: { reason } }))
    }
    case 'approve':
    case 'refuse': {
      const params = { policy, draft: act.draft }
      const { binds } = await ask('draft', { params })
      return sentence(
        await ask('answerDraft', { params, body: { verdict: act.act, reason, binds } }),
      )
    }
    default: {
      const params = { policy, draft: act.draft }
      return sentence(await ask('actOnDraft', { params, body: { action: act.act, reason } }))
    }
  }
}

function sentence(answer: { readonly sentence: string }): Told {
  return { answer, say: (out) => out.line(answer.sentence) }
}

function work(answer: ResponseOf<'policyWork'>): Told {
  const { parts, paused, drafts } = answer
  const say = (out: TextOutput) => {
    printTable(
      out,
      ['rule', 'when', 'then', 'paused'],
      parts.rules.map(({ name, when, then }) => [
        name,
        when,
        then ?? 'signal',
        paused.find(({ rule }) => rule === name)?.reason ?? '–',
      ]),
    )
    for (const draft of drafts) out.line(`${draft.id} ${draft.state}: ${draft.sentence}`)
  }
  return { answer, say }
}

function check(answer: ResponseOf<'checkDraft'>): Told {
  const { mistakes, results, differences } = answer
  const say = (out: TextOutput) => {
    for (const mistake of mistakes) out.line(mistake.sentence)
    for (const { name, passed, sentence: why } of results) {
      out.line(`${name}: ${passed ? '' : 'does not hold: '}${why}`)
    }
    for (const difference of differences) out.line(difference)
  }
  return { answer, say, wrong: mistakes.length + results.filter(({ passed }) => !passed).length }
}

function one(answer: ResponseOf<'draft'>): Told {
  const { id, state, parts, results, differences } = answer
  const say = (out: TextOutput) => {
    out.line(`${id} ${state}: ${answer.sentence}`)
    for (const { name, when, then } of parts.rules)
      out.line(`${name} (${then ?? 'signal'}): ${when}`)
    for (const result of results) out.line(`${result.name}: ${result.sentence}`)
    for (const difference of differences) out.line(difference)
  }
  return { answer, say }
}

function saved(answer: ResponseOf<'newDraft'>): Told {
  const { id, state, differences } = answer
  const say = (out: TextOutput) => {
    out.line(`${id} ${state}: ${answer.sentence}`)
    for (const difference of differences) out.line(difference)
  }
  return { answer, say }
}

export async function lists(
  act: ListsAct,
  options: PoliciesOptions,
  { out }: Terminal,
): Promise<number> {
  const ask = await askAs(options)
  const told = await answerOfLists(act, options, ask)
  if (options.json) out.line(JSON.stringify(told.answer, null, 2))
  else told.say(out)
  return exitCodes.ok
}

async function answerOfLists(act: ListsAct, options: PoliciesOptions, ask: Ask): Promise<Told> {
  if (act.act !== 'show') {
    const { reason = GIVEN_REASON, until, file } = options
    const csv = file === undefined ? {} : { csv: await textOfFile(file) }
    const body = {
      change: act.act,
      values: [...act.values],
      ...csv,
      ...(until && { until }),
      reason,
    }
    return sentence(await ask('changeListEntries', { params: { list: act.list }, body }))
  }
  if (act.list !== undefined) {
    return entries(await ask('listEntries', { params: { list: act.list } }))
  }
  const answer = await ask('lists')
  const rows = answer.lists.map(({ name, column, entries: n, expired }) => {
    return [name, column, String(n), String(expired)]
  })
  const head = ['list', 'column', 'entries', 'expired']
  return { answer, say: (out) => printTable(out, head, rows) }
}

function entries(answer: ResponseOf<'listEntries'>): Told {
  const rows = answer.items.map(({ value, until, expired, by, reason }) => {
    return [value, `${until ?? 'for good'}${expired ? ' (expired)' : ''}`, by.name, reason]
  })
  return { answer, say: (out) => printTable(out, ['value', 'until', 'by', 'reason'], rows) }
}

type Content = BodyOf<'checkDraft'> & Pick<BodyOf<'saveDraft'>, 'binds'>

/** What a file says of a draft; the server holds it against its schema. Error: `input_unreadable`. */
async function contentOf(file: string): Promise<Content> {
  try {
    const {
      parts,
      tests = [],
      binds,
    } = JSON.parse(await textOfFile(file)) as Partial<Content> & Pick<Content, 'parts'>
    return { parts, tests, ...(binds !== undefined && { binds }) }
  } catch (cause) {
    if (cause instanceof AssayError) throw cause
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
}
