import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manualClock } from '../../lib/clock.ts'
import { DAY_US, HOUR_US, parseTimestamp } from '../../lib/time.ts'
import { createMemoryPipelineRuns } from '../memory.ts'
import { compilePipeline } from './compile.ts'
import { pipeline, step } from './declare.ts'
import { createMemoryEngineStore } from './memory.ts'
import { createScheduler, dueTimes } from './scheduler.ts'
import { cron, freshness, onData, partitionBy, type TriggerDeclaration } from './when.ts'

const at = (text: string) => parseTimestamp(text)!
const nothing = step('nothing', { outputs: {}, run: async () => {} })

function scheduled(trigger: TriggerDeclaration, partitioned = false) {
  const compiled = compilePipeline(
    pipeline('texts', {
      steps: () => ({ nothing: nothing({}) }),
      triggers: [trigger],
      ...(partitioned && { partitions: partitionBy.day({ from: '2026-01-01' }) }),
    }),
  )
  const clock = manualClock(at('2026-03-01T12:00:00Z'))
  const runs = createMemoryPipelineRuns()
  const store = createMemoryEngineStore(runs)
  const versions = new Map<string, string>()
  const started: string[] = []
  const make = () =>
    createScheduler({
      pipelines: () => [compiled],
      store,
      runs,
      clock,
      versionOf: async (_kind, name) => versions.get(name),
      start: async (_pipeline, partition, { words }) =>
        started.push(partition === null ? words : `${partition}: ${words}`),
      onProblem: (_pipeline, error) => {
        throw error
      },
    })
  return { clock, runs, versions, started, make, tick: () => make().tick() }
}

test('a clock starts a run at its time, once, and not before it was first seen', async () => {
  const { clock, started, tick } = scheduled(cron('0 3 * * *'))
  await tick()
  clock.set(at('2026-03-02T02:59:59Z'))
  await tick()
  expect(started).toEqual([])
  clock.set(at('2026-03-02T03:00:01Z'))
  await tick()
  await tick()
  expect(started).toEqual(['At 2026-03-02T03:00:00Z by 0 3 * * *'])
})

test.each([
  ['all', 3],
  ['last', 1],
  ['none', 0],
] as const)('after three missed times, catch-up %s starts %i runs', async (catchUp, count) => {
  const { clock, started, tick } = scheduled(cron('0 3 * * *', { catchUp }))
  await tick()
  clock.advance(3 * DAY_US)
  await tick()
  expect(started).toHaveLength(count)
  for (const words of started) expect(words).toContain('caught up')
  // The next one comes in time, whatever was missed.
  clock.set(at('2026-03-05T03:00:00Z'))
  await tick()
  expect(started).toHaveLength(count + 1)
})

test('a clock runs in its time zone, over the change of summer time', () => {
  const trigger = {
    on: 'cron',
    pattern: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    catchUp: 'all',
  } as const
  const times = dueTimes(trigger, at('2026-03-28T00:00:00Z'), at('2026-03-30T12:00:00Z'))
  expect(times).toEqual([
    at('2026-03-28T02:00:00Z'),
    at('2026-03-29T01:00:00Z'),
    at('2026-03-30T01:00:00Z'),
  ])
})

test('of many missed times the newest hundred are caught up', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (minutes) => {
      const trigger = { on: 'cron', pattern: '* * * * *', timeZone: 'UTC', catchUp: 'all' } as const
      const from = at('2026-03-01T00:00:00Z')
      const times = dueTimes(trigger, from, from + minutes * 60_000_000)
      expect(times).toHaveLength(Math.min(minutes, 100))
      expect(times.at(-1)).toBe(from + minutes * 60_000_000)
    }),
    { numRuns: 20 },
  )
})

test('a partitioned pipeline runs the last day that was over then', async () => {
  const { clock, started, tick } = scheduled(cron('0 3 * * *', { catchUp: 'all' }), true)
  await tick()
  clock.advance(2 * DAY_US)
  await tick()
  expect(started.map((words) => words.slice(0, 10))).toEqual(['2026-03-01', '2026-03-02'])
})

test('new data start a run, those that were there before do not', async () => {
  const { started, versions, tick } = scheduled(onData('payments'))
  versions.set('payments', 'aaaa')
  await tick()
  await tick()
  expect(started).toEqual([])
  versions.set('payments', 'bbbb')
  await tick()
  await tick()
  expect(started).toEqual(['The data set payments has a new version, bbbb'])
})

test('the first data that ever come start a run', async () => {
  const { started, versions, tick } = scheduled(onData('payments'))
  await tick()
  versions.set('payments', 'aaaa')
  await tick()
  expect(started).toHaveLength(1)
})

test('a product that is too old is made again, at most so often', async () => {
  const { clock, started, runs, tick } = scheduled(freshness('PT8H'))
  await tick()
  await tick()
  expect(started).toEqual(['Its newest good run is older than 8 hours'])
  clock.advance(2 * HOUR_US)
  await tick()
  expect(started).toHaveLength(2)
  const ended = { startedAtUs: clock.nowUs(), endedAtUs: clock.nowUs() }
  const run = { id: 'pipe_1', pipeline: 'texts', key: '', actor: '', steps: [], problem: null }
  await runs.save({ ...run, ...ended, status: 'done' })
  clock.advance(7 * HOUR_US)
  await tick()
  expect(started).toHaveLength(2)
  clock.advance(2 * HOUR_US)
  await tick()
  expect(started).toHaveLength(3)
})

test('what waits or runs is not begun again for being old', async () => {
  const { started, runs, tick } = scheduled(freshness('PT8H'))
  const run = { id: 'pipe_1', pipeline: 'texts', key: '', actor: '', steps: [], problem: null }
  await runs.save({ ...run, startedAtUs: 1, endedAtUs: null, status: 'waiting' })
  await tick()
  expect(started).toEqual([])
})
