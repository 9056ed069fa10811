import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileSource } from './compile.ts'
import { readDataset } from './dataset.ts'
import { category, eventTime, id, money, source } from './declarations.ts'
import { by, memoryPorts } from './example.cases.ts'
import { ingestRecords } from './ingest.ts'
import { granularities, type Granularity } from './versions-parts.ts'

function payments(parts?: Granularity) {
  return source('payments', {
    columns: {
      payment: id(),
      at: eventTime(),
      amount: money('EUR'),
      channel: category(['card', 'transfer'], { nullable: true }),
    },
    ...(parts !== undefined && { parts }),
  })
}

const payment = fc.record({
  day: fc.integer({ min: 1, max: 28 }),
  month: fc.integer({ min: 1, max: 12 }),
  amount: fc.integer({ min: 0, max: 99 }),
  channel: fc.option(fc.constantFrom('card', 'transfer')),
})

const two = (n: number): string => String(n).padStart(2, '0')

test('a data set reads as it was taken in, whatever it is cut into', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(payment, { minLength: 1, maxLength: 40 }),
      fc.array(payment, { maxLength: 10 }),
      async (first, added) => {
        const recordsOf = (rows: typeof first, name: string) =>
          rows.map(({ day, month, amount, channel }, row) => ({
            payment: `${name}-${row}`,
            at: `2018-${two(month)}-${two(day)}`,
            amount: `${amount}.00`,
            channel,
          }))
        const read = async (granularity: Granularity) => {
          const ports = memoryPorts()
          const contract = compileSource(payments(granularity))
          const request = { name: 'test', source: contract, by }
          const { snapshot } = await ingestRecords(
            { ...request, records: recordsOf(first, 'first') },
            ports,
          )
          if (added.length > 0) {
            const records = recordsOf(added, 'added')
            await ingestRecords({ ...request, records, mode: 'append' }, ports)
          }
          const { parts } = (await ports.snapshots.describe(snapshot.hash))!
          const { frame } = await readDataset('payments', ports)
          return { frame, hash: snapshot.hash, rows: parts.map(({ rows }) => rows) }
        }
        const whole = await read('whole')
        for (const granularity of granularities) {
          const cut = await read(granularity)
          expect(cut.frame).toEqual(whole.frame)
          expect(cut.hash).toBe(whole.hash)
          expect(cut.rows.reduce((a, b) => a + b, 0)).toBe(first.length)
        }
        const days = new Set(first.map(({ month, day }) => `${month}/${day}`))
        expect((await read('day')).rows).toHaveLength(days.size)
      },
    ),
    { numRuns: 40 },
  )
})

test('a declared granularity is part of the contract, and one that is unknown a mistake', () => {
  const { version, ...content } = compileSource(payments())
  expect('parts' in content).toBe(false)
  expect(compileSource(payments('day'))).toMatchObject({ parts: 'day' })
  expect(compileSource(payments('day')).version).not.toBe(version)
  expect(() => compileSource(payments('hour' as Granularity))).toThrow(
    'parts "hour" are unknown; use day, month, year, whole.',
  )
})
