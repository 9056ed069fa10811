/**
 * The memory of patterns: what is known of a stream, awake and asleep, and what became of the rest.
 *
 * A record near a micro-cluster of an active pattern is known. Near one asleep, it wakes the pattern:
 * a recurrence. Any other waits among the unknowns until enough of its kind have come, which are then
 * judged together (`judge.ts`); one that stays alone is noise. Everything is bounded, and everything
 * follows from the state and the records: no clock, no randomness of its own.
 */
import { fail } from '../errors.ts'
import { Adwin } from './adwin.ts'
import { Alerts, type Digest } from './alerts.ts'
import { ClusterStore } from './cluster-store.ts'
import { differencesOf } from './differences.ts'
import { coverWithin, hangingTogether } from './grouping.ts'
import {
  type FrontierPoint,
  judge,
  type Judgement,
  reconsider,
  type Neighbour,
  type Surroundings,
} from './judge.ts'
import { fromPlain, type MemoryState, toPlain } from './memory-state.ts'
import type { MemorySettings } from './settings.ts'
import type {
  Evidence,
  Feedback,
  Finding,
  MemoryRecord,
  Observation,
  Pattern,
  Unknown,
} from './types.ts'
import { type Witnesses, witnessesOf } from './witnesses.ts'

const FRONTIER_MAX = 400
/** Records from this share of the limit on lie at the edge. */
const FRONTIER_FROM = 0.5
const EXAMPLES_MAX = 5
const PATH_MAX = 64
const ENTITIES_SHOWN = 10
const FEEDBACK_MAX = 1000
/** A group is judged with no more than so many times the least number of records. */
const GROUP_MAX = 8
/** Records of a novelty at which it is looked at again. */
const SECOND_LOOKS = new Set([20, 40, 80, 160, 320])
/** Patterns are looked through for idle ones each so many records. */
const IDLE_EVERY = 64
/** Of distances that ADWIN is given, so that one absurd record is no change. */
const DISTANCE_MAX = 10

export class PatternMemory {
  readonly settings: MemorySettings
  readonly limit: number
  readonly #head: Pick<MemoryState, 'columns' | 'places' | 'witnesses'>
  readonly #patterns: Map<string, Pattern>
  readonly #clusters: ClusterStore
  #unknown: Unknown[]
  #frontier: FrontierPoint[]
  readonly #distances: Adwin
  #shift: Evidence['shift']
  readonly #alerts: Alerts
  readonly #witnesses: Witnesses
  #seen: number
  readonly #made: { patterns: number; findings: number }
  readonly #forgotten: { patterns: number; unknown: number }
  #feedback: Feedback[]

  constructor(state: MemoryState) {
    this.settings = state.settings
    this.limit = state.limit
    this.#head = { columns: state.columns, places: state.places, witnesses: state.witnesses }
    this.#patterns = new Map(state.patterns.map((one) => [one.id, structuredClone(one)]))
    this.#clusters = new ClusterStore(
      state.places.length,
      state.limit,
      this.#patterns,
      state.clusters,
    )
    this.#unknown = state.unknown.map(fromPlain)
    this.#frontier = state.frontier.map(fromPlain)
    this.#distances = new Adwin(undefined, state.distances)
    this.#shift = state.shift
    this.#alerts = new Alerts(state.settings, state.alerts)
    this.#witnesses = witnessesOf(state.witnesses)
    this.#seen = state.seen
    this.#made = { ...state.made }
    this.#forgotten = { ...state.forgotten }
    this.#feedback = [...state.feedback]
  }

  saved(): MemoryState {
    return {
      format: 1,
      settings: this.settings,
      ...this.#head,
      limit: this.limit,
      seen: this.#seen,
      made: { ...this.#made },
      patterns: this.patterns(),
      clusters: this.#clusters.saved(),
      unknown: this.#unknown.map(toPlain),
      frontier: this.#frontier.map(toPlain),
      distances: this.#distances.saved(),
      shift: this.#shift,
      alerts: this.#alerts.saved(),
      feedback: [...this.#feedback],
      forgotten: { ...this.#forgotten },
    }
  }

  /** How much is held, and what left for want of room. */
  get sizes() {
    return {
      seen: this.#seen,
      patterns: this.#patterns.size,
      clusters: this.#clusters.size,
      unknown: this.#unknown.length,
      frontier: this.#frontier.length,
      forgotten: { ...this.#forgotten },
    }
  }

  /** Copies of all patterns, in the order in which they were made. */
  patterns(): readonly Pattern[] {
    return structuredClone([...this.#patterns.values()])
  }

  /** One pattern, not to be changed; undefined where there is none. */
  pattern(id: string): Readonly<Pattern> | undefined {
    return this.#patterns.get(id)
  }

  /** Takes the next record of the stream. */
  observe(record: MemoryRecord): Observation {
    this.#seen++
    if (this.#seen % IDLE_EVERY === 0) this.#sleepIdle()
    const near = this.#clusters.around(record.point)
    const score = near.usual?.distance ?? DISTANCE_MAX
    this.#watch(record, score)
    const findings: Finding[] = []
    const placed = this.#place(record, near, score, findings)
    const gone = this.#expired()
    if (gone !== undefined) findings.push(gone)
    const nearest = near.usual?.pattern.id ?? null
    return { sequence: record.sequence, ...placed, nearest, score, findings }
  }

  /** What was over the budget of alerts in windows that have ended since it was last asked. */
  digests(): Digest[] {
    this.#alerts.turn(this.#seen)
    return this.#alerts.due()
  }

  /** The end of the stream: what still waits stayed alone. */
  finish(): { readonly findings: Finding[]; readonly digests: Digest[] } {
    const rest = this.#unknown
    this.#unknown = []
    const why = 'The stream ended before others of their kind came.'
    const findings = rest.length === 0 ? [] : [this.#noise(rest, why)]
    return { findings, digests: this.#alerts.rest() }
  }

  /**
   * Learns what a person says. What was confirmed as usual weighs as much as what was learnt: its
   * path starts anew and it is never forgotten. Error: `novelty_pattern_not_found`.
   */
  take(feedback: Feedback): void {
    const pattern = this.#named(feedback.pattern)
    if (feedback.says === 'same') this.#merge(pattern, this.#named(feedback.as ?? ''), 0)
    else if (feedback.says === 'noise') this.#forget(pattern)
    else {
      pattern.usual = feedback.says === 'usual'
      pattern.confirmed = true
      this.#anchor(pattern.id)
    }
    if (feedback.label !== undefined && feedback.says !== 'same') pattern.label = feedback.label
    this.#clusters.regroup()
    this.#feedback = [...this.#feedback, feedback].slice(-FEEDBACK_MAX)
  }

  #named(id: string): Pattern {
    const pattern = this.#patterns.get(id)
    if (pattern === undefined) throw fail.novelty_pattern_not_found(`There is no pattern "${id}".`)
    return pattern
  }

  #anchor(id: string): void {
    this.#clusters.change((one) => (one.pattern === id ? { ...one, moved: 0 } : one))
  }

  #merge(pattern: Pattern, into: Pattern, moved: number): void {
    if (pattern === into) return
    this.#clusters.change((one) =>
      one.pattern === pattern.id ? { ...one, pattern: into.id, moved } : one,
    )
    into.records += pattern.records
    into.lastSequence = Math.max(into.lastSequence, pattern.lastSequence)
    into.lastUs = Math.max(into.lastUs, pattern.lastUs)
    if (pattern.state === 'active') into.state = 'active'
    this.#patterns.delete(pattern.id)
  }

  #forget(pattern: Pattern): void {
    this.#clusters.remove((cluster) => cluster.pattern === pattern.id)
    this.#patterns.delete(pattern.id)
  }

  #place(
    record: MemoryRecord,
    near: Surroundings,
    score: number,
    findings: Finding[],
  ): Pick<Observation, 'verdict' | 'pattern'> {
    const active = this.#belongsTo(near)
    const { asleep } = near
    if (active !== undefined && active.distance <= (asleep?.distance ?? Infinity)) {
      visit(active, record)
      const { learnBelow } = this.settings
      if (active.distance <= learnBelow) this.#clusters.learn(active, record.point)
      const taken = this.#secondLook(active.pattern, record)
      if (taken !== undefined) findings.push(taken)
      return { verdict: 'known', pattern: taken?.pattern ?? active.pattern.id }
    }
    if (asleep !== undefined && asleep.distance <= 1) {
      visit(asleep, record)
      findings.push(this.#wake(asleep, record))
      return { verdict: 'recurrence', pattern: asleep.pattern.id }
    }
    this.#unknown.push({ ...record, point: record.point.slice(), score })
    const finding = this.#judgeNewest()
    if (finding !== undefined) findings.push(finding)
    return { verdict: 'unknown', pattern: finding?.pattern ?? null }
  }

  /** Whether a novelty that nobody has confirmed is the drift of a usual pattern after all. */
  #secondLook(pattern: Pattern, record: MemoryRecord): Finding | undefined {
    const { origin, confirmed, records } = pattern
    if (origin !== 'novelty' || confirmed || !SECOND_LOOKS.has(records)) return undefined
    const centres = this.#clusters
      .filter((cluster) => cluster.pattern === pattern.id)
      .map(({ anchor }) => anchor)
    const found = reconsider(this.#question(), centres)
    if (found === undefined) return undefined
    const { from, moved, why } = found
    const into = from.pattern
    const step = { pattern: into.id, step: from.distance, moved }
    const { sequence, timeUs } = record
    into.path = [...into.path, { ...step, sequence, timeUs }].slice(-PATH_MAX)
    this.#merge(pattern, into, moved)
    this.#clusters.regroup()
    return this.#tell({
      ...factsOf(`F${++this.#made.findings}`, [record], record),
      records,
      verdict: 'drift',
      pattern: into.id,
      label: into.label,
      why: `${pattern.id} was called a novelty too early. ${why}`,
      evidence: null,
    })
  }

  #question() {
    return {
      limit: this.limit,
      settings: this.settings,
      around: (point: Float64Array) => this.#clusters.around(point),
      frontier: this.#frontier,
      witnesses: this.#witnesses,
    }
  }

  /**
   * The active cluster that a record belongs to. Little was seen of what was found only now, so it
   * reaches further than what was learnt.
   */
  #belongsTo({ usual, found }: Surroundings): Neighbour | undefined {
    if (found !== undefined && found.distance < (usual?.distance ?? Infinity)) {
      return found.distance <= this.settings.foundReach ? found : undefined
    }
    return usual !== undefined && usual.distance <= 1 ? usual : undefined
  }

  /** Keeps what lies at the edge of the usual, and watches whether distances change. */
  #watch({ sequence, point }: MemoryRecord, score: number): void {
    const shift = this.#distances.add(Math.min(score, DISTANCE_MAX))
    if (shift !== undefined) this.#shift = { ...shift, sequence }
    if (score < FRONTIER_FROM) return
    this.#frontier.push({ sequence, point: point.slice() })
    if (this.#frontier.length > FRONTIER_MAX) this.#frontier.shift()
  }

  /** Judges the unknowns that hang together with the newest one, where they are enough. */
  #judgeNewest(): Finding | undefined {
    const { clusterMin, cohesion } = this.settings
    const points = this.#unknown.map(({ point }) => point)
    const most = GROUP_MAX * clusterMin
    const reach = cohesion * this.limit
    const rows = hangingTogether(points, points.length - 1, reach, clusterMin, most)
    if (rows.length < clusterMin) return undefined
    const members = rows.map((row) => this.#unknown[row])
    const judgement = judge({ ...this.#question(), members, shift: this.#shift })
    if (judgement === undefined) return undefined
    const taken = new Set(rows)
    this.#unknown = this.#unknown.filter((_, row) => !taken.has(row))
    return this.#accept(judgement, members)
  }

  #accept(judgement: Judgement, members: readonly Unknown[]): Finding {
    const { verdict, evidence, from, centre, why } = judgement
    // Before anything is added, because centres move in memory.
    const differs =
      from === undefined ? [] : differencesOf(this.#head, centre, from, evidence.examples)
    const id = `F${++this.#made.findings}`
    const pattern = this.#patternFor(judgement, members, id)
    this.#addClusters(pattern.id, members, judgement.moved)
    this.#makeRoom(pattern.id)
    this.#clusters.regroup()
    const all = [...members, ...this.#takeJoined(pattern.id)]
    pattern.records += all.length
    return this.#tell({
      ...factsOf(id, all, members[members.length - 1]),
      verdict,
      pattern: pattern.id,
      label: pattern.label,
      why,
      evidence: { ...evidence, differs },
    })
  }

  #patternFor(judgement: Judgement, members: readonly Unknown[], finding: string): Pattern {
    const { into, verdict, label, evidence } = judgement
    const [first, last] = [members[0], members[members.length - 1]]
    const path = evidence.path.slice(-PATH_MAX)
    const known = into === null ? undefined : this.#patterns.get(into)
    if (known !== undefined) {
      known.lastSequence = last.sequence
      known.lastUs = last.timeUs
      known.state = 'active'
      known.path = path
      return known
    }
    const pattern: Pattern = {
      id: `P${++this.#made.patterns}`,
      label,
      origin: verdict === 'drift' ? 'drift' : 'novelty',
      usual: false,
      confirmed: false,
      state: 'active',
      firstSequence: first.sequence,
      firstUs: first.timeUs,
      lastSequence: last.sequence,
      lastUs: last.timeUs,
      records: 0,
      finding,
      path,
      examples: members.slice(0, EXAMPLES_MAX).map(exampleOf),
    }
    this.#patterns.set(pattern.id, pattern)
    return pattern
  }

  #addClusters(pattern: string, members: readonly Unknown[], moved: number): void {
    const points = members.map(({ point }) => point)
    const most = Math.max(1, Math.floor(this.settings.clustersMax / 16))
    const { centres, counts } = coverWithin(points, 0.5 * this.limit, most)
    centres.forEach((anchor, i) => {
      this.#clusters.add({ pattern, anchor, records: counts[i], moved })
    })
  }

  /** Unknowns that have become part of the pattern, which has just grown. */
  #takeJoined(pattern: string): Unknown[] {
    const joined: Unknown[] = []
    this.#unknown = this.#unknown.filter((one) => {
      const belongs = this.#belongsTo(this.#clusters.around(one.point))
      if (belongs?.pattern.id !== pattern) return true
      joined.push(one)
      return false
    })
    return joined
  }

  /** Forgets what was found longest ago and never confirmed, until all fits; `kept` stays. */
  #makeRoom(kept: string): void {
    const { clustersMax, patternsMax } = this.settings
    while (this.#clusters.size > clustersMax || this.#patterns.size > patternsMax) {
      const oldest = [...this.#patterns.values()]
        .filter(({ id, confirmed }) => id !== kept && !confirmed)
        .toSorted(forgetOrder)[0]
      if (oldest === undefined) break
      this.#forget(oldest)
      this.#forgotten.patterns++
    }
    const over = this.#clusters.size - clustersMax
    if (over <= 0) return
    // Only what was learnt or confirmed is left beside the newest: the least used of these go.
    const least = this.#clusters
      .filter(() => true)
      .toSorted((a, b) => a.records - b.records)
      .slice(0, over)
    const gone = new Set(least)
    this.#clusters.remove((cluster) => gone.has(cluster))
  }

  #sleepIdle(): void {
    let changed = false
    for (const pattern of this.#patterns.values()) {
      const idle = this.#seen - 1 - pattern.lastSequence > this.settings.sleepRecords
      if (pattern.state === 'asleep' || !idle) continue
      pattern.state = 'asleep'
      changed = true
    }
    if (changed) this.#clusters.regroup()
  }

  #wake({ pattern, distance }: Neighbour, record: MemoryRecord): Finding {
    pattern.state = 'active'
    this.#clusters.regroup()
    return this.#tell({
      ...factsOf(`F${++this.#made.findings}`, [record], record),
      verdict: 'recurrence',
      pattern: pattern.id,
      label: pattern.label,
      why: `A record lies ${distance.toFixed(2)} limits from ${pattern.id}, which slept.`,
      evidence: null,
    })
  }

  /** Unknowns that waited too long, or for which there is no room, stayed alone. */
  #expired(): Finding | undefined {
    const { unknownMax, unknownRecords } = this.settings
    if (this.#unknown.length === 0) return undefined
    const over = this.#unknown.length >= unknownMax
    if (!over && this.#seen - this.#unknown[0].sequence <= unknownRecords) return undefined
    // A tenth at a time, so that noise is told in few findings.
    const share = Math.max(1, Math.floor(unknownMax / 10))
    const old = (one: Unknown) => this.#seen - one.sequence > unknownRecords / 2
    const gone = this.#unknown.slice(0, share).filter((one, i) => i === 0 || over || old(one))
    this.#unknown = this.#unknown.slice(gone.length)
    if (over) this.#forgotten.unknown += gone.length
    const why = over
      ? 'There was no room for more unknown records.'
      : `No others of their kind came within ${unknownRecords} records.`
    return this.#noise(gone, why)
  }

  #noise(members: readonly Unknown[], why: string): Finding {
    const id = `F${++this.#made.findings}`
    const facts = factsOf(id, members, members[members.length - 1])
    return this.#tell({
      ...facts,
      verdict: 'noise',
      pattern: null,
      label: null,
      why,
      evidence: null,
    })
  }

  #tell(finding: Omit<Finding, 'alerted'>): Finding {
    return { ...finding, alerted: this.#alerts.take(finding, this.#seen) }
  }
}

function visit({ cluster, pattern }: Neighbour, { sequence, timeUs }: MemoryRecord): void {
  cluster.records++
  pattern.records++
  pattern.lastSequence = sequence
  pattern.lastUs = timeUs
}

function factsOf(id: string, members: readonly MemoryRecord[], last: MemoryRecord) {
  return {
    id,
    sequence: last.sequence,
    timeUs: last.timeUs,
    records: members.length,
    members: members.map(({ sequence }) => sequence),
    entities: [...new Set(members.map(({ entity }) => entity))].slice(0, ENTITIES_SHOWN),
  }
}

/** What sleeps goes before what is awake, the longest unseen first. */
function forgetOrder(a: Pattern, b: Pattern): number {
  const awake = (one: Pattern) => (one.state === 'asleep' ? 0 : 1)
  return awake(a) - awake(b) || a.lastSequence - b.lastSequence || a.firstSequence - b.firstSequence
}

function exampleOf({ sequence, timeUs, entity, fields }: MemoryRecord) {
  return { sequence, timeUs, entity, fields }
}
