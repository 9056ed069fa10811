// Events that come by file and live, in any order and more than once, are one history.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank } from '../../../test/running-bank.ts'
import { behaviour, payment, payments, startUs } from '../../../test/small-bank.ts'
import {
  compileSource,
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  ingestRecords,
} from '../../data/index.ts'
import { readJournalFacts } from '../../decisions/index.ts'
import { compileFeatureSet, factOrders } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { entityFeatures, readSourceFacts } from './entity-features.ts'
import { withLiveFacts } from './live-facts.ts'

const source = compileSource(payments)
const set = compileFeatureSet(behaviour)
const by = { actor: { id: 'a', name: 'A', kind: 'person' as const }, reason: 'test' }
const SECOND_US = 1_000_000
const EVENTS = 8

afterEach(closeServices)

interface Delivery {
  readonly door: 'file' | 'live'
  readonly events: readonly number[]
}

const deliveries = fc.array(
  fc.record<Delivery>({
    door: fc.constantFrom('file', 'live'),
    events: fc.uniqueArray(fc.nat({ max: EVENTS - 1 }), { minLength: 1, maxLength: EVENTS }),
  }),
  { minLength: 1, maxLength: 6 },
)
/** Seconds after the start; the doors open at 10,000, and events may be of before or after that. */
const times = fc.array(fc.nat({ max: 10_200 }), { minLength: EVENTS, maxLength: EVENTS })
const questions = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 40_000 }), customer: fc.nat({ max: 1 }) }),
  { minLength: 1, maxLength: 4 },
)

/** A bank to which events are delivered an hour apart, and its history. */
async function bankAfter(given: readonly Delivery[], secondsOf: readonly number[]) {
  const { service, files, clock } = await deployedBank()
  const ports = {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    clock,
    ids: (kind: string) => `${kind}-${clock.nowUs()}`,
  }
  const body = (n: number) => {
    const at = new Date((startUs + secondsOf[n] * SECOND_US) / 1000).toISOString()
    return payment(n, { at, customer: n % 2, terminal: n % 3 })
  }
  for (const { door, events } of given) {
    const rows = events.map(body)
    clock.advance(3600 * SECOND_US)
    if (rows.length === 0) continue
    if (door === 'live') {
      await service.ingest({ namespace: 'live', source: 'payments', rows, author: 'a' })
    } else {
      const file = { name: 'file', records: rows, source, by, mode: 'append' as const }
      await ingestRecords(file, ports).catch((error: unknown) => {
        if (!isAssayError(error, 'no_row_accepted')) throw error
      })
    }
  }
  await service.namespace('live').journal.flush()
  return async (asked: { after: number; customer: number }[]) => {
    const project = { sources: [source], labels: [] }
    const live = await readJournalFacts('/decide/live', [source], files)
    const past = await readSourceFacts(project, set, ports)
    const facts = withLiveFacts(past, live.facts, [])
    const columns = {
      at: Float64Array.from(asked, ({ after }) => startUs + after * SECOND_US),
      customer: Float64Array.from(asked, ({ customer }) => customer),
      terminal: Float64Array.from(asked, ({ customer }) => customer),
    }
    const entities = { rows: asked.length, names: Object.keys(columns), columns }
    const answers = []
    for (const order of factOrders) {
      const turn = async () => undefined
      const { frame } = await entityFeatures({ set, facts, entities, order, turn })
      answers.push(frame.columns)
    }
    return { answers, events: facts.events.rows, conflicting: facts.conflicting }
  }
}

/** The same deliveries, in which each event comes by the first door only. */
function withoutRepeats(given: readonly Delivery[]): Delivery[] {
  const seen = new Set<number>()
  return given.map(({ door, events }) => {
    return { door, events: events.filter((n) => !seen.has(n) && seen.add(n)) }
  })
}

/** A dataset must be there: nobody asks for the history of a source that was never ingested. */
const first: Delivery = { door: 'file', events: [0] }

test('whichever door an event came through, and however often, it counts once', async () => {
  await fc.assert(
    fc.asyncProperty(
      deliveries,
      times,
      questions,
      fc.boolean(),
      async (given, secondsOf, asked, isFirst) => {
        const all = isFirst ? [first, ...given] : [...given, first]
        const repeated = await (await bankAfter(all, secondsOf))(asked)
        const once = withoutRepeats(all)
        // Where its only file brings nothing new, the bank without repeats has no dataset to ask.
        fc.pre(once.some(({ door, events }) => door === 'file' && events.length > 0))
        expect(repeated).toEqual(await (await bankAfter(once, secondsOf))(asked))
        expect(repeated.conflicting).toBe(0)
        await closeServices()
      },
    ),
    { numRuns: 60 },
  )
})
