// Events that a base took from a file and that are then sent live: each counts once.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, payment, payments, startUs } from '../../test/small-bank.ts'
import { compileSource, createRowParser, type Frame } from '../data/index.ts'
import { historyWithState } from '../features/index.ts'
import { auditFeatures } from './audit-features.ts'
import { noCounts, writeCheckpoint } from './checkpoint.ts'
import { writeHeldEvents } from './held-events.ts'
import { replayDecision } from './replay.ts'

const source = compileSource(payments)
const { featureSets: sets } = deployment()
const parser = createRowParser(source)
const names = sets[0].features.map(({ name }) => name)
const COUNT_1D = names.indexOf('CUSTOMER_COUNT_1D')

afterEach(closeServices)

type Bank = Awaited<ReturnType<typeof openBank>>

/** The n-th payment, of one customer, some seconds after the start. */
const paymentOf = (n: number, seconds: number, over = {}) =>
  payment(n, {
    at: new Date(startUs / 1000 + seconds * 1000).toISOString(),
    customer: 1,
    terminal: n % 3,
    ...over,
  })

/** Bodies as a dataset holds them, in order of their times. */
function frameOf(bodies: readonly unknown[]): Frame {
  const rows = bodies.map((body) => {
    const parsed = parser.fromJson(body)
    if (!parsed.ok) throw new Error(parsed.failures[0].message)
    return parsed.row
  })
  rows.sort((a, b) => Number(a[1]) - Number(b[1]))
  const columns = source.columns.map(({ name, kind }, c) => {
    const isText = kind === 'id'
    return [
      name,
      isText ? rows.map((row) => String(row[c])) : Float64Array.from(rows, (row) => Number(row[c])),
    ] as const
  })
  return { rows: rows.length, columns: Object.fromEntries(columns) }
}

interface Told {
  /** Whether the base names its events. */
  readonly isKnown?: boolean
  /** For how many of them it has room. */
  readonly eventsMax?: number
  /** What of the journal is among the events. */
  readonly through?: number
}

/** Loads the state after a file's events; what a live door would still let in is known. */
async function loadHistory(
  bank: Bank,
  bodies: readonly unknown[],
  { isKnown = true, eventsMax = 1000, through = 0 }: Told = {},
) {
  const frame = frameOf(bodies)
  const { state, matrix, tail } = historyWithState({ sets, source, frame, tailBytesMax: 1e6 })
  const base = {
    featureSets: sets,
    source,
    state: state.snapshot(),
    lastSequence: state.lastSequence,
    newestEventTimeUs: state.newestUs,
    journal: { namespace: 'live', through },
    through: 0,
    counts: noCounts,
  }
  const afterUs = state.tooLateUsOf('payments')
  const held = writeHeldEvents([{ source, frame, afterUs, values: tail! }], eventsMax)
  const { state: bytes, ...head } = base
  if (isKnown) {
    const events = { ...head, events: held.head }
    await writeCheckpoint('/base', events, [bytes], bank.files, { held: held.bytes })
  } else await writeCheckpoint('/base', head, [bytes], bank.files)
  const { sequence } = await bank.remote.loadBase({ namespace: 'live', path: '/base' })
  const ids = frame.columns['payment_id'] as string[]
  const valuesOf = (n: number) => {
    const row = ids.indexOf(`p${n}`)
    return matrix.columns.map((column) => (Number.isNaN(column[row]) ? null : column[row]))
  }
  return { sequence, valuesOf }
}

async function deploy({ remote, deployments }: Bank): Promise<void> {
  const hash = deployments.add(deployment())
  await remote.switchDeployment({ namespace: 'live', deployment: hash, actor: 'a', reason: 'r' })
}

const send = ({ service }: Bank, rows: unknown[]) =>
  service.ingest({ namespace: 'live', source: 'payments', rows, author: 'a' })

const recordOf = async ({ remote }: Bank, n: number) =>
  (await remote.decision({ namespace: 'live', policy: 'card', eventId: `p${n}` })).record

async function customerNow({ remote }: Bank) {
  const rows = [{ customer: 1, terminal: 1, amount: '1.00' }]
  const found = await remote.liveValues({ namespace: 'live', set: 'behaviour', rows })
  return found.values[0]
}

const file = [0, 1, 2, 3, 4, 5].map((n) => paymentOf(n, n * 600))

test('an event of the file that is sent is known, and one that is decided has the values it entered with', async () => {
  const bank = await openBank()
  const { sequence, valuesOf } = await loadHistory(bank, file)
  await deploy(bank)
  const before = await customerNow(bank)
  const duplicate = { status: 'duplicate', eventId: 'p3', sequence }
  expect(await send(bank, [file[3]])).toEqual([duplicate])
  const answer = await bank.decide(file[2])
  expect(await recordOf(bank, 2)).toMatchObject({ entry: 'known', features: valuesOf(2) })
  expect(await bank.decide(file[2])).toBe(answer)
  expect(await customerNow(bank)).toEqual(before)
  // One that no file had counts, though it is as old.
  expect(await send(bank, [paymentOf(60, 700)])).toMatchObject([{ status: 'accepted' }])
  expect((await customerNow(bank))[COUNT_1D]).toBe(before[COUNT_1D]! + 1)
})

test('an event of the file that is sent with other values is refused, and keeps no key', async () => {
  const bank = await openBank()
  await loadHistory(bank, file)
  await deploy(bank)
  const before = await customerNow(bank)
  const other = paymentOf(3, 1800, { amount: '77.00' })
  expect(await codeOf(bank.decide(other))).toBe('event_id_conflict')
  expect(await send(bank, [other])).toMatchObject([{ code: 'event_id_conflict' }])
  expect(await codeOf(bank.decide(file[3]))).toBe('none')
  expect(await customerNow(bank)).toEqual(before)
})

test('a base that names no events opens, and knows none of them again', async () => {
  const bank = await openBank()
  await loadHistory(bank, file, { isKnown: false })
  await deploy(bank)
  expect(await send(bank, [file[3]])).toMatchObject([{ status: 'accepted' }])
  const again = await openBank(bank)
  expect(await send(again, [file[3]])).toMatchObject([{ status: 'duplicate' }])
})

test('what was sent before its file was read counts once in the base of that file', async () => {
  const bank = await deployedBank()
  await send(bank, [file[1], paymentOf(60, 700)])
  await loadHistory(bank, file)
  expect((await customerNow(bank))[COUNT_1D]).toBe(file.length + 1)
  expect(bank.service.namespace('live').state!.counts.events).toBe(2)
  const again = await openBank(bank)
  expect(await customerNow(again)).toEqual(await customerNow(bank))
})

test('where ids had no room, what may be in the base stays outside of state, and is told as late', async () => {
  const bank = await openBank()
  await loadHistory(bank, file, { eventsMax: 2 })
  await deploy(bank)
  const before = await customerNow(bank)
  await bank.decide(paymentOf(60, 1800))
  expect(await recordOf(bank, 60)).toMatchObject({ entry: 'too-late', late: true })
  expect(await send(bank, [paymentOf(61, 700)])).toMatchObject([{ late: true }])
  expect(await customerNow(bank)).toEqual(before)
  await bank.decide(paymentOf(62, 1801))
  expect(await recordOf(bank, 62)).toMatchObject({ entry: 'new', late: false })
})

const steps = fc.array(
  fc.record({
    n: fc.nat({ max: 11 }),
    door: fc.constantFrom('events', 'decision', 'restart', 'stop', 'base'),
  }),
  { minLength: 1, maxLength: 14 },
)

test('a file and live traffic are one history in state, through restarts at any point', async () => {
  const seconds = [0, 600, 1200, 1200, 1800, 2400, 2400, 3000, 60, 1300, 2500, 5000]
  const bodies = seconds.map((at, n) => paymentOf(n, at))
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(2, 1000),
      async (given, inFile, checkpointEvery) => {
        let bank = await openBank({ checkpointEvery })
        const entered = new Set(Array.from({ length: inFile }, (_, n) => n))
        const union = () => [...entered].map((n) => bodies[n])
        let { valuesOf } = await loadHistory(bank, union())
        await deploy(bank)
        const inJournal = new Set<number>()
        const decidedOfFile = new Set<number>()
        for (const { n, door } of given) {
          if (door === 'events') {
            const status = entered.has(n) ? 'duplicate' : 'accepted'
            expect(await send(bank, [bodies[n]])).toMatchObject([{ status }])
            if (!entered.has(n)) inJournal.add(n)
            entered.add(n)
          } else if (door === 'decision') {
            await bank.decide(bodies[n])
            if (!entered.has(n)) inJournal.add(n)
            else if (!inJournal.has(n) && !decidedOfFile.has(n)) {
              decidedOfFile.add(n)
              expect((await recordOf(bank, n)).features).toEqual(valuesOf(n))
            }
            entered.add(n)
          } else if (door === 'base') {
            // The file is read again, and has one more.
            const through = bank.service.namespace('live').journal.lastSequence
            entered.add(n)
            valuesOf = (await loadHistory(bank, union(), { through })).valuesOf
          } else {
            const before = await customerNow(bank)
            if (door === 'stop') await bank.service.close()
            bank = await openBank({ ...bank, checkpointEvery })
            expect(await customerNow(bank)).toEqual(before)
          }
          expect((await customerNow(bank))[COUNT_1D]).toBe(entered.size)
        }
        await bank.service.namespace('live').journal.flush()
        const { files, deployments } = bank
        const place = { directory: '/decide/live', files, deployments }
        expect(await auditFeatures(place)).toMatchObject({ mismatches: 0, unplaced: 0 })
        for (const n of decidedOfFile) {
          const { sequence } = await recordOf(bank, n)
          expect(await replayDecision({ ...place, sequence })).toMatchObject({ identical: true })
        }
        await closeServices()
      },
    ),
    { numRuns: 60 },
  )
})
