// From one body to one answer: known before, or checked, entered, scored, recorded, and answered
// once it is on disk.
import { timeliness } from '../data/index.ts'
import type { Row } from '../data/index.ts'
import { monotonicUs } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import { formatTimestamp } from '../lib/time.ts'
import { eventHashOf } from './contracts.ts'
import type { ReadySource } from './contracts.ts'
import type { SuspendedModel } from './controls.ts'
import type { Circumstances, Decision } from './engine.ts'
import { decisionErrors } from './errors.ts'
import { expired } from './expired.ts'
import type { HeldEvent } from './held-events.ts'
import { decisionKey } from './keys.ts'
import {
  appendRecord,
  findEvent,
  findKey,
  isHeld,
  isRecent,
  nextSequence,
  pauseAndRebuild,
  refusePaused,
  sourceNowUs,
} from './namespace.ts'
import type { KnownEvent, LiveDeployment, Namespace, Recent } from './namespace.ts'
import type { IndexEntry } from './ports.ts'
import { readPayload } from './payload.ts'
import { fallbackDefaults } from './policy.ts'
import { answerOf, decodeRecord, isEventful, typeOf } from './records.ts'
import type {
  DecisionRecord,
  Entry,
  EventBody,
  EventRecord,
  ExpiredRecord,
  JournalRecord,
  Origin,
  RuleRecord,
} from './records.ts'
import type { AnswerBody } from './remote.ts'
import type { OutsideAnswers } from './scorer.ts'
import type { Decided } from './service.ts'
import { askShadows } from './shadows.ts'

/** An event that passed its contract and whose time was judged. */
export interface Checked {
  readonly source: ReadySource
  readonly row: Row
  readonly event: EventBody
  readonly eventHash: string
  readonly eventId: string
  readonly eventTimeUs: number
  readonly clockUs: number
  readonly late: boolean
}

/** The values that an event is decided on, and how they came about. */
export interface Entered {
  readonly entry: Entry
  readonly vector: Float64Array
}

/**
 * Decides on a body. Refusals throw an AssayError and keep no key. Between the first look at the
 * keys and the append nothing is awaited, except where the event had entered before. Where a model
 * outside of the process is asked, the event therefore enters first, by a record of its own.
 */
export async function decideOn(
  namespace: Namespace,
  policy: string,
  body: unknown,
  origin?: Origin,
): Promise<Decided> {
  const startedUs = monotonicUs()
  const live = livePolicy(namespace, policy)
  const bodyHash = contentHash(body)
  const parsed = live.source.parser.fromJson(body)
  const eventId = parsed.ok ? live.source.eventId(parsed.row) : live.source.claimedId(body)
  if (eventId !== undefined) {
    const known = findKey(namespace, decisionKey(policy, eventId))
    if (known !== undefined) return await answerAgain(namespace, known, bodyHash, policy, eventId)
  }
  if (!parsed.ok) throw invalidEvent(live.source, parsed.failures)
  refusePaused(namespace)
  const checked = checkEvent(namespace, live.source, parsed.row)
  const contractUs = monotonicUs()
  const before = findEvent(namespace, live.source.source.name, checked.eventId)
  const { held } = namespace
  if (before !== undefined) refuseOtherEvent(before, checked)
  // Reading a record takes time, in which the same question may have been asked and answered.
  let recorded = before === undefined ? undefined : await valuesOf(namespace, before)
  let outside: OutsideAnswers = noAnswers
  if (live.engine.asksOutside) {
    refusePaused(namespace)
    recorded ??= enterAhead(namespace, checked)
    const { vector } = enteredBefore(namespace, recorded)
    const { policy: asked } = live.document
    const down = suspendedModels(namespace, policy)
    const ladder = live.engine.ladder(checked.row, vector).filter(({ name }) => !down.has(name))
    outside = await namespace.outside.ask(ladder, vector, asked.fallback ?? fallbackDefaults)
  }
  if (recorded !== undefined) {
    const known = findKey(namespace, decisionKey(policy, checked.eventId))
    if (known !== undefined)
      return await answerAgain(namespace, known, bodyHash, policy, checked.eventId)
    refusePaused(namespace)
    // Another base may know nothing of what the one before held.
    if (namespace.held !== held) return await decideOn(namespace, policy, body, origin)
  }
  const sequence = nextSequence(namespace)
  const entered =
    recorded === undefined
      ? enterState(namespace, checked, sequence)
      : enteredBefore(namespace, recorded)
  const featuresUs = monotonicUs()
  const current = recorded === undefined ? live : livePolicy(namespace, policy)
  const circumstances = circumstancesNow(namespace, policy, checked, outside)
  const decision = decideEntered(namespace, current, { checked, entered, circumstances })
  const decidedUs = monotonicUs()
  const record = decisionRecord(
    namespace,
    current,
    { checked, entered, decision, bodyHash, origin },
    {
      contractUs: Math.round(contractUs - startedUs),
      featuresUs: Math.round(featuresUs - contractUs),
      decisionUs: Math.round(decidedUs - featuresUs),
    },
  )
  const answer = answerBody(record, namespace.name, sequence)
  const appended = appendRecord(namespace, record, sequence, answer)
  namespace.state!.note(record, sequence)
  if (origin !== undefined) namespace.offsets.note(origin)
  pauseOverCap(namespace, current, record)
  askShadows(namespace, current, { checked, entered, circumstances, record, sequence })
  await durably(appended.durable)
  const { outcome, rulesFailed, unanswered } = record
  const notes = { ...(rulesFailed && { rulesFailed }), ...(unanswered && { unanswered }) }
  return { replayed: false, body: answer, outcome, ...notes }
}

/** The deployment that decides now. */
export function livePolicy(namespace: Namespace, policy: string): LiveDeployment {
  const live = namespace.policies.get(policy)
  if (live !== undefined) return live
  if (namespace.pause !== undefined) refusePaused(namespace)
  const names = [...namespace.policies.keys()].join(', ') || 'none yet'
  throw decisionErrors.policy_not_found(`"${policy}" is not deployed here; deployed: ${names}.`)
}

/** Waits for the disk; what it refuses is answered as a pause, because nothing was recorded. */
export async function durably(durable: Promise<void>): Promise<void> {
  try {
    await durable
  } catch (cause) {
    throw decisionErrors.decisions_paused('The record could not be written to disk.', {
      cause,
      extra: { retryAfter: 1 },
    })
  }
}

export function invalidEvent(source: ReadySource, failures: readonly { message: string }[]) {
  const { name } = source.source
  const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : ''
  return decisionErrors.event_invalid(
    `The event is not one of the source "${name}": ${failures[0]?.message ?? ''}${more}`,
    { extra: { failures } },
  )
}

/**
 * Judges the time of an event that passed its contract. Error: `event_in_future`, unless the event
 * is one that was accepted before.
 */
export function checkEvent(
  namespace: Namespace,
  source: ReadySource,
  row: Row,
  isNew = true,
): Checked {
  const eventId = source.eventId(row)
  const eventTimeUs = source.eventTimeUs(row)
  const nowUs = sourceNowUs(namespace)
  const time = nowUs === null ? 'on time' : timeliness(source.source, eventTimeUs, nowUs)
  if (time === 'future' && isNew) {
    throw decisionErrors.event_in_future(
      `Event ${eventId} is of ${formatTimestamp(eventTimeUs)}, and the source's clock says ${formatTimestamp(nowUs!)}.`,
    )
  }
  const event = source.body(row)
  const late = time === 'late' || isTooLate(namespace, eventTimeUs, source.source.name)
  const clockUs = nowUs ?? eventTimeUs
  return { source, row, event, eventHash: eventHashOf(event), eventId, eventTimeUs, clockUs, late }
}

/** Also where nobody can say any more if it has entered: better not at all than twice. */
function isTooLate({ state, held }: Namespace, eventTimeUs: number, source: string): boolean {
  if (state === undefined) return false
  return state.isTooLate(eventTimeUs, source) || (held?.isBeyond(source, eventTimeUs) ?? false)
}

/** Lets a new event enter state; what is too late stays outside, and has no feature values. */
export function enterState(namespace: Namespace, checked: Checked, sequence: number): Entered {
  const { state } = namespace
  if (state === undefined) {
    throw decisionErrors.not_ready('Live state is not loaded yet.', { extra: { retryAfter: 1 } })
  }
  if (isTooLate(namespace, checked.eventTimeUs, checked.source.source.name)) {
    return { entry: 'too-late', vector: state.missing() }
  }
  try {
    const vector = state.enter(checked.row, sequence)
    namespace.online?.touch(checked.row)
    return { entry: 'new', vector }
  } catch (error) {
    // Half of an event may have entered.
    pauseAndRebuild(namespace, error)
    throw error
  }
}

/**
 * Lets a new event of a further source enter state. Error: `event_too_late`; no decision waits for
 * it, so what would count for nothing is not taken.
 */
export function enterOther(namespace: Namespace, checked: Checked, sequence: number): void {
  const state = namespace.state!
  const { source, row, eventId, eventTimeUs } = checked
  const { name } = source.source
  if (isTooLate(namespace, eventTimeUs, name)) {
    throw decisionErrors.event_too_late(
      `Event ${eventId} of source "${name}" is of ${formatTimestamp(eventTimeUs)}; the newest event ` +
        `of "${state.source.name}" is of ${formatTimestamp(state.newestEventTimeUs!)}.`,
    )
  }
  try {
    state.enterOther(name, row, sequence)
  } catch (error) {
    // Half of an event may have entered.
    pauseAndRebuild(namespace, error)
    throw error
  }
}

/** Records an event that has entered without being decided; `entered` is of the next sequence. */
export function recordEvent(namespace: Namespace, checked: Checked, { entry, vector }: Entered) {
  const { source, eventId, event, eventHash, eventTimeUs, clockUs, late } = checked
  const record: EventRecord = {
    type: 'event',
    source: source.source.name,
    eventId,
    event,
    eventHash,
    entry: entry === 'too-late' ? 'too-late' : 'new',
    eventTimeUs,
    receivedAtUs: namespace.options.clock.nowUs(),
    clockUs,
    late,
    features: plainVector(vector),
    layout: namespace.state!.layout.version,
  }
  const sequence = nextSequence(namespace)
  const appended = appendRecord(namespace, record, sequence)
  namespace.state!.note(record, sequence)
  return appended
}

/** Lets an event enter before a model outside is asked: others are decided while it is waited for. */
function enterAhead(namespace: Namespace, checked: Checked): Recorded {
  const entered = enterState(namespace, checked, nextSequence(namespace))
  // What the disk refuses here it refuses for the decision too, which is waited for.
  recordEvent(namespace, checked, entered).durable.catch(() => {})
  return { layout: namespace.state!.layout.version, vector: entered.vector }
}

/** The same event id must stand for the same event, whichever door it comes through. */
export function refuseOtherEvent(before: KnownEvent, checked: Checked): void {
  const isSame = isHeld(before)
    ? checked.eventHash.startsWith(before.digest)
    : before.bodyHash === checked.eventHash
  if (isSame) return
  throw conflict(`Event ${checked.eventId} of source "${checked.source.source.name}"`)
}

function conflict(what: string) {
  return decisionErrors.event_id_conflict(`${what} was received before with other content.`)
}

async function recordOf(namespace: Namespace, entry: Recent | IndexEntry): Promise<JournalRecord> {
  if (isRecent(entry)) {
    await durably(entry.durable)
    return entry.record
  }
  return decodeRecord(await readPayload(namespace, entry.sequence))
}

/** The values that an event entered with, and the features that they are of. */
interface Recorded {
  readonly layout: string
  /** Undefined where they were not kept. */
  readonly vector: Float64Array | undefined
}

/** The values of an event that had entered before are those of then, as decided. */
async function valuesOf(namespace: Namespace, before: KnownEvent): Promise<Recorded> {
  if (isHeld(before)) return await heldValues(namespace, before)
  const recorded = await recordOf(namespace, before)
  if (!isEventful(recorded)) {
    return { layout: '', vector: undefined }
  }
  const vector = Float64Array.from(recorded.features, (value) => value ?? Number.NaN)
  return { layout: recorded.layout, vector }
}

async function heldValues({ held }: Namespace, before: HeldEvent): Promise<Recorded> {
  return { layout: held!.place.layout, vector: await held!.valuesOf(before) }
}

/**
 * Where it entered when other features were live, or its values were not kept, they are missing:
 * looking again would count the event twice.
 */
function enteredBefore({ state }: Namespace, { layout, vector }: Recorded): Entered {
  const isKept = vector !== undefined && layout === state!.layout.version
  return { entry: 'known', vector: isKept ? vector : state!.missing() }
}

/**
 * Rules and model on an event that has entered. If that fails (a defect), the event must leave state
 * again, because no record of it will exist.
 */
function decideEntered(
  namespace: Namespace,
  live: LiveDeployment,
  {
    checked,
    entered: { entry, vector },
    circumstances,
  }: {
    readonly checked: Checked
    readonly entered: Entered
    readonly circumstances: Circumstances
  },
): Decision {
  try {
    return live.engine.decide(checked.row, vector, circumstances)
  } catch (error) {
    if (entry === 'new') pauseAndRebuild(namespace, error)
    throw error
  }
}

export const saySuspended = ({ actor, reason }: SuspendedModel) =>
  `Suspended by ${actor}: ${reason}`

const noneDown: Circumstances['unanswered'] = new Map()

function suspendedModels({ controls }: Namespace, policy: string): Circumstances['unanswered'] {
  const down = controls.suspended(policy)
  return down === undefined ? noneDown : new Map([['champion', saySuspended(down)]])
}

const noAnswers: OutsideAnswers = new Map()

/** Lists are judged by the source's clock, as times of events are. */
function circumstancesNow(
  namespace: Namespace,
  policy: string,
  { clockUs }: Checked,
  outside: OutsideAnswers,
): Circumstances {
  const { controls } = namespace
  return {
    isListed: (list, value) => controls.isListed(list, value, clockUs),
    paused: controls.pausedRules(policy),
    unanswered: suspendedModels(namespace, policy),
    outside,
  }
}

/** A rule that fires above its declared cap pauses itself, from the next event on, and says so. */
function pauseOverCap(namespace: Namespace, live: LiveDeployment, record: DecisionRecord): void {
  const { controls } = namespace
  const over = controls.noteFired(live.document, record.rules, record.clockUs)
  for (const { rule, fired, cap } of over) {
    const pause: RuleRecord = {
      type: 'rule',
      policy: record.policy,
      rule,
      change: 'pause',
      actor: 'assay',
      reason: `It fired ${fired} times within an hour; its cap is ${cap}.`,
      receivedAtUs: namespace.options.clock.nowUs(),
    }
    const sequence = nextSequence(namespace)
    controls.apply(pause, sequence)
    appendRecord(namespace, pause, sequence).durable.catch(() => {})
  }
}

interface Made {
  readonly checked: Checked
  readonly entered: Entered
  readonly decision: Decision
  readonly bodyHash: string
  readonly origin: Origin | undefined
}

function decisionRecord(
  namespace: Namespace,
  live: LiveDeployment,
  { checked, entered, decision: { result, model }, bodyHash, origin }: Made,
  timings: DecisionRecord['timings'],
): DecisionRecord {
  const { document, deployment } = live
  const { policy } = document
  return {
    type: 'decision',
    policy: policy.name,
    source: document.source.name,
    eventId: checked.eventId,
    event: checked.event,
    bodyHash,
    eventHash: checked.eventHash,
    shown: checked.source.shown(checked.row),
    entry: entered.entry,
    eventTimeUs: checked.eventTimeUs,
    receivedAtUs: namespace.options.clock.nowUs(),
    clockUs: checked.clockUs,
    late: checked.late,
    features: plainVector(entered.vector),
    layout: namespace.state!.layout.version,
    ...result,
    versions: {
      deployment,
      policy: policy.version,
      model: model.version,
      modelName: model.name,
      modelNumber: model.number,
      source: document.source.version,
      featureSets: document.featureSets.map(({ version }) => version),
    },
    timings,
    ...(origin !== undefined && { origin }),
  }
}

/** A vector as JSON keeps it: a missing value is null. */
export function plainVector(vector: Float64Array): (number | null)[] {
  const plain: (number | null)[] = []
  for (const value of vector) plain.push(Number.isNaN(value) ? null : value)
  return plain
}

function answerBody(record: DecisionRecord, namespace: string, sequence: number): string {
  const answer: AnswerBody = {
    policy: record.policy,
    eventId: record.eventId,
    outcome: record.outcome,
    score: record.score,
    path: record.path,
    reasons: record.reasons.map(({ kind, name, sentence, contribution }) => {
      return { kind, name, sentence, contribution }
    }),
    rules: record.rules,
    thresholds: record.thresholds,
    ...(record.unanswered !== undefined && { unanswered: record.unanswered }),
    late: record.late,
    namespace,
    sequence,
    eventTime: formatTimestamp(record.eventTimeUs),
    decidedAt: formatTimestamp(record.receivedAtUs),
    versions: record.versions,
    timings: record.timings,
  }
  return JSON.stringify(answer)
}

/** The first answer, byte for byte, for the same body, or 410 if it was removed; 409 for another body. */
async function answerAgain(
  namespace: Namespace,
  known: Recent | IndexEntry,
  bodyHash: string,
  policy: string,
  eventId: string,
): Promise<Decided> {
  // The first may still fail to reach the disk: then neither answer nor conflict would be true.
  if (isRecent(known)) await durably(known.durable)
  if (known.bodyHash !== bodyHash) throw conflict(`Event ${eventId} of policy "${policy}"`)
  if (isRecent(known)) return { body: known.answer!, replayed: true }
  const payload = await readPayload(namespace, known.sequence)
  if (typeOf(payload) === 'expired') throw expired(decodeRecord(payload) as ExpiredRecord)
  return { body: answerOf(payload), replayed: true }
}
