// The decisions of a journal as a back-test takes them: the values that each was made on, what was
// listed, paused and down then, and what is known of it by now.
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FileSystem } from '../lib/files.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { PastEvent } from './backtest.ts'
import { layoutOf } from './checkpoint.ts'
import { Controls } from './controls.ts'
import { readDeployment } from './deployed.ts'
import type { DeployedPolicy, DeploymentFiles } from './deployed.ts'
import { saySuspended } from './deciding.ts'
import { rowOf } from './engine.ts'
import type { Circumstances } from './engine.ts'
import { decisionErrors } from './errors.ts'
import { overlaps, recordsIn } from './outlines.ts'
import { decodeRecord, typeOf } from './records.ts'
import type { DecisionRecord, DeployRecord, ExpiredRecord } from './records.ts'

/** What a journal says of a policy as a whole. */
export interface JournalSummary {
  /** The last sequence; 0 where there is no journal. */
  readonly through: number
  /** The document that decides now; undefined where none was ever deployed. */
  readonly deployment: string | undefined
  /** Whether an event was positive, by its id; the label that holds. */
  readonly positive: ReadonlyMap<string, boolean>
  /** Lists, pauses and suspensions as they are now. */
  readonly controls: Controls
}

export interface RecordedPastRequest {
  /** The namespace's folder in decide's part of the home directory. */
  readonly directory: string
  readonly files: FileSystem
  readonly deployments: DeploymentFiles
  readonly draft: DeployedPolicy
  /** Event times in [fromUs, toUs). */
  readonly fromUs: number
  readonly toUs: number
  /** Whether an event was positive, as known now; undefined without a label. */
  readonly positive: (eventId: string) => boolean | undefined
  /** The last sequence to read, as `JournalSummary` says it. */
  readonly through: number
  /** Told the sequence that was read, every few thousand. Other work gets its turn meanwhile. */
  readonly onProgress?: ((sequence: number) => void) | undefined
}

const RECORDS_A_TURN = 4096

/** Reads a namespace's journal once, without its decisions. `labels` names the declaration asked for. */
export async function summariseJournal(
  { directory, files }: Pick<RecordedPastRequest, 'directory' | 'files'>,
  policy: string,
  labels: DeployedPolicy['labels'][number] | undefined,
): Promise<JournalSummary> {
  const positive = new Map<string, boolean>()
  const controls = new Controls()
  const code = labels?.values[labels.positive]
  let through = 0
  let deployment: string | undefined
  const entries = recordsIn(path.join(directory, 'journal'), files, {
    touches: ({ types }) => telling.some((type) => types[type] !== undefined),
    onPassed: ({ lastSequence }) => (through = lastSequence),
  })
  for await (const { sequence, payload } of entries) {
    through = sequence
    if (sequence % RECORDS_A_TURN === 0) await nextTurn()
    if (!isTelling(typeOf(payload))) continue
    const record = decodeRecord(payload)
    if (record.type === 'deploy' && record.policy === policy) deployment = deploymentOf(record)
    else if (record.type === 'label') {
      if (record.holds && record.source === labels?.name)
        positive.set(record.eventId, record.code === code)
    } else if (record.type === 'list' || record.type === 'rule' || record.type === 'model')
      controls.apply(record, sequence)
  }
  return { through, deployment, positive, controls }
}

const controlling = ['list', 'rule', 'model'] as const
const telling = ['deploy', 'label', ...controlling] as const
const isTelling = (type: string) => telling.some((each) => each === type)
const isOfPast = (type: string) =>
  type === 'decision' || type === 'expired' || controlling.some((each) => each === type)
const deploymentOf = ({ deployment }: DeployRecord) => deployment

/** The names in whose order `recordedPast` gives its vectors. */
export function recordedNames({ featureSets }: DeployedPolicy): readonly string[] {
  return layoutOf(featureSets).names
}

/**
 * The decisions of the draft's policy in a period, in the order of the journal. Vectors are in the
 * order of `recordedNames`, and are used again for the next event. What was listed, paused and suspended
 * is told by the records before it, so a draft may ask lists that nothing asked then. A model that did
 * not answer then does not answer now, if it is the draft's champion.
 * Error: `backtest_features_missing` where the records lack a feature of the draft.
 */
export async function* recordedPast(request: RecordedPastRequest): AsyncGenerator<PastEvent> {
  const { directory, files, draft, fromUs, toUs, positive, through, onProgress } = request
  const policy = draft.policy.name
  const controls = new Controls()
  const places = createPlaces(request)
  const vector = new Float64Array(recordedNames(draft).length)
  const entries = recordsIn(path.join(directory, 'journal'), files, {
    through,
    touches: ({ types, decidedUs }) =>
      overlaps(decidedUs, fromUs, toUs) || controlling.some((type) => types[type] !== undefined),
  })
  for await (const { sequence, payload } of entries) {
    if (sequence % RECORDS_A_TURN === 0) {
      onProgress?.(sequence)
      await nextTurn()
    }
    const type = typeOf(payload)
    if (!isOfPast(type)) continue
    const record = decodeRecord(payload)
    if (record.type === 'expired') refuseExpired(record, request)
    if (record.type === 'list' || record.type === 'rule' || record.type === 'model')
      controls.apply(record, sequence)
    if (record.type !== 'decision' || record.policy !== policy) continue
    const { eventId, eventTimeUs, outcome, rules } = record
    if (eventTimeUs < fromUs || eventTimeUs >= toUs) continue
    const known = await places.of(record)
    fill(vector, record.features, known.places)
    yield {
      eventId,
      eventTimeUs,
      row: rowOf(record.event, draft),
      vector,
      amountMinor: record.shown.amountMinor,
      positive: positive(eventId) ?? null,
      circumstances: circumstancesThen(record, controls, known.isSameChampion),
      before: { outcome, rules },
    }
  }
}

/** A back-test of what is left of a period would be taken for one of the period. */
function refuseExpired(record: ExpiredRecord, { draft, fromUs, toUs }: RecordedPastRequest): void {
  const { policy, eventTimeUs, removedAtUs, removedBy } = record
  if (policy !== draft.policy.name || eventTimeUs < fromUs || eventTimeUs >= toUs) return
  throw missing(
    `what was decided on ${formatTimestamp(eventTimeUs)}, removed ${formatTimestamp(removedAtUs)} by ${removedBy}`,
  )
}

function circumstancesThen(
  record: DecisionRecord,
  controls: Controls,
  isSameChampion: boolean,
): Circumstances {
  const { policy, clockUs, margin, score, versions, unanswered = [] } = record
  const down = controls.suspended(policy)
  return {
    isListed: (list, value) => controls.isListed(list, value, clockUs),
    paused: controls.pausedRules(policy),
    unanswered:
      isSameChampion && unanswered.length > 0
        ? new Map(unanswered.map(({ by, why }) => [by, why]))
        : down === undefined
          ? noneDown
          : new Map([['champion', saySuspended(down)]]),
    outside: score === null ? noAnswers : new Map([[versions.model, score]]),
    // The draft sees the same values, so the model that scored them says the same again.
    scores: new Map(score === null ? [] : [[versions.model, { margin, score }]]),
  }
}

const noneDown: Circumstances['unanswered'] = new Map()
const noAnswers: Circumstances['outside'] = new Map()

interface Known {
  /** Where the draft's values stand among a record's; undefined where they stand alike. */
  readonly places: readonly number[] | undefined
  readonly isSameChampion: boolean
}

/** How records of one deployment and layout stand to the draft. */
function createPlaces({ draft, deployments }: RecordedPastRequest) {
  const wanted = layoutOf(draft.featureSets)
  const known = new Map<string, Known>()
  return {
    async of({ layout, versions }: DecisionRecord): Promise<Known> {
      const key = `${versions.deployment} ${layout}`
      const before = known.get(key)
      if (before !== undefined) return before
      const document = await readDeployment(deployments, versions.deployment)
      const recorded = layoutOf(document.featureSets)
      const isSameChampion = document.model.version === draft.model.version
      if (layout !== wanted.version && layout !== recorded.version) {
        throw missing('the features of a live state that more than this policy used')
      }
      const names = layout === wanted.version ? wanted.names : recorded.names
      const lacking = wanted.names.filter((name) => !names.includes(name))
      if (lacking.length > 0) throw missing(lacking.join(', '))
      const places =
        layout === wanted.version ? undefined : wanted.names.map((name) => names.indexOf(name))
      const found = { places, isSameChampion }
      known.set(key, found)
      return found
    },
  }
}

function missing(what: string) {
  return decisionErrors.backtest_features_missing(`The records of this period lack: ${what}.`)
}

function fill(
  vector: Float64Array,
  features: DecisionRecord['features'],
  places: readonly number[] | undefined,
): void {
  for (let i = 0; i < vector.length; i++) {
    vector[i] = features[places === undefined ? i : places[i]] ?? Number.NaN
  }
}
