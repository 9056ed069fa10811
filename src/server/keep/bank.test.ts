import { expect, test } from 'vitest'
import tiny from '../../../test/projects/tiny/project.ts'
import type { NamespaceInfo } from '../../decisions/index.ts'
import { AssayError } from '../../lib/errors.ts'
import { manualClock } from '../../lib/clock.ts'
import { compileProject } from '../../projects/index.ts'
import { clockView, keyColumns, onAir } from './bank.ts'

const machine = 1_700_000_000_000_000
const info = (namespace: string, over: Partial<NamespaceInfo> = {}): NamespaceInfo => ({
  namespace,
  clock: 'replay',
  nowUs: 1_000_000,
  lastSequence: 1,
  decisions: 1,
  events: 1,
  labels: 0,
  newestEventTimeUs: 900_000,
  policies: [],
  base: 'b',
  ...over,
})
const bank = (namespaces: () => Promise<NamespaceInfo[]>) =>
  onAir({ decide: { namespaces } as never, clock: manualClock(machine) })

test('the replay that was started last is on air, by its number and not by its name', async () => {
  const known = ['live', 'replay-10', 'replay-9', 'replay-2'].map((name) => info(name))
  expect(await bank(async () => known)).toEqual({
    namespace: 'replay-10',
    kind: 'replay',
    nowUs: 1_000_000,
  })
})

test('a live namespace runs on the machine’s clock', async () => {
  const live = { namespace: 'live', kind: 'live', nowUs: machine }
  expect(await bank(async () => [info('live', { clock: 'wall', nowUs: 5 })])).toEqual(live)
  expect(await bank(async () => [])).toEqual(live)
})

test('a replay that was not told the time is at its newest event', async () => {
  const namespaces = async () => [info('live', { nowUs: null })]
  expect(await bank(namespaces)).toMatchObject({ kind: 'replay', nowUs: 900_000 })
})

test('while decide is away the live namespace is assumed, and a defect is not hidden', async () => {
  const gone = new AssayError('peer_unavailable', { status: 503, title: '', action: '' }, '')
  expect(await bank(() => Promise.reject(gone))).toMatchObject({ namespace: 'live' })
  await expect(bank(() => Promise.reject(new Error('bug')))).rejects.toThrow('bug')
})

test('the customer is the first personal key, the terminal the next other one', () => {
  const [source] = compileProject(tiny).sources
  expect(keyColumns(source)).toEqual({ customer: 'customer_id', terminal: 'terminal_id' })
  expect(keyColumns(undefined)).toEqual({ customer: undefined, terminal: undefined })
})

test('the clock says its kind and the bank’s zone', () => {
  const air = { namespace: 'live', kind: 'replay', nowUs: 0 } as const
  const now = '1970-01-01T00:00:00Z'
  expect(clockView(air, undefined)).toEqual({ kind: 'replay', now, timeZone: 'UTC' })
})
