// A base of history that was made while live events came in: each event counts once.
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { closeServices, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, payment, payments, startUs } from '../../test/small-bank.ts'
import { compileSource, createRowParser } from '../data/index.ts'
import { createFeatureState } from '../features/index.ts'
import { auditFeatures } from './audit-features.ts'
import { writeBaseCheckpoint } from './checkpoint.ts'

const source = compileSource(payments)
const { featureSets } = deployment()
const parser = createRowParser(source)
const DAY_S = 86_400

afterEach(closeServices)

/** A payment of customer 1, some seconds after the first. */
const paymentOf = (n: number, seconds: number) =>
  payment(n, { at: new Date(startUs / 1000 + seconds * 1000).toISOString(), customer: 1 })

function rowOf(body: unknown) {
  const parsed = parser.fromJson(body)
  if (!parsed.ok) throw new Error(parsed.failures[0].message)
  return parsed.row
}

type Bank = Awaited<ReturnType<typeof deployedBank>>

/** The state after events in order, as a base that holds what the journal has up to a sequence. */
async function writeBase({ files }: Pick<Bank, 'files'>, bodies: unknown[], through: number) {
  const state = createFeatureState(featureSets, source)
  const rows = bodies.map(rowOf).sort((a, b) => Number(a[1]) - Number(b[1]))
  for (const row of rows) state.apply(row, state.lastSequence + 1)
  await writeBaseCheckpoint(
    '/base',
    {
      featureSets,
      source,
      state: state.snapshot(),
      lastSequence: state.lastSequence,
      newestEventTimeUs: state.newestUs,
      journal: { namespace: 'live', through },
    },
    files,
  )
}

async function customerNow({ remote }: Pick<Bank, 'remote'>) {
  const rows = [{ customer: 1, terminal: 1, amount: '1.00' }]
  const found = await remote.liveValues({ namespace: 'live', set: 'behaviour', rows })
  return found.values[0]
}

test('a base that holds live events is followed by those that came after it only', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 9000 }), { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 12 }),
      fc.nat({ max: 5 }),
      fc.nat({ max: 12 }),
      async (seconds, held, inFileOnly, decided) => {
        const bank = await deployedBank({ segmentBytes: 3000 })
        const bodies = seconds.map((at, n) => paymentOf(n, at))
        await bank.service.ingest({
          namespace: 'live',
          source: 'payments',
          rows: bodies,
          author: 'a',
        })
        // The last ones are decided on too, and so have a second record.
        for (const body of bodies.slice(decided)) await bank.decide(body)
        const before = await customerNow(bank)
        const older = Array.from({ length: inFileOnly }, (_, n) => paymentOf(100 + n, -n))
        // The deployment is the first record.
        await writeBase(bank, [...older, ...bodies.slice(0, held)], 1 + held)
        await bank.remote.loadBase({ namespace: 'live', path: '/base' })
        const [info] = await bank.remote.namespaces()
        expect(info.events).toBe(bodies.length)
        expect(info.decisions).toBe(bodies.slice(decided).length)
        const after = await customerNow(bank)
        expect(after[1]).toBe(before[1]! + inFileOnly)
        if (inFileOnly === 0) expect(after).toEqual(before)
        await bank.service.close()
        const again = await openBank(bank)
        expect(await customerNow(again)).toEqual(after)
        await closeServices()
      },
    ),
    { numRuns: 40 },
  )
})

test('a base that is newer than what live state could still take in can be loaded', async () => {
  const bank = await deployedBank()
  const days = [0, 1, 2, 3, 4, 5]
  const bodies = days.map((day) => paymentOf(day, day * DAY_S))
  for (const body of bodies) {
    bank.clock.advance(DAY_S * 1_000_000)
    await bank.decide(body)
  }
  const before = await customerNow(bank)
  const through = bank.service.namespace('live').journal.lastSequence
  await writeBase(bank, bodies, through)
  await bank.remote.loadBase({ namespace: 'live', path: '/base' })
  expect(await customerNow(bank)).toEqual(before)
  // What is decided next is on that state, and can be worked out again from the files alone.
  await bank.decide(paymentOf(7, 6 * DAY_S))
  await bank.service.namespace('live').journal.flush()
  const { files, deployments } = bank
  const audit = { directory: '/decide/live', files, deployments }
  expect(await auditFeatures(audit)).toMatchObject({ events: 7, mismatches: 0, unplaced: 0 })
})

test('a base of another namespace holds nothing of this one', async () => {
  const bank = await deployedBank()
  await bank.decide(paymentOf(1, 0))
  const through = bank.service.namespace('live').journal.lastSequence
  await writeBase(bank, [paymentOf(100, -5)], through)
  await bank.remote.openNamespace({ namespace: 'replay-2', clock: 'wall' })
  await bank.remote.loadBase({ namespace: 'replay-2', path: '/base' })
  const hash = bank.deployments.add(deployment())
  const to = { namespace: 'replay-2', deployment: hash, actor: 'a', reason: 'r' }
  await bank.remote.switchDeployment(to)
  await bank.service.decide({ namespace: 'replay-2', policy: 'card', body: paymentOf(1, 0) })
  const namespace = 'replay-2'
  const rows = [{ customer: 1 }]
  const found = await bank.remote.liveValues({ namespace, set: 'behaviour', rows })
  expect(found.values[0][1]).toBe(2)
})
