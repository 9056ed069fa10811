/** A graph is written between events; its bytes are those of one that is written at once. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Row } from '../../data/index.ts'
import { compileSource, eventTime, id, key, money, source } from '../../data/index.ts'
import { HOUR_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { createFeatureState, restoreFeatureState } from './state.ts'

const transfers = source('transfers', {
  columns: {
    id: id(),
    at: eventTime(),
    sender: key('text'),
    receiver: key('text'),
    amount: money('EUR'),
  },
})
/** Of graphs alone: entities are written in the order in which they are touched. */
const set = compileFeatureSet(
  featureSet('rings', transfers, (tx) => {
    const ends = { from: 'sender', to: 'receiver', amount: 'amount' } as const
    const day = tx.graph(ends).within('1d')
    return [
      day.to.fanIn().as('FAN_IN'),
      day.cycles({ upTo: 3 }).as('CYCLES'),
      tx.graph(ends).within('6h').from.amounts('out').sum().as('SUM_OUT'),
    ]
  }),
)
const options = [[set], compileSource(transfers)] as const

/** Hours that pass from one to the next; some are long, so that many edges leave at once. */
const hours = fc.oneof(fc.nat(3), fc.nat(3), fc.integer({ min: 20, max: 40 }))
const transfer = fc.record({ after: hours, from: fc.nat(6), to: fc.nat(6), amount: fc.nat(500) })

function rowsOf(transfers: readonly { after: number; from: number; to: number; amount: number }[]) {
  let hour = 0
  return transfers.map(({ after, from, to, amount }, n): Row => {
    hour += after
    return [`t${n}`, hour * HOUR_US, `v${from}`, `v${to}`, amount]
  })
}

function stateAfter(rows: readonly Row[]) {
  const state = createFeatureState(...options)
  rows.forEach((row, n) => state.apply(row, n + 1))
  return state
}

test('a checkpoint of a graph is of its beginning, whatever comes and leaves while it is written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(transfer, { minLength: 1, maxLength: 60 }),
      fc.array(transfer, { maxLength: 60 }),
      fc.integer({ min: 1, max: 300 }),
      fc.infiniteStream(fc.nat(3)),
      async (before, during, stepBytes, turns) => {
        const rows = rowsOf([...before, ...during])
        const [first, later] = [rows.slice(0, before.length), rows.slice(before.length)]
        const atOnce = Buffer.concat(await stateAfter(first).checkpoint(Infinity))
        const state = stateAfter(first)
        const pieces = state.checkpoint(stepBytes)
        const vectors: Float64Array[] = []
        for (const [n, row] of later.entries()) {
          vectors.push(state.apply(row, first.length + n + 1))
          if (turns.next().value === 0) await nextTurn()
        }
        const bytes = Buffer.concat(await pieces)
        expect(bytes.equals(atOnce)).toBe(true)
        const restored = restoreFeatureState(bytes, ...options)
        later.forEach((row, n) => {
          expect(restored.apply(row, first.length + n + 1)).toEqual(vectors[n])
        })
      },
    ),
    { numRuns: 300 },
  )
})
