// Plays kept-back rows as live traffic: events ask for decisions at their own time, and labels come
// home when they would have. A declined payment never happened, so its label never comes.
import { numbersOf } from '../../data/index.ts'
import type { DecideRemote, PlayAnswer, PlayStep } from '../../decisions/index.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { ReplayCommand, ReplaySpeed, ReplayState } from '../work-remote.ts'
import { LABEL, eventId, labelledId, mergeTape, stepAt, type Tape } from './tape.ts'

export interface ReplayPorts {
  readonly decide: Remote<DecideRemote>
  /** Makes a namespace ready to decide: opened, base loaded, deployment switched. */
  readonly prepare: (namespace: string) => Promise<void>
  /** Milliseconds that pass between two looks, on a clock that never steps back. */
  readonly monotonicMs: () => number
  readonly sleep: (ms: number) => Promise<void>
}

export interface Replay {
  state(): ReplayState
  command(command: ReplayCommand): Promise<ReplayState>
  /** Plays until stopped; goes on where the namespace's own journal ends. */
  start(namespace: string): Promise<void>
  stop(): Promise<void>
}

const TICK_MS = 100
const BATCH_STEPS = 512
const PEER_RETRY_MS = 1000
const CLOCK_EVERY_MS = 1000
const RECALLED_AT_ONCE = 2000
/** Among so many records in a row one is of an event. */
const LOOKED_AT = 50
/** A computer that slept must not make up for it in one leap. */
const TICK_LONGEST_MS = 2000

export function createReplay(tape: Tape, speed: ReplaySpeed, ports: ReplayPorts): Replay {
  const steps = mergeTape(tape)
  const labelledTimes = numbersOf(tape.labelArrivals, 'event_time')
  let current: ReplayState = {
    state: 'waiting',
    namespace: null,
    simulatedNowUs: null,
    fromUs: tape.fromUs,
    untilUs: tape.untilUs,
    speed,
    progress: 0,
    decisions: 0,
    labels: 0,
    firstLabelsUs: tape.firstLabelsUs,
    problem: null,
  }
  let position = 0
  let declined = new Set<string>()
  let jumpToUs: number | undefined
  let stopped = false
  let loop: Promise<void> = Promise.resolve()
  let lastCommand: Promise<unknown> = Promise.resolve()
  const change = (changes: Partial<ReplayState>) => {
    current = { ...current, ...changes }
  }

  async function play(namespace: string): Promise<void> {
    let lastMs = ports.monotonicMs()
    let idleMs = 0
    while (!stopped && current.namespace === namespace) {
      const nowMs = ports.monotonicMs()
      const passedMs = Math.min(nowMs - lastMs, TICK_LONGEST_MS)
      lastMs = nowMs
      idleMs = current.state === 'playing' ? 0 : idleMs + passedMs
      try {
        if (current.state === 'playing') await advance(namespace, passedMs)
        // A `decide` that was started again does not know what time it is until it is told.
        else if (idleMs >= CLOCK_EVERY_MS && current.simulatedNowUs !== null) {
          idleMs = 0
          await ports.decide.replayClock({ namespace, nowUs: current.simulatedNowUs })
          change({ problem: null })
        }
      } catch (error) {
        // The tape waits while `decide` restarts; what was sent twice is answered once.
        change({ problem: error instanceof Error ? error.message : String(error) })
        await ports.sleep(PEER_RETRY_MS)
        continue
      }
      if (current.state === 'playing' && (current.speed === 'max' || jumpToUs !== undefined))
        continue
      await ports.sleep(TICK_MS)
    }
  }

  async function advance(namespace: string, passedMs: number): Promise<void> {
    const fast = current.speed === 'max' || jumpToUs !== undefined
    const fromUs = current.simulatedNowUs ?? tape.fromUs
    const nextUs = steps.timeUs[position + BATCH_STEPS] ?? tape.untilUs
    const targetUs = fast
      ? Math.min(nextUs, jumpToUs ?? tape.untilUs)
      : fromUs + Math.round(passedMs * 1000 * Number(current.speed))
    await sendUntil(namespace, Math.min(targetUs, tape.untilUs))
    if (jumpToUs !== undefined && targetUs >= jumpToUs) jumpToUs = undefined
    if (targetUs >= tape.untilUs) change({ state: 'finished' })
  }

  async function sendUntil(namespace: string, untilUs: number): Promise<void> {
    while (position < steps.count && steps.timeUs[position] <= untilUs) {
      const end = endOfBatch(untilUs)
      await send(namespace, position, end)
      // What is sent again after a restart lies behind the clock, which never goes back.
      change({
        simulatedNowUs: Math.max(steps.timeUs[end - 1], current.simulatedNowUs ?? -Infinity),
      })
      position = end
    }
    await moveClock(namespace, untilUs)
    change({
      progress: (untilUs - tape.fromUs) / (tape.untilUs - tape.fromUs),
      problem: null,
    })
  }

  async function moveClock(namespace: string, nowUs: number): Promise<void> {
    await ports.decide.replayClock({ namespace, nowUs })
    change({ simulatedNowUs: nowUs })
  }

  /** A batch ends before the first label of one of its own events, which may be declined in it. */
  function endOfBatch(untilUs: number): number {
    const beganUs = steps.timeUs[position]
    let end = position
    while (end < steps.count && end - position < BATCH_STEPS && steps.timeUs[end] <= untilUs) {
      if (steps.kind[end] === LABEL && labelledTimes[steps.row[end]] >= beganUs) break
      end++
    }
    return Math.max(end, position + 1)
  }

  async function send(namespace: string, from: number, end: number): Promise<void> {
    const batch: PlayStep[] = []
    const rows: number[] = []
    for (let at = from; at < end; at++) {
      const row = steps.row[at]
      if (steps.kind[at] === LABEL && declined.has(labelledId(tape, row))) continue
      batch.push(stepAt(tape, steps, at))
      rows.push(row)
    }
    if (batch.length === 0) return
    const answers = await ports.decide.play({
      namespace,
      policy: tape.policy,
      labels: tape.labels,
      author: 'Card scheme',
      steps: batch,
    })
    // All answers are heard before the batch is sent again: what was decided counts now.
    const passing = answers.map((played, index) => hear(played, rows[index]))
    const obstacle = passing.find((each) => each !== undefined)
    if (obstacle !== undefined) throw new Error(obstacle)
  }

  /** Takes note of an answer. What stands in the way only for now is returned, in words. */
  function hear(played: PlayAnswer, row: number): string | undefined {
    if (played.step !== 'event') {
      const { step, answer } = played
      const isNewLabel = step === 'label' && answer.status === 'accepted'
      if (isNewLabel) change({ labels: current.labels + 1 })
      const isPassing = answer.status === 'refused' && answer.code === 'decisions_paused'
      return isPassing ? answer.detail : undefined
    }
    const { answer } = played
    if (!answer.ok) {
      // Refused for what the event says: the tape goes on, the metrics of `decide` count it. All
      // else (too much at once, no disk, no policy yet) passes.
      const isRefused = answer.status === 409 || answer.status === 422
      return isRefused ? undefined : answer.problem.detail
    }
    if (answer.body.includes('"outcome":"decline"')) declined.add(eventId(tape, row))
    if (!answer.replayed) change({ decisions: current.decisions + 1 })
    return undefined
  }

  const start = async (namespace: string) => {
    const known = (await ports.decide.namespaces()).find((each) => each.namespace === namespace)
    const resumeUs = Math.max(tape.fromUs, known?.nowUs ?? tape.fromUs)
    // The last batch may not have been answered; what is sent twice is answered as before.
    position = Math.max(0, lowerBound(steps.timeUs, resumeUs) - 2 * BATCH_STEPS)
    declined = new Set()
    jumpToUs = undefined
    change({
      state: resumeUs >= tape.untilUs ? 'finished' : 'playing',
      namespace,
      simulatedNowUs: resumeUs,
      progress: Math.max(0, (resumeUs - tape.fromUs) / (tape.untilUs - tape.fromUs)),
      decisions: known?.decisions ?? 0,
      labels: known?.labels ?? 0,
      problem: null,
    })
    if (current.state === 'playing' && resumeUs > tape.fromUs) await recallDeclined(namespace)
    await ports.decide.replayClock({ namespace, nowUs: resumeUs })
    loop = play(namespace)
  }

  // After a restart the tape must still know which payments never happened: of those whose labels
  // have not come yet, because of the others nobody will ask.
  async function recallDeclined(namespace: string): Promise<void> {
    const earliestUs = earliestAwaitedUs() - tape.source.futureUs
    for (let after = await lastSequenceBefore(namespace, earliestUs); ;) {
      const { records, lastSequence } = await recordsAfter(namespace, after, RECALLED_AT_ONCE)
      for (const record of records) {
        if (record.type === 'decision' && record.outcome === 'decline') declined.add(record.eventId)
      }
      after = records.at(-1)?.sequence ?? lastSequence
      if (records.length === 0 || after >= lastSequence) return
    }
  }

  const recordsAfter = (namespace: string, after: number, limit: number) =>
    ports.decide.records({ namespace, after, limit })

  function earliestAwaitedUs(): number {
    let earliest = Infinity
    for (let at = position; at < steps.count; at++) {
      if (steps.kind[at] !== LABEL) continue
      const us = labelledTimes[steps.row[at]]
      earliest = Math.min(earliest, Number.isNaN(us) ? -Infinity : us)
    }
    return earliest
  }

  /** A sequence up to which everything was decided before an instant; the clock never goes back. */
  async function lastSequenceBefore(namespace: string, us: number): Promise<number> {
    let low = 0
    let { lastSequence: high } = await recordsAfter(namespace, 0, 1)
    while (high - low > RECALLED_AT_ONCE) {
      const middle = Math.floor((low + high) / 2)
      const { records } = await recordsAfter(namespace, middle, LOOKED_AT)
      const dated = records.find((record) => 'clockUs' in record)
      if (dated !== undefined && dated.clockUs < us) low = middle
      else high = middle
    }
    return low
  }

  // One after the other: two people who press "again" at once get one replay after the other.
  const command = (wanted: ReplayCommand): Promise<ReplayState> => {
    const done = lastCommand.then(() => obey(wanted))
    lastCommand = done.catch(() => {})
    return done
  }

  const obey = async (wanted: ReplayCommand): Promise<ReplayState> => {
    if (wanted.speed !== undefined) change({ speed: wanted.speed })
    if (wanted.action === 'pause' && current.state === 'playing') change({ state: 'paused' })
    if (wanted.action === 'play' && current.state === 'paused') change({ state: 'playing' })
    if (wanted.action === 'jump-to-first-labels' && current.state !== 'finished') {
      jumpToUs = Math.max(tape.firstLabelsUs, current.simulatedNowUs ?? 0)
      change({ state: 'playing' })
    }
    if (wanted.action === 'again') await again()
    return current
  }

  async function again(): Promise<void> {
    const taken = new Set((await ports.decide.namespaces()).map(({ namespace }) => namespace))
    let number = 2
    while (taken.has(`replay-${number}`)) number++
    const namespace = `replay-${number}`
    change({
      state: 'waiting',
      namespace: null,
      simulatedNowUs: null,
      decisions: 0,
      labels: 0,
      progress: 0,
    })
    await loop
    try {
      await ports.prepare(namespace)
      await start(namespace)
    } catch (error) {
      change({ state: 'failed', problem: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }

  return {
    state: () => current,
    command,
    start,
    stop: async () => {
      stopped = true
      await loop
    },
  }
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}
