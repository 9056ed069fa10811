// The check that live equals history must itself be able to fail.
import { expect, test } from 'vitest'
import {
  behaviour,
  besides,
  customers,
  logins,
  payments,
  startUs,
} from '../../../test/small-bank.ts'
import { compileSource, type Frame } from '../../data/index.ts'
import { compileFeatureSet, historyWithState, type LabelArrivals } from '../../features/index.ts'
import { DAY_US } from '../../lib/time.ts'
import { countSkew } from './skew.ts'

const source = compileSource(payments)
const featureSets = [compileFeatureSet(behaviour)]
const ROWS = 400
const times = Float64Array.from({ length: ROWS }, (_, i) => startUs + i * (DAY_US / 40))
const numbers = (valueOf: (i: number) => number) =>
  Float64Array.from({ length: ROWS }, (_, i) => valueOf(i))
const ids = Array.from({ length: ROWS }, (_, i) => `p${i}`)

const frame: Frame = {
  rows: ROWS,
  columns: {
    payment_id: ids,
    at: times,
    customer: numbers((i) => i % 11),
    terminal: numbers((i) => i % 5),
    amount: numbers((i) => (i * 37) % 10_000),
  },
}
const labels: LabelArrivals = {
  labels: 'fraud',
  eventIds: ids,
  values: numbers((i) => Number(i % 9 === 0)),
  arrivalsUs: times.map((us) => us + 3_600_000_000),
}
const range = (from: number, to: number) => ({
  fromUs: startUs + from * DAY_US,
  toUs: startUs + to * DAY_US,
})
const split = { train: range(0, 4), test: range(6, 9), delayUs: DAY_US }
const project = { sources: [source], featureSets, split } as never
const { matrix, firstRow } = historyWithState({
  sets: featureSets,
  source,
  frame,
  labels: [labels],
})

test('the same values, computed as history and as live, do not differ', () => {
  const skew = countSkew({ project, frame, labels, table: { features: matrix }, firstRow })
  expect(skew).toEqual({ compared: 120 * matrix.names.length, mismatches: 0 })
})

test('one planted bit is found, and so is a value that is missing on one side', () => {
  const columns = matrix.columns.map((column) => column.slice())
  const bits = new BigUint64Array(columns[2].buffer)
  bits[300] = bits[300] ^ 1n
  columns[0][310] = Number.NaN
  // Before the test rows nothing is compared.
  columns[1][10] = -1
  const table = { features: { ...matrix, columns } }
  expect(countSkew({ project, frame, labels, table, firstRow }).mismatches).toBe(2)
})

test('events of further sources come in live as they do in history', () => {
  const sets = [...featureSets, compileFeatureSet(besides)]
  const logIns = {
    rows: ROWS,
    columns: { login_id: ids, at: times.map((us) => us - 1), user: numbers((i) => (i * 3) % 11) },
  }
  const told = {
    rows: ROWS,
    columns: {
      row_id: ids,
      at: times,
      customer: numbers((i) => (i * 7) % 11),
      limit: numbers((i) => i * 100),
    },
  }
  // Every third row of the table comes days after the time that it is of.
  const arrivalsUs = times.map((us, i) => (i % 3 === 0 ? us + 2 * DAY_US : Number.NaN))
  const others = [
    { source: compileSource(logins), frame: logIns },
    { source: compileSource(customers), frame: told, arrivalsUs },
  ]
  const past = historyWithState({ sets, source, frame, others, labels: [labels] })
  const request = {
    project: { sources: [source], featureSets: sets, split } as never,
    frame,
    others,
    labels,
    table: { features: past.matrix },
    firstRow: past.firstRow,
  }
  const compared = 120 * past.matrix.names.length
  expect(countSkew(request)).toEqual({ compared, mismatches: 0 })
  const known = others.map(({ source: of, frame: events }) => ({ source: of, frame: events }))
  expect(countSkew({ ...request, others: known }).mismatches).toBeGreaterThan(0)
})

test('events that came late come in live when they arrived', () => {
  // Every fifth comes hours after its time, and some of them too late to count.
  const arrivalsUs = times.map((us, i) => (i % 5 === 0 ? us + (i % 7) * (DAY_US / 5) : us))
  const past = historyWithState({
    sets: featureSets,
    source,
    frame,
    arrivalsUs,
    labels: [labels],
  })
  expect(past.refused).toBeGreaterThan(0)
  const request = { project, frame, labels, table: { features: past.matrix }, firstRow }
  const found = countSkew({ ...request, arrivalsUs })
  expect(found.mismatches).toBe(0)
  expect(found.compared).toBeGreaterThanOrEqual(120 * past.matrix.names.length)
  expect(countSkew(request).mismatches).toBeGreaterThan(0)
})

test('labels that come at another time than history knew them are found', () => {
  const late = { ...labels, arrivalsUs: labels.arrivalsUs.map((us) => us + 2 * DAY_US) }
  const table = { features: matrix }
  expect(countSkew({ project, frame, labels: late, table, firstRow }).mismatches).toBeGreaterThan(0)
})
