// Recorded feature values against the same values worked out anew: the journal is played once from
// nothing but files, and every record's vector is compared, bit for bit.
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FileSystem } from '../lib/files.ts'
import { readJournal } from '../lib/journal.ts'
import type { DeploymentFiles } from './deployed.ts'
import { eventKey } from './keys.ts'
import type { LiveState } from './live-state.ts'
import { emptyHolder } from './rebuilt-state.ts'
import { applyRecord, enterOtherAgain } from './recovery.ts'
import type { StateHolder } from './recovery.ts'
import { decodeRecord, isEventful } from './records.ts'
import type { EventfulRecord } from './records.ts'

export interface FeatureAuditRequest {
  /** The namespace's folder in decide's part of the home directory. */
  readonly directory: string
  readonly files: FileSystem
  readonly deployments: DeploymentFiles
  /** Only features of these names are compared; by default all. */
  readonly features?: ReadonlySet<string> | undefined
  /** Only records of events with an event time in [fromUs, toUs) are compared. */
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
  /** Most mismatches that are listed; all are counted. Default 1,000. */
  readonly shownMax?: number | undefined
  /** Told the number of records read, every few thousand. Other work gets its turn meanwhile. */
  readonly onProgress?: ((records: number) => void) | undefined
}

export interface FeatureMismatch {
  readonly sequence: number
  readonly eventId: string
  /** Null for an event that was fed in without a decision. */
  readonly policy: string | null
  readonly feature: string
  readonly recorded: number | null
  readonly recomputed: number | null
}

export interface FeatureAudit {
  /** Records whose features were worked out anew. */
  readonly events: number
  /** Values compared, bit for bit. */
  readonly compared: number
  readonly mismatches: number
  /** The first of them, in the order of the journal. */
  readonly shown: readonly FeatureMismatch[]
  /** Records that could not be compared, because the state they were made in is not on disk. */
  readonly unplaced: number
}

const RECORDS_A_TURN = 2048
const SHOWN_MAX = 1000

/**
 * Works out the features of every recorded event anew, in the order of the journal from its base
 * on, and compares them with what was recorded. A decision on an event that had entered before
 * repeats the values with which it entered, and is held against them.
 */
export async function auditFeatures(request: FeatureAuditRequest): Promise<FeatureAudit> {
  const { directory, files, deployments } = request
  const read = (from = 1) => readJournal(path.join(directory, 'journal'), files, from)
  const audit = new Audit(request, await repeatedEvents(read()))
  const holder = emptyHolder(directory, { files, deployments }, read)
  let records = 0
  for await (const { sequence, payload } of read()) {
    const record = decodeRecord(payload)
    if (!isEventful(record)) await applyRecord(holder, record, sequence)
    else {
      const held = record.entry === 'known' ? await heldValues(holder, record) : undefined
      audit.take(holder.state, record, sequence, held)
    }
    records++
    if (records % RECORDS_A_TURN !== 0) continue
    request.onProgress?.(records)
    await nextTurn()
  }
  request.onProgress?.(records)
  return audit.report()
}

const KNOWN_ENTRY = Buffer.from('"entry":"known"')

/** Events that a later decision repeats: their values must be remembered, all others need not. */
async function repeatedEvents(
  entries: AsyncIterable<{ readonly payload: Uint8Array }>,
): Promise<ReadonlySet<string>> {
  const repeated = new Set<string>()
  for await (const { payload } of entries) {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
    if (!bytes.includes(KNOWN_ENTRY)) continue
    const record = decodeRecord(payload)
    if (isEventful(record) && record.entry === 'known')
      repeated.add(eventKey(record.source, record.eventId))
  }
  return repeated
}

/** What an event entered with that the base took from history. */
async function heldValues(
  { held, state }: StateHolder,
  { source, eventId }: EventfulRecord,
): Promise<Entered | undefined> {
  const found = held?.find(source, eventId)
  if (found === undefined || state === undefined) return undefined
  const { names } = state.layout
  const vector = (await held!.valuesOf(found)) ?? state.missing()
  return { layout: held!.place.layout, names, vector }
}

class Audit {
  private readonly request: FeatureAuditRequest
  private readonly repeated: ReadonlySet<string>
  /** What repeated events entered with, by event. */
  private readonly entered = new Map<string, Entered>()
  private readonly shown: FeatureMismatch[] = []
  private events = 0
  private compared = 0
  private mismatches = 0
  private unplaced = 0

  constructor(request: FeatureAuditRequest, repeated: ReadonlySet<string>) {
    this.request = request
    this.repeated = repeated
  }

  /** Lets the record's event enter as it did, and compares; the state is then as after it. */
  take(
    state: LiveState | undefined,
    record: EventfulRecord,
    sequence: number,
    held: Entered | undefined,
  ): void {
    // An event of a further source has no features of its own, and others follow from it.
    if (record.features.length === 0) {
      if (state !== undefined) enterOtherAgain(state, record, sequence)
      state?.note(record, sequence)
      return
    }
    const known = this.enter(state, record, sequence) ?? held
    state?.note(record, sequence)
    const { fromUs = -Infinity, toUs = Infinity } = this.request
    if (record.eventTimeUs < fromUs || record.eventTimeUs >= toUs) return
    if (known === undefined || known.layout !== record.layout) this.unplaced++
    else this.compare(known, record, sequence)
  }

  report(): FeatureAudit {
    const { events, compared, mismatches, shown, unplaced } = this
    return { events, compared, mismatches, shown, unplaced }
  }

  private enter(
    state: LiveState | undefined,
    record: EventfulRecord,
    sequence: number,
  ): Entered | undefined {
    const key = eventKey(record.source, record.eventId)
    if (record.entry === 'known') return this.repeats(state, record, key)
    if (state === undefined || record.source !== state.source.name) return undefined
    const { names, version } = state.layout
    const vector =
      record.entry === 'too-late'
        ? state.missing()
        : state.enter(state.rowOf(record.event), sequence)
    const entered = { layout: version, names, vector }
    if (this.repeated.has(key)) this.entered.set(key, entered)
    return entered
  }

  /** Under other features than those it entered with, an event's values are not known. */
  private repeats(
    state: LiveState | undefined,
    record: EventfulRecord,
    key: string,
  ): Entered | undefined {
    const entered = this.entered.get(key)
    if (entered === undefined || entered.layout === record.layout) return entered
    if (state?.layout.version !== record.layout) return undefined
    const { names, version } = state.layout
    return { layout: version, names, vector: state.missing() }
  }

  private compare({ names, vector }: Entered, record: EventfulRecord, sequence: number): void {
    const { features: wanted, shownMax = SHOWN_MAX } = this.request
    this.events++
    for (let i = 0; i < names.length; i++) {
      if (wanted !== undefined && !wanted.has(names[i])) continue
      this.compared++
      const recorded = record.features[i] ?? null
      const recomputed = Number.isNaN(vector[i]) ? null : vector[i]
      if (Object.is(recorded, recomputed)) continue
      this.mismatches++
      if (this.shown.length >= shownMax) continue
      this.shown.push({
        sequence,
        eventId: record.eventId,
        policy: record.type === 'event' ? null : record.policy,
        feature: names[i],
        recorded,
        recomputed,
      })
    }
  }
}

interface Entered {
  readonly layout: string
  readonly names: readonly string[]
  readonly vector: Float64Array
}
