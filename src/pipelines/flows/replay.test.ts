import { describe, expect, test } from 'vitest'
import { logins, payments, startUs as dayUs } from '../../../test/small-bank.ts'
import { compileSource, type Frame } from '../../data/index.ts'
import type { DecideRemote, NamespaceInfo, PlayAnswer, PlayStep } from '../../decisions/index.ts'
import type { Remote } from '../../lib/rpc.ts'
import { createReplay, type Replay } from './replay.ts'
import { eventBody, mergeTape, type Tape } from './tape.ts'

const source = compileSource(payments)
const SECOND = 1_000_000
const HOUR = 3600 * SECOND

/** One payment a minute; each is labelled an hour later, every tenth as fraud. */
function tapeOf(events: number, over: Partial<Tape> = {}): Tape {
  const numbers = (valueOf: (i: number) => number) =>
    Float64Array.from({ length: events }, (_, i) => valueOf(i))
  const eventTimes = numbers((i) => dayUs + i * 60 * SECOND)
  return {
    source,
    policy: 'card',
    labels: 'fraud',
    labelValues: { genuine: 0, fraud: 1 },
    events: {
      rows: events,
      columns: {
        payment_id: Array.from({ length: events }, (_, i) => `p${i}`),
        at: eventTimes,
        customer: numbers((i) => i % 7),
        terminal: numbers((i) => i % 3),
        amount: numbers((i) => 100 + i),
      },
    },
    labelArrivals: {
      rows: events,
      columns: {
        event_id: Array.from({ length: events }, (_, i) => `p${i}`),
        value: numbers((i) => Number(i % 10 === 0)),
        event_time: eventTimes,
        arrival_time: eventTimes.map((us) => us + HOUR),
      },
    },
    fromUs: dayUs,
    untilUs: dayUs + events * 60 * SECOND,
    firstLabelsUs: dayUs + HOUR,
    ...over,
  }
}

/** A decide that remembers what it was sent, in order, and declines every fifth event. */
function fakeDecide() {
  const decided = new Map<string, string>()
  const labels = new Set<string>()
  const sent: string[] = []
  const told: number[] = []
  const read = { count: 0 }
  const failures: ('peer' | 'paused' | 'no policy')[] = []
  const namespaces = new Map<string, { nowUs: number | null }>([['live', { nowUs: null }]])
  const info = (namespace: string) =>
    ({
      namespace,
      nowUs: namespaces.get(namespace)!.nowUs,
      decisions: decided.size,
      labels: labels.size,
    }) as NamespaceInfo

  function step(namespace: string, { atUs, ...what }: PlayStep): PlayAnswer {
    const now = namespaces.get(namespace)!
    now.nowUs = Math.max(now.nowUs ?? 0, atUs)
    if ('label' in what) {
      const eventId = (what.label as { event_id: string }).event_id
      sent.push(`label ${eventId}`)
      const status = labels.has(eventId) ? 'duplicate' : 'accepted'
      labels.add(eventId)
      return { step: 'label', answer: { status, eventId, sequence: 1, late: false } as never }
    }
    const eventId = (what as { event: { payment_id: string } }).event.payment_id
    if (failures[0] === 'no policy') {
      failures.shift()
      const problem = { detail: 'not deployed here' } as never
      return { step: 'event', answer: { ok: false, status: 404, problem } }
    }
    sent.push(eventId)
    const outcome = Number(eventId.slice(1)) % 5 === 0 ? 'decline' : 'allow'
    const replayed = decided.has(eventId)
    decided.set(eventId, outcome)
    const body = JSON.stringify({ eventId, outcome })
    return { step: 'event', answer: { ok: true, status: 200, body, replayed } }
  }

  const remote: Partial<Remote<DecideRemote>> = {
    namespaces: async () => [...namespaces.keys()].map(info),
    replayClock: async ({ namespace, nowUs }) => {
      if (failures[0] === 'peer') throw failed()
      told.push(nowUs)
      const now = namespaces.get(namespace)!
      now.nowUs = Math.max(now.nowUs ?? 0, nowUs)
    },
    play: async ({ namespace, steps }) => {
      if (failures[0] === 'peer') throw failed()
      return steps.map((each) => step(namespace, each))
    },
    records: async ({ after, limit }) => {
      const records = [...decided].map(([eventId, outcome], i) => {
        const clockUs = dayUs + Number(eventId.slice(1)) * 60 * SECOND
        return { type: 'decision', eventId, outcome, clockUs, sequence: i + 1 }
      })
      const page = records.slice(after, after + limit)
      read.count += page.length
      return { records: page as never[], lastSequence: records.length, layouts: {} }
    },
  }
  const failed = () => {
    failures.shift()
    return new Error('decide is being started again')
  }
  return {
    remote: remote as Remote<DecideRemote>,
    decided,
    labels,
    sent,
    told,
    read,
    failures,
    namespaces,
  }
}

/** A replay whose time passes only when the test says so. */
function stage(tape: Tape, decide = fakeDecide(), speed: '60' | '600' | 'max' = 'max') {
  let nowMs = 0
  const sleepers: { atMs: number; wake: () => void }[] = []
  const prepared: string[] = []
  const replay = createReplay(tape, speed, {
    decide: decide.remote,
    prepare: async (namespace) => {
      prepared.push(namespace)
      decide.namespaces.set(namespace, { nowUs: null })
    },
    monotonicMs: () => nowMs,
    sleep: (ms) => new Promise((wake) => sleepers.push({ atMs: nowMs + ms, wake })),
  })
  const settle = async () => {
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
  }
  /** Lets milliseconds pass, in steps as short as the replay's own. */
  const pass = async (ms: number) => {
    for (const untilMs = nowMs + ms; nowMs < untilMs;) {
      nowMs = Math.min(nowMs + 100, untilMs)
      for (const sleeper of sleepers.splice(0)) {
        if (sleeper.atMs <= nowMs) sleeper.wake()
        else sleepers.push(sleeper)
      }
      await settle()
    }
  }
  const end = async (running: Replay = replay) => {
    const stopped = running.stop()
    await pass(2000)
    await stopped
  }
  return { replay, decide, pass, settle, prepared, end }
}

describe('the tape', () => {
  test('has events and labels in the order in which they happen, labels first', () => {
    const tape = tapeOf(200)
    const { count, timeUs, kind, row } = mergeTape(tape)
    expect(count).toBe(200 + 140) // The labels of the last hour come after the tape's end.
    expect([...timeUs]).toEqual([...timeUs].toSorted((a, b) => a - b))
    const at = timeUs.indexOf(dayUs + HOUR)
    expect([kind[at] < kind[at + 1], row[at], row[at + 1]]).toEqual([true, 0, 60])
  })

  test('has rows of further sources when they arrived, before the events of that instant', () => {
    const other = compileSource(logins)
    const times = Float64Array.of(dayUs - SECOND, dayUs + 60 * SECOND, dayUs + 61 * SECOND)
    const columns = { login_id: ['a', 'b', 'c'], at: times, user: Float64Array.of(1, 1, 2) }
    const arrivalsUs = Float64Array.of(dayUs + 90 * SECOND, Number.NaN, Number.NaN)
    const others = [{ source: other, frame: { rows: 3, columns }, arrivalsUs }]
    const { timeUs, kind, row } = mergeTape(tapeOf(3, { others }))
    const steps = [...timeUs.keys()].map((at) => [
      (timeUs[at] - dayUs) / SECOND,
      kind[at] === 0 ? 'login' : 'event',
      row[at],
    ])
    expect(steps).toEqual([
      [0, 'event', 0],
      [60, 'login', 1],
      [60, 'event', 1],
      [61, 'login', 2],
      [90, 'login', 0],
      [120, 'event', 2],
    ])
  })

  test('holds only what lies between its bounds', () => {
    const tape = tapeOf(10, { fromUs: dayUs + 120 * SECOND, untilUs: dayUs + 300 * SECOND })
    expect([...mergeTape(tape).row]).toEqual([2, 3, 4])
  })
})

test('a row is sent as a client would send it, and missing values are left out', () => {
  const frame: Frame = {
    rows: 1,
    columns: {
      payment_id: Float64Array.of(7),
      at: Float64Array.of(dayUs),
      customer: Float64Array.of(Number.NaN),
      terminal: Float64Array.of(3),
      amount: Float64Array.of(-5),
    },
  }
  expect(eventBody(source, frame, 0)).toEqual({
    payment_id: '7',
    at: '2024-05-01T12:00:00Z',
    terminal: 3,
    amount: '-0.05',
  })
})

test('everything is sent once, in order, and labels of declined events never', async () => {
  const { replay, decide, pass, end } = stage(tapeOf(700))
  await replay.start('live')
  await pass(1000)
  expect(replay.state()).toMatchObject({ state: 'finished', progress: 1, decisions: 700 })
  expect(decide.sent.filter((each) => !each.startsWith('label'))).toEqual(
    Array.from({ length: 700 }, (_, i) => `p${i}`),
  )
  expect(decide.labels.size).toBe(640 - 128)
  expect([...decide.labels].filter((id) => Number(id.slice(1)) % 5 === 0)).toEqual([])
  expect(replay.state().labels).toBe(decide.labels.size)
  await end()
})

test('time passes at the speed that is asked for, and not while it is paused', async () => {
  const { replay, pass, end } = stage(tapeOf(3000), fakeDecide(), '600')
  await replay.start('live')
  await pass(10_000)
  const { simulatedNowUs } = replay.state()
  expect((simulatedNowUs! - dayUs) / SECOND).toBeGreaterThan(5900)
  expect((simulatedNowUs! - dayUs) / SECOND).toBeLessThanOrEqual(6000)
  await replay.command({ action: 'pause' })
  await pass(5000)
  expect(replay.state().simulatedNowUs).toBe(simulatedNowUs)
  await replay.command({ action: 'speed', speed: '60' })
  await replay.command({ action: 'play' })
  await pass(10_000)
  expect((replay.state().simulatedNowUs! - simulatedNowUs!) / SECOND).toBeLessThanOrEqual(600)
  await end()
})

test('a jump plays everything up to the first labels, then goes on at its speed', async () => {
  const { replay, decide, pass, end } = stage(tapeOf(3000), fakeDecide(), '60')
  await replay.start('live')
  await replay.command({ action: 'jump-to-first-labels' })
  await pass(500)
  const { simulatedNowUs, decisions } = replay.state()
  expect(simulatedNowUs! - dayUs).toBeGreaterThanOrEqual(HOUR)
  expect(simulatedNowUs! - dayUs).toBeLessThan(HOUR + 60 * SECOND)
  expect(decisions).toBe(61)
  expect(decide.sent).toContain('p60')
  await end()
})

test('what fails in passing is sent again, and nothing is lost or counted twice', async () => {
  const { replay, decide, pass, end } = stage(tapeOf(700))
  decide.failures.push('no policy', 'no policy')
  await replay.start('live')
  decide.failures.push('peer')
  await pass(500)
  expect(replay.state()).toMatchObject({ state: 'playing', problem: expect.any(String) })
  await pass(20_000)
  expect(replay.state()).toMatchObject({ state: 'finished', decisions: 700, problem: null })
  expect(decide.decided.size).toBe(700)
  await end()
})

test('after a restart it goes on where the journal ends, and remembers what was declined', async () => {
  const first = stage(tapeOf(3000), fakeDecide(), '600')
  await first.replay.start('live')
  await first.pass(30_000)
  const { decisions, labels } = first.replay.state()
  await first.end()
  expect(decisions).toBeGreaterThan(250)
  const second = stage(tapeOf(3000), first.decide)
  await second.replay.start('live')
  expect(second.replay.state().decisions).toBeGreaterThanOrEqual(decisions)
  expect(second.replay.state().labels).toBeGreaterThanOrEqual(labels)
  await second.pass(1000)
  expect(second.replay.state()).toMatchObject({ state: 'finished', decisions: 3000 })
  expect([...second.decide.labels].filter((id) => Number(id.slice(1)) % 5 === 0)).toEqual([])
  await second.end()
})

test('after a restart its clock does not go back while it sends again what came before', async () => {
  const first = stage(tapeOf(3000), fakeDecide(), '600')
  await first.replay.start('live')
  await first.pass(30_000)
  await first.end()
  const second = stage(tapeOf(3000), first.decide, '600')
  const seen: number[] = []
  const { play } = first.decide.remote
  const watched: typeof play = (steps) => {
    seen.push(second.replay.state().simulatedNowUs!)
    return play(steps)
  }
  Object.assign(first.decide.remote, { play: watched })
  await second.replay.start('live')
  await second.pass(2000)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  await second.end()
})

test('what it remembers after a restart reaches back only as far as labels are awaited', async () => {
  const first = stage(tapeOf(30_000), fakeDecide(), '600')
  await first.replay.start('live')
  await first.replay.command({ action: 'speed', speed: 'max' })
  while (first.decide.decided.size < 20_000) await first.pass(100)
  await first.end()
  const second = stage(tapeOf(30_000), first.decide)
  first.decide.read.count = 0
  await second.replay.start('live')
  expect(first.decide.read.count).toBeLessThan(8000)
  while (second.replay.state().state !== 'finished') await second.pass(100)
  expect([...second.decide.labels].filter((id) => Number(id.slice(1)) % 5 === 0)).toEqual([])
  expect(second.decide.labels.size).toBe(((30_000 - 60) * 4) / 5)
  await second.end()
})

test('decide is told the time at once and while nothing is played, so that it knows it', async () => {
  const { replay, decide, pass, end } = stage(tapeOf(50))
  await replay.start('live')
  expect(decide.told).toEqual([dayUs])
  await pass(1000)
  expect(replay.state().state).toBe('finished')
  decide.told.length = 0
  await pass(5000)
  expect(decide.told.length).toBeGreaterThanOrEqual(4)
  expect(new Set(decide.told)).toEqual(new Set([dayUs + 50 * 60 * SECOND]))
  await end()
})

test('played again it begins anew in a namespace that nobody used, one after the other', async () => {
  const { replay, pass, prepared, end } = stage(tapeOf(3000), fakeDecide(), '60')
  await replay.start('live')
  const both = Promise.all([
    replay.command({ action: 'again' }),
    replay.command({ action: 'again' }),
  ])
  await pass(2000)
  expect((await both).map(({ namespace }) => namespace)).toEqual(['replay-2', 'replay-3'])
  expect(prepared).toEqual(['replay-2', 'replay-3'])
  expect(replay.state()).toMatchObject({ namespace: 'replay-3', state: 'playing', problem: null })
  await end()
})
