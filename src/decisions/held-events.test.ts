// What a base carries of the events that it took from history.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { payments } from '../../test/small-bank.ts'
import { compileSource, type Frame } from '../data/index.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { writeFileAtomic } from '../lib/files.ts'
import { isAssayError } from '../lib/errors.ts'
import { eventHashOf } from './contracts.ts'
import { HeldEvents, openHeldEvents, writeHeldEvents } from './held-events.ts'
import type { BaseEvents } from './held-events.ts'

const source = compileSource(payments)

/** Payments at rising times, as a dataset holds them. */
function frameOf(ids: readonly string[], times: readonly number[]): Frame {
  const plain = ids.every((id) => /^(0|[1-9]\d{0,14})$/.test(id))
  return {
    rows: ids.length,
    columns: {
      payment_id: plain ? Float64Array.from(ids, Number) : [...ids],
      at: Float64Array.from(times),
      customer: Float64Array.from(ids, (_, n) => n),
      terminal: Float64Array.from(ids, () => Number.NaN),
      amount: Float64Array.from(ids, (_, n) => -n * 100),
    },
  }
}

/** Each event's row, and half of it. */
function valuesFrom(firstRow: number, rows: number) {
  const row = Float64Array.from({ length: rows - firstRow }, (_, n) => firstRow + n)
  const half = row.map((n) => (n % 3 === 0 ? NaN : n / 2))
  return { matrix: { names: ['ROW', 'HALF'], rows: row.length, columns: [row, half] }, firstRow }
}

async function written(all: readonly BaseEvents[], eventsMax?: number) {
  const files = faultyFiles()
  const { head, bytes } = writeHeldEvents(all, eventsMax)
  const before = Buffer.from('a line\n')
  await writeFileAtomic('/base', Buffer.concat([before, bytes, Buffer.from('state')]), files)
  const place = { head, file: '/base', at: before.length, sequence: 7, layout: 'l' }
  return { files, place, bytes, held: await openHeldEvents(place, files) }
}

const someIds = fc.uniqueArray(
  fc.oneof(
    fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }),
    fc.integer({ min: 0, max: 300 }).map(String),
  ),
  { maxLength: 40 },
)

test('an event is found by source and id if it is newer than what is carried, and no other is', async () => {
  await fc.assert(
    fc.asyncProperty(
      someIds,
      someIds,
      fc.nat({ max: 40 }),
      fc.nat({ max: 40 }),
      async (ids, strangers, after, valued) => {
        const times = ids.map((_, n) => Math.floor(n / 2) * 10)
        const frame = frameOf(ids, times)
        const values = valuesFrom(Math.min(valued, ids.length), ids.length)
        const { held } = await written([{ source, frame, afterUs: after * 5, values }])
        for (const [row, id] of ids.entries()) {
          const found = held.find('payments', id)
          expect(found !== undefined).toBe(times[row] > after * 5)
          if (found === undefined) continue
          expect(found.sequence).toBe(7)
          const event = { payment_id: id, at: times[row], customer: row, amount: row && -row * 100 }
          expect(eventHashOf(event).startsWith(found.digest)).toBe(true)
          expect(found.digest).toHaveLength(16)
          const kept = row >= valued ? [row, row % 3 === 0 ? NaN : row / 2] : undefined
          expect(await held.valuesOf(found)).toEqual(kept && Float64Array.from(kept))
        }
        for (const id of strangers.filter((each) => !ids.includes(each))) {
          expect(held.find('payments', id)).toBeUndefined()
        }
        expect(held.find('logins', ids[0] ?? '1')).toBeUndefined()
        expect(held.isBeyond('payments', after * 5)).toBe(false)
      },
    ),
  )
})

test('of more events than there is room for the newest are carried, and what is older is told', async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `${n}`)
  const frame = frameOf(
    ids,
    ids.map((_, n) => n * 10),
  )
  const { held } = await written([{ source, frame, afterUs: 45, values: valuesFrom(0, 20) }], 6)
  expect(held.find('payments', '13')).toBeUndefined()
  expect(held.find('payments', '14')).toMatchObject({ rank: 5 })
  expect(held.isBeyond('payments', 130)).toBe(true)
  expect(held.isBeyond('payments', 131)).toBe(false)
  expect(held.isBeyond('logins', 0)).toBe(false)
})

test('sources are kept apart, and columns that were not read are not compared', async () => {
  const ids = ['a', 'b']
  const frame = frameOf(ids, [10, 20])
  const { customer: _, ...columns } = frame.columns
  const other = { ...source, name: 'besides' }
  const { held } = await written([
    { source, frame, afterUs: 0 },
    { source: other, frame: { rows: 2, columns }, afterUs: 10 },
  ])
  expect(held.find('payments', 'a')?.digest).toHaveLength(16)
  expect(held.find('besides', 'a')).toBeUndefined()
  expect(held.find('besides', 'b')?.digest).toBe('')
  expect(await held.valuesOf(held.find('payments', 'a')!)).toBeUndefined()
})

test('a damaged byte is found where it is read', async () => {
  const ids = Array.from({ length: 5 }, (_, n) => `${n}`)
  const frame = frameOf(
    ids,
    ids.map((_, n) => n),
  )
  const { files, place, bytes, held } = await written([
    { source, frame, afterUs: -1, values: valuesFrom(0, 5) },
  ])
  for (let at = 0; at < bytes.length; at += 3) {
    const damaged = Buffer.from(bytes)
    damaged[at] ^= 4
    await writeFileAtomic('/base', Buffer.concat([Buffer.from('a line\n'), damaged]), files)
    const read = async () => {
      const again = await openHeldEvents(place, files)
      for (const id of ids) await again.valuesOf(again.find('payments', id)!)
    }
    await expect(read()).rejects.toSatisfy((error) => isAssayError(error, 'checkpoint_invalid'))
  }
  await writeFileAtomic('/base', 'a line\n', files)
  await expect(openHeldEvents(place, files)).rejects.toThrow('/base')
  expect(held).toBeInstanceOf(HeldEvents)
})
