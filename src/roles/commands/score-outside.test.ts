import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startRemoteModel, type RemoteModel } from '../../../test/system/remote-model.ts'
import { createFolderArtifacts } from '../../adapters/folder/index.ts'
import type { Terminal } from '../../cli/index.ts'
import { generalErrors } from '../../lib/errors.ts'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import {
  goldenOf,
  openRemote,
  writeServedModel,
  type ModelRuntime,
  type ServedModel,
  type Tensor,
} from '../../serving/index.ts'
import { runBatch, type Batch } from './batch-run.ts'
import { openFrom, outsideScorer, type OutsideScorer } from './score-outside.ts'

const model = { kind: 'outside', features: ['amount'], served: 'document' } as const
const matrixOf = (rows: number): Matrix =>
  fromRows(
    ['unused', 'amount'],
    Array.from({ length: rows }, (_, row) => [0, row]),
  )

const ends: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Gives each row a hundredth of its amount modulo 100, where `fails` does not throw first. */
function runtimeThat(fails: () => void): ModelRuntime {
  return {
    platform: 'test',
    signature: {
      inputs: [{ name: 'amount', datatype: 'FP64', shape: [-1] }],
      outputs: [{ name: 'chance', datatype: 'FP64', shape: [-1] }],
    },
    async predict([{ data, shape }]): Promise<readonly Tensor[]> {
      fails()
      const chances = Float64Array.from(data as Float64Array, (amount) => (amount % 100) / 100)
      return [{ name: 'chance', datatype: 'FP64', shape, data: chances }]
    },
    close: async () => {},
  }
}

/** What came of asking, with how often it was opened and what was waited for. */
function scorerOf(open: () => Promise<ModelRuntime>) {
  const waits: number[] = []
  let opened = 0
  const scorer = outsideScorer({
    open: () => {
      opened++
      return open()
    },
    pause: async (ms) => void waits.push(ms),
    onWait: () => {},
  })
  ends.push(() => scorer.close())
  return { ...scorer, waits, opened: () => opened }
}

const busy = () => generalErrors.overloaded('Too many wait.')

describe('a model that is computed elsewhere, asked for a batch', () => {
  test('is opened once and asked for its own features', async () => {
    const { score, waits, opened } = scorerOf(async () => runtimeThat(() => {}))
    expect([...(await score(model, matrixOf(3)))]).toEqual([0, 0.01, 0.02])
    expect(await score(model, matrixOf(2500))).toHaveLength(2500)
    expect([waits, opened()]).toEqual([[], 1])
  })

  test('that falls is opened anew, after pauses that grow', async () => {
    let left = 3
    const { score, waits, opened } = scorerOf(async () =>
      runtimeThat(() => {
        if (left-- > 0) throw busy()
      }),
    )
    expect(await score(model, matrixOf(2))).toHaveLength(2)
    expect([waits, opened()]).toEqual([[1000, 2000, 4000], 4])
  })

  test('that cannot be opened is tried as often', async () => {
    let left = 2
    const { score, waits } = scorerOf(async () => {
      if (left-- > 0) throw busy()
      return runtimeThat(() => {})
    })
    expect(await score(model, matrixOf(1))).toHaveLength(1)
    expect(waits).toEqual([1000, 2000])
  })

  test('that stays away ends the batch, and says why', async () => {
    const { score, waits } = scorerOf(async () => {
      throw busy()
    })
    await expect(score(model, matrixOf(1))).rejects.toMatchObject({
      code: 'outside_unanswered',
      detail: 'The model was asked 6 times; at last: Too many wait.',
    })
    expect(waits).toHaveLength(5)
  })

  test('is not asked again for what it refuses', async () => {
    const { score, waits } = scorerOf(async () =>
      runtimeThat(() => {
        throw new Error('A defect')
      }),
    )
    await expect(score(model, matrixOf(1))).rejects.toThrow('A defect')
    expect(waits).toEqual([])
  })
})

describe('a batch of a model that falls', () => {
  const ROWS = 45_000

  /** As `assay score` works: a thousand rows at a time. */
  const batchOf = (score: OutsideScorer['score']): Batch => ({
    facts: { input: 'rows', model: 'graph' },
    columns: [
      { name: 'row', type: 'number' },
      { name: 'score', type: 'number' },
    ],
    async *chunks(position) {
      for (let from = position; from < ROWS; from += 1000) {
        const amounts = Float64Array.from({ length: 1000 }, (_, at) => from + at)
        const scores = await score(model, { names: ['amount'], rows: 1000, columns: [amounts] })
        const columns = [
          { name: 'row', values: amounts },
          { name: 'score', values: scores },
        ]
        yield { read: 1000, share: from / ROWS, table: { rows: 1000, columns }, refused: [] }
      }
    },
  })

  test('keeps what is done, goes on behind it, and ends with the bytes of one that does not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-outside-batch-'))
    ends.push(() => rmSync(folder, { recursive: true }))
    const told: string[] = []
    const output = {
      interactive: false,
      line: (text = '') => void told.push(text),
      raw: (text: string) => void told.push(text),
      style: (_: unknown, text: string) => text,
    }
    const terminal: Terminal = { out: output, err: output }
    const into = (name: string) => ({ out: join(folder, name), rejects: undefined, fresh: false })
    let asked = 0
    let isDown = false
    const { score } = scorerOf(async () =>
      runtimeThat(() => {
        if (isDown) throw busy()
        if (++asked === 30) isDown = true
      }),
    )
    await expect(runBatch(batchOf(score), into('fallen.csv'), terminal)).rejects.toMatchObject({
      code: 'outside_unanswered',
    })
    expect(existsSync(join(folder, 'fallen.csv'))).toBe(false)
    isDown = false
    asked = 1000
    await runBatch(batchOf(score), into('fallen.csv'), terminal)
    expect(told.join('')).toContain('Goes on behind 20,000 rows')
    expect(asked).toBe(1000 + 25)
    await runBatch(batchOf(score), into('whole.csv'), terminal)
    const textOf = (name: string) => readFileSync(join(folder, name), 'utf8')
    expect(textOf('fallen.csv') === textOf('whole.csv')).toBe(true)
  })
})

describe('an adopted model of another server', () => {
  let remote: RemoteModel
  const artifacts = () => {
    const directory = mkdtempSync(join(tmpdir(), 'assay-outside-served-'))
    ends.push(() => rmSync(directory, { recursive: true }))
    return directory
  }

  /** Keeps its document as adoption does, with the answers that it gives now. */
  async function adopted(directory: string): Promise<string> {
    remote = await startRemoteModel('graph', ['amount'], 0.25)
    ends.push(() => remote.close())
    const body: ServedModel['body'] = { kind: 'remote', url: remote.url, model: 'graph' }
    const runtime = await openRemote(body, { allowPrivate: false })
    const golden = await goldenOf(runtime, body)
    await runtime.close()
    const document = { format: 1, name: 'graph', version: '1', body, golden } as const
    const { text } = writeServedModel(document)
    return (await createFolderArtifacts({ directory }).put(Buffer.from(text))).sha256
  }
  test('is held against the answers it was adopted with, then asked by the thousand', async () => {
    const directory = artifacts()
    const served = await adopted(directory)
    const { score } = scorerOf(() => openFrom({ artifacts: directory })(served))
    const before = remote.asked()
    const chances = await score({ ...model, served }, matrixOf(2500))
    expect([chances.length, new Set(chances)]).toEqual([2500, new Set([0.25])])
    expect(remote.asked() - before).toBe(1 + 3)
  })

  test('is not asked where another model answers in its place', async () => {
    const directory = artifacts()
    const served = await adopted(directory)
    const output = {
      name: 'predict_proba',
      datatype: 'FP64',
      shape: [32, 2],
      data: Array(64).fill(0.5),
    }
    remote.behaviour = { says: { status: 200, body: JSON.stringify({ outputs: [output] }) } }
    const { score, waits } = scorerOf(() => openFrom({ artifacts: directory })(served))
    await expect(score({ ...model, served }, matrixOf(1))).rejects.toMatchObject({
      code: 'golden_mismatch',
    })
    expect(waits).toEqual([])
  })

  test('that hangs up is tried again, and its busy gateway is no refusal', async () => {
    const directory = artifacts()
    const served = await adopted(directory)
    remote.behaviour = 'closes'
    const asked: number[] = []
    const scorer = outsideScorer({
      open: openFrom({ artifacts: directory }),
      onWait: () => {},
      pause: async (ms) => {
        asked.push(ms)
        remote.behaviour =
          asked.length === 1 ? { says: { status: 502, body: 'no upstream' } } : 'answers'
      },
    })
    ends.push(() => scorer.close())
    expect(await scorer.score({ ...model, served }, matrixOf(1))).toEqual(Float64Array.of(0.25))
    expect(asked).toEqual([1000, 2000])
  })
})
