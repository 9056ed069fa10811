// What the journal holds. Every change of live state is one of these records, and nothing else is.
import type { BaseOrigin, HeldJournal } from './checkpoint.ts'
import { decisionErrors } from './errors.ts'
import type { Path, Thresholds, TypologyPoints } from './judge.ts'
import type { Outcome } from './policy.ts'

/**
 * An event as it passed its contract, by declared column name: money in minor units, times in µs
 * UTC, booleans as 0 and 1; a column without a value is left out.
 */
export type EventBody = { readonly [column: string]: number | string }

/** What lists show of an event, taken out by its contract. */
export interface ShownFields {
  /** Key columns as text. */
  readonly keys: Readonly<Record<string, string>>
  readonly amountMinor: number | null
  readonly currency: string | null
}

/** Content hashes of everything that took part in a decision. */
export interface DecisionVersions {
  readonly deployment: string
  readonly policy: string
  readonly model: string
  readonly modelName: string
  readonly modelNumber: number
  readonly source: string
  readonly featureSets: readonly string[]
}

/** One reason, a sentence to say aloud; `contribution` is in the unit of the model's margin, and positive pushes to fraud. */
export interface Reason {
  readonly kind: 'rule' | 'typology' | 'feature' | 'fallback'
  readonly name: string
  readonly sentence: string
  readonly contribution: number | null
  readonly value: number | null
}

/** Microseconds spent; `received` to `decided`, without the wait for the disk. */
export interface Timings {
  readonly contractUs: number
  readonly featuresUs: number
  readonly decisionUs: number
}

/**
 * How an event stands to live state: it enters with this record (`new`); it had entered before, by
 * ingestion, for another policy or with the history of the base (`known`), and its values are those of
 * then; or it came so late that what its windows need may be gone (`too-late`): it stays outside and its
 * features are missing.
 */
export type Entry = 'new' | 'known' | 'too-late'

export interface DecisionRecord {
  readonly type: 'decision'
  readonly policy: string
  readonly source: string
  readonly eventId: string
  readonly event: EventBody
  /** Of the body as it came, canonically: what a repeated question is compared with. */
  readonly bodyHash: string
  /** Of `event`: what the same event from another door is compared with. */
  readonly eventHash: string
  readonly shown: ShownFields
  readonly entry: Entry
  readonly eventTimeUs: number
  readonly receivedAtUs: number
  /** What the source's clock said, which a replay drives. */
  readonly clockUs: number
  readonly late: boolean
  /** The values of all live features, in the order of the layout; null is a missing value. */
  readonly features: readonly (number | null)[]
  readonly layout: string
  /** Null where no model answered. */
  readonly margin: number | null
  readonly score: number | null
  readonly outcome: Outcome
  /** What led to the outcome. */
  readonly path: Path
  /** Names of the rules that fired and counted, in declared order. */
  readonly rules: readonly string[]
  readonly reasons: readonly Reason[]
  /** Those of the model that answered. */
  readonly thresholds: Thresholds
  readonly versions: DecisionVersions
  readonly timings: Timings
  /** What is absent below did not happen. Names of rules that fired, in shadow or paused. */
  readonly rulesHeld?: readonly string[]
  /** Names of rules whose calculation failed. */
  readonly rulesFailed?: readonly string[]
  readonly typologies?: readonly TypologyPoints[]
  /** Names of the lists on which the event was found. */
  readonly listed?: readonly string[]
  /** The challenger that took the event in the champion's place. */
  readonly challenger?: string
  /** Who did not answer before the one that did, and why. */
  readonly unanswered?: readonly Unanswered[]
  /** The message of a log that asked for it. */
  readonly origin?: Origin
}

/** A message of a log. */
export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The offset after that of the message before: offsets may leave gaps. */
  readonly from: number
}

/** A model that was asked and did not answer. */
export interface Unanswered {
  /** `champion`, `last-good`, or the name of a challenger. */
  readonly by: string
  readonly why: string
}

/** An event that was fed in without asking for a decision. */
export interface EventRecord {
  readonly type: 'event'
  readonly source: string
  readonly eventId: string
  readonly event: EventBody
  readonly eventHash: string
  readonly entry: 'new' | 'too-late'
  readonly eventTimeUs: number
  readonly receivedAtUs: number
  readonly clockUs: number
  readonly late: boolean
  /**
   * The values of all live features as of this event, for policies that decide on it later. Empty
   * for an event of a further source, which has no features of its own.
   */
  readonly features: readonly (number | null)[]
  readonly layout: string
}

/** What became known of an event. The latest arrival wins; all are kept. */
export interface LabelRecord {
  readonly type: 'label'
  /** The name of the labels declaration. */
  readonly source: string
  /** The source whose events it labels. */
  readonly of: string
  readonly eventId: string
  readonly value: string
  readonly code: number
  readonly positive: boolean
  readonly eventTimeUs: number | null
  readonly arrivalTimeUs: number
  readonly receivedAtUs: number
  readonly author: string
  /** Whether it became the label that holds: no other of this event had arrived later. */
  readonly holds: boolean
}

/** From this sequence on, the policy decides by this deployment. */
export interface DeployRecord {
  readonly type: 'deploy'
  readonly policy: string
  readonly deployment: string
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

/** From this sequence on, live state is what this checkpoint holds, and the journal before. */
export interface BaseRecord {
  readonly type: 'base'
  readonly checkpoint: string
  readonly file: string
  /** The last sequence of bulk history; live sequences continue after it. */
  readonly lastSequence: number
  readonly newestEventTimeUs: number | null
  readonly layout: string
  /** Policies that do not decide from here on until they are deployed anew, on this state. */
  readonly supersedes?: readonly string[]
  /** What the checkpoint says of its making, so that it can be made again; absent in earlier records. */
  readonly journal?: HeldJournal
  readonly madeOf?: BaseOrigin
  readonly receivedAtUs: number
}

/** From this sequence on, a value is on a list, or is not any more. */
export interface ListRecord {
  readonly type: 'list'
  readonly list: string
  readonly change: 'add' | 'remove'
  /** The value as text, as the list's column has it. */
  readonly value: string
  /** Until when, by the source's clock; null for good, and where it is removed. */
  readonly untilUs: number | null
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

/** From this sequence on, a rule counts for nothing, or counts again. It is evaluated all the while. */
export interface RuleRecord {
  readonly type: 'rule'
  readonly policy: string
  readonly rule: string
  readonly change: 'pause' | 'resume'
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

/** From this sequence on, a policy's champion is not asked, or is asked again; the next one answers. */
export interface ModelRecord {
  readonly type: 'model'
  readonly policy: string
  readonly change: 'suspend' | 'resume'
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

/** A message of a log that led to no decision of its own: known before, or set aside. */
export interface ConsumedRecord {
  readonly type: 'consumed'
  readonly origin: Origin
  readonly why: 'known' | 'refused'
  /** Of the refusal. */
  readonly code?: string
  readonly detail?: string
  /** The message as text, as much of it as is kept. */
  readonly body?: string
  readonly receivedAtUs: number
}

/** What a challenger in shadow would have answered on a decided event. It changes nothing. */
export interface ShadowRecord {
  readonly type: 'shadow'
  readonly policy: string
  readonly eventId: string
  /** Sequence of the decision. */
  readonly of: number
  readonly deployment: string
  readonly challenger: string
  readonly score: number | null
  readonly outcome: Outcome
  readonly path: Path
  readonly eventTimeUs: number
  readonly receivedAtUs: number
}

/**
 * What stays of a decision whose record was removed: its key, so that it is never made a second time, and
 * its event with the values that it entered with, from which state, training rows and other policies'
 * decisions follow. The answer, the score, the reasons and the versions are gone.
 */
export interface ExpiredRecord extends Pick<
  DecisionRecord,
  | 'policy'
  | 'source'
  | 'eventId'
  | 'event'
  | 'bodyHash'
  | 'eventHash'
  | 'entry'
  | 'eventTimeUs'
  | 'receivedAtUs'
  | 'clockUs'
  | 'late'
  | 'features'
  | 'layout'
  | 'origin'
> {
  readonly type: 'expired'
  readonly removedAtUs: number
  readonly removedBy: string
}

/** A record of which only its place stays. */
export interface GoneRecord {
  readonly type: 'gone'
  readonly was: 'shadow'
  readonly receivedAtUs: number
}

/** Segments of the journal that give way to what is kept of them, from this sequence on. */
export interface RemovedRecord {
  readonly type: 'removed'
  /** The last sequence of the last of them. */
  readonly through: number
  readonly segments: readonly RemovedSegment[]
  /** Where the decisions were exported to before; null where somebody said that it is not wanted. */
  readonly exportedTo: string | null
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

export interface RemovedSegment {
  readonly name: string
  readonly firstSequence: number
  readonly lastSequence: number
  /** SHA-256 of the segment, as the audit log has it since it was sealed, and of what is kept. */
  readonly sha256: string
  readonly keptSha256: string
}

/** From this sequence on, what was received in a period is not removed, or may be again. */
export interface HoldRecord {
  readonly type: 'hold'
  readonly name: string
  readonly change: 'place' | 'release'
  /** Receipt in [fromUs, toUs). */
  readonly fromUs: number
  readonly toUs: number
  readonly actor: string
  readonly reason: string
  readonly receivedAtUs: number
}

export type JournalRecord =
  | DecisionRecord
  | EventRecord
  | LabelRecord
  | DeployRecord
  | BaseRecord
  | ListRecord
  | RuleRecord
  | ModelRecord
  | ConsumedRecord
  | ShadowRecord
  | ExpiredRecord
  | GoneRecord
  | RemovedRecord
  | HoldRecord

/** A record that tells of an event: what enters state, and what models learn from. */
export type EventfulRecord = DecisionRecord | EventRecord | ExpiredRecord

export function isEventful(record: JournalRecord): record is EventfulRecord {
  return record.type === 'decision' || record.type === 'event' || record.type === 'expired'
}

/** A record with its place in the namespace's journal. */
export type Sequenced<R extends JournalRecord = JournalRecord> = R & {
  readonly namespace: string
  readonly sequence: number
}

const newline = 0x0a

/**
 * One journal payload: the record as one line of JSON and, for a decision, a second line with the
 * answer's exact bytes, so that a repeated question gets them back whatever is live by then.
 */
export function encodeRecord(record: JournalRecord, answer?: string): Uint8Array {
  const text = JSON.stringify(record)
  return Buffer.from(answer === undefined ? text : `${text}\n${answer}`, 'utf8')
}

export function decodeRecord(payload: Uint8Array): JournalRecord {
  const end = payload.indexOf(newline)
  const line = end === -1 ? payload : payload.subarray(0, end)
  const record = JSON.parse(Buffer.from(line).toString('utf8')) as JournalRecord
  switch (record.type) {
    case 'decision':
    case 'event':
    case 'label':
    case 'deploy':
    case 'base':
    case 'list':
    case 'rule':
    case 'model':
    case 'consumed':
    case 'shadow':
    case 'expired':
    case 'gone':
    case 'removed':
    case 'hold':
      return record
    default:
      throw decisionErrors.record_unknown(
        `A record has the type "${(record as { type: string }).type}".`,
      )
  }
}

/** The type of a record without reading all of it: it is always the first member. */
export function typeOf(payload: Uint8Array): string {
  const start = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 24))
  return /^\{"type":"([a-z]+)"/.exec(start.toString('latin1'))?.[1] ?? ''
}

/** The answer's exact bytes inside a decision's payload. */
export function answerOf(payload: Uint8Array): string {
  const end = payload.indexOf(newline)
  return Buffer.from(payload.subarray(end + 1)).toString('utf8')
}
