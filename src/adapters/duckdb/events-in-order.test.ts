import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  compileSource,
  eventTime,
  id,
  key,
  money,
  source,
  sourceSchema,
  text,
  textAt,
  type Frame,
  type SnapshotInfo,
} from '../../data/index.ts'
import { duckdbSnapshots } from './snapshots.ts'
import { eventsInOrder } from './events-in-order.ts'

const directory = mkdtempSync(join(tmpdir(), 'assay-order-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const contract = compileSource(
  source('payments', {
    columns: {
      payment: id(),
      at: eventTime(),
      customer: key('integer', { nullable: true }),
      amount: money('EUR'),
      note: text({ nullable: true }),
    },
  }),
)

interface Event {
  readonly id: string
  readonly at: number
  readonly amount: number
  readonly note: string | undefined
}

const events = fc
  .uniqueArray(
    fc.record({
      id: fc.oneof(fc.nat(30).map(String), fc.constantFrom('a', 'b,"c"', '007')),
      at: fc.nat(12).map((hour) => hour * 3_600_000_000),
      amount: fc.maxSafeInteger(),
      note: fc.option(fc.constantFrom('', 'x', 'é\n'), { nil: undefined }),
    }),
    { selector: (event) => event.id, minLength: 1, maxLength: 12 },
  )
  .map((rows): readonly Event[] => rows.toSorted((a, b) => a.at - b.at))

function frameOf(rows: readonly Event[]): Frame {
  const plain = rows.every((event) => /^(0|[1-9]\d*)$/.test(event.id))
  return {
    rows: rows.length,
    columns: {
      payment: plain ? Float64Array.from(rows, (e) => Number(e.id)) : rows.map((e) => e.id),
      at: Float64Array.from(rows, (event) => event.at),
      customer: new Float64Array(rows.length).fill(Number.NaN),
      amount: Float64Array.from(rows, (event) => event.amount),
      note: rows.map((event) => event.note),
    },
  }
}

/** The definition: the first of each id, those that are asked about before all others, then by time. */
function inOrder(past: readonly (readonly Event[])[], own: readonly (readonly Event[])[]) {
  const first = (files: readonly (readonly Event[])[]) => {
    const seen = new Set<string>()
    return files.flat().filter(({ id: name }) => !seen.has(name) && seen.add(name))
  }
  const asked = first(own)
  const last = Math.max(...asked.map(({ at }) => at))
  const known = first(past).filter(
    ({ id: name, at }) => at <= last && !asked.some((event) => event.id === name),
  )
  return [
    ...known.map((event) => ({ ...event, own: 0 })),
    ...asked.map((event) => ({ ...event, own: 1 })),
  ].toSorted((a, b) => a.at - b.at)
}

test('events of many files come in one order, as their definition says', async () => {
  const snapshots = duckdbSnapshots({ directory })
  const write = async (rows: readonly Event[]): Promise<SnapshotInfo> => {
    const frame = frameOf(rows)
    return snapshots.write(frame, sourceSchema(contract, frame))
  }
  const files = (found: readonly SnapshotInfo[]) => ({
    files: found.map(({ path, schema }) => ({ path: path!, schema })),
    mayRepeat: found.length > 1,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(events, { maxLength: 3 }),
      fc.array(events, { minLength: 1, maxLength: 2 }),
      async (past, own) => {
        const request = {
          source: contract,
          past: files(await Promise.all(past.map(write))),
          own: files(await Promise.all(own.map(write))),
        }
        const got: (Event & { own: number })[] = []
        for await (const { frame, isOwn } of eventsInOrder(request)) {
          const { payment, at, amount, note } = frame.columns
          for (let row = 0; row < frame.rows; row++) {
            got.push({
              id: textAt(payment, row)!,
              at: at[row] as number,
              amount: amount[row] as number,
              note: note[row] as string | undefined,
              own: isOwn[row],
            })
          }
        }
        expect(got).toEqual(inOrder(past, own))
      },
    ),
    { numRuns: 30 },
  )
})
