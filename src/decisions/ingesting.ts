// Events and labels that are fed in without asking for a decision: one answer a row, and each row
// once, however often it is sent.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AssayError, isAssayError } from '../lib/errors.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { ReadyLabels, ReadySource } from './contracts.ts'
import { readySource } from './contracts.ts'
import {
  checkEvent,
  durably,
  enterOther,
  enterState,
  invalidEvent,
  recordEvent,
  refuseOtherEvent,
} from './deciding.ts'
import type { Checked, Entered } from './deciding.ts'
import { decisionErrors } from './errors.ts'
import { labelKey, labelMark, labelStatementKey, readLabelMark } from './keys.ts'
import {
  appendRecord,
  findEvent,
  findKey,
  isRecent,
  nextSequence,
  refusePaused,
  sourceNowUs,
} from './namespace.ts'
import type { KnownEvent, Namespace, Recent } from './namespace.ts'
import type { IndexEntry } from './ports.ts'
import type { LabelRecord } from './records.ts'
import type { RowAnswer } from './remote.ts'

export const ROWS_MAX = 10_000

/** Rows between two turns of the event loop, so that decisions are answered meanwhile. */
const ROWS_PER_TURN = 64

/** Feeds rows of a source or of labels; answers when all that was accepted is on disk. */
export async function ingestRows(
  namespace: Namespace,
  name: string,
  rows: readonly unknown[],
  author: string,
): Promise<RowAnswer[]> {
  if (rows.length > ROWS_MAX) {
    throw decisionErrors.batch_too_large(`The request has ${rows.length} rows.`)
  }
  const take = rowTaker(namespace, name, author)
  const taken: Taken[] = []
  for (const [i, row] of rows.entries()) {
    if (i > 0 && i % ROWS_PER_TURN === 0) await nextTurn()
    taken.push(takeOne(take, row))
  }
  return await Promise.all(taken.map(settle))
}

/** A row's answer, and what must be on disk before it may be given. */
interface Taken {
  readonly answer: RowAnswer
  readonly durable: Promise<void> | undefined
}

function rowTaker(namespace: Namespace, name: string, author: string): (row: unknown) => Taken {
  const labels = namespace.labels.get(name)
  if (labels !== undefined) return (row) => takeLabel(namespace, labels, row, author)
  const source = namespace.sources.get(name) ?? stateSource(namespace, name)
  if (source !== undefined) return (row) => takeEvent(namespace, source, row)
  refusePaused(namespace)
  const known = [...namespace.sources.keys(), ...namespace.labels.keys()].join(', ') || 'none yet'
  throw decisionErrors.source_not_found(`"${name}" is not declared here; declared: ${known}.`)
}

/** A source that live state reads, as a base has it before a policy is deployed. */
function stateSource({ state }: Namespace, name: string): ReadySource | undefined {
  if (state === undefined) return undefined
  const source = [state.source, ...state.others].find((each) => each.name === name)
  return source && readySource(source)
}

function takeOne(take: (row: unknown) => Taken, row: unknown): Taken {
  try {
    return take(row)
  } catch (error) {
    if (!isAssayError(error)) throw error
    return { answer: refusal(error, null), durable: undefined }
  }
}

async function settle({ answer, durable }: Taken): Promise<RowAnswer> {
  try {
    if (durable !== undefined) await durably(durable)
    return answer
  } catch (error) {
    if (!isAssayError(error)) throw error
    return refusal(error, answer.eventId)
  }
}

function refusal({ code, detail, extra }: AssayError, eventId: string | null): RowAnswer {
  const failures = (extra?.['failures'] ?? []) as (RowAnswer & { status: 'refused' })['failures']
  return { status: 'refused', eventId, code, detail, failures }
}

function duplicateOf(known: KnownEvent, eventId: string): Taken {
  return {
    answer: { status: 'duplicate', eventId, sequence: known.sequence },
    durable: isRecent(known) ? known.durable : undefined,
  }
}

function takeEvent(namespace: Namespace, source: ReadySource, body: unknown): Taken {
  const parsed = source.parser.fromJson(body)
  if (!parsed.ok) throw invalidEvent(source, parsed.failures)
  refusePaused(namespace)
  const { name } = source.source
  const known = findEvent(namespace, name, source.eventId(parsed.row))
  const checked = checkEvent(namespace, source, parsed.row, known === undefined)
  if (known !== undefined) {
    refuseOtherEvent(known, checked)
    return duplicateOf(known, checked.eventId)
  }
  const sequence = nextSequence(namespace)
  const { durable } = recordEvent(namespace, checked, enterAny(namespace, checked, sequence))
  const { eventId, late } = checked
  return { answer: { status: 'accepted', eventId, sequence, late }, durable }
}

/** An event of the state's own source gets its features; one of a further source only enters. */
function enterAny(namespace: Namespace, checked: Checked, sequence: number): Entered {
  const { state } = namespace
  const { name } = checked.source.source
  if (state === undefined || name === state.source.name) {
    return enterState(namespace, checked, sequence)
  }
  enterOther(namespace, checked, sequence)
  return { entry: 'new', vector: new Float64Array(0) }
}

function takeLabel(
  namespace: Namespace,
  { labels, parser, nameOf }: ReadyLabels,
  body: unknown,
  requester: string,
): Taken {
  const parsed = parser.fromJson(body)
  if (!parsed.ok) {
    const { failures } = parsed
    throw decisionErrors.label_invalid(
      `The row is no label of "${labels.name}": ${failures[0]?.message ?? ''}`,
      { extra: { failures } },
    )
  }
  refusePaused(namespace)
  const { eventId, value: code } = parsed.label
  const receivedAtUs = namespace.options.clock.nowUs()
  const nowUs = sourceNowUs(namespace)
  const arrivalTimeUs = parsed.label.arrivalTimeUs ?? nowUs ?? receivedAtUs
  if (nowUs !== null && arrivalTimeUs > nowUs + (futureUsOf(namespace, labels.of) ?? 0)) {
    throw decisionErrors.event_in_future(
      `The label of event ${eventId} arrived at ${formatTimestamp(arrivalTimeUs)}, and the source's clock says ${formatTimestamp(nowUs)}.`,
    )
  }
  const facts = { eventId, code, arrivalTimeUs, author: parsed.label.author ?? requester }
  const current = findKey(namespace, labelKey(labels.name, eventId))
  const known = knownLabel(namespace, labels.name, facts, current, parsed.label.arrivalTimeUs)
  if (known !== undefined) return duplicateOf(known, eventId)
  const record: LabelRecord = {
    type: 'label',
    source: labels.name,
    of: labels.of,
    eventId,
    value: nameOf(code),
    code,
    positive: nameOf(code) === labels.positive,
    eventTimeUs: parsed.label.eventTimeUs ?? null,
    arrivalTimeUs,
    receivedAtUs,
    author: facts.author,
    holds: current === undefined || arrivalTimeUs >= readLabelMark(current.bodyHash).arrivalTimeUs,
  }
  const sequence = nextSequence(namespace)
  const { durable } = appendRecord(namespace, record, sequence)
  namespace.state?.note(record, sequence)
  return { answer: { status: 'accepted', eventId, sequence, late: false }, durable }
}

function futureUsOf(namespace: Namespace, source: string): number | undefined {
  return (namespace.sources.get(source) ?? stateSource(namespace, source))?.source.futureUs
}

/**
 * The record that already says this. With a stated arrival the whole statement must be the same;
 * without one, the label that holds must have the same value by the same author, because a label
 * that is sent again would otherwise arrive anew each time.
 */
function knownLabel(
  namespace: Namespace,
  labels: string,
  facts: { eventId: string; code: number; arrivalTimeUs: number; author: string },
  current: Recent | IndexEntry | undefined,
  statedArrivalUs: number | undefined,
): Recent | IndexEntry | undefined {
  if (statedArrivalUs !== undefined) return findKey(namespace, labelStatementKey(labels, facts))
  if (current === undefined) return undefined
  const { says } = readLabelMark(labelMark(facts))
  return readLabelMark(current.bodyHash).says === says ? current : undefined
}
