// `assay novelty sessions`: what normal sessions never held, as its user asks for it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../src/lib/random.ts'
import { assay, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-novelty-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Transfers: opened, some checks, sent, closed. */
function normalSessions(count: number, seed: number): string {
  const random = createRandom(seed)
  const lines = Array.from({ length: count }, () =>
    ['open', ...Array.from({ length: 1 + random.int(3) }, () => 'check'), 'send', 'close'].join(
      ' ',
    ),
  )
  return `${lines.join('\n')}\n`
}

beforeAll(() => {
  writeFileSync(join(folder, 'train.txt.gz'), gzipSync(normalSessions(2000, 1)))
  writeFileSync(join(folder, 'normal.txt'), `${normalSessions(300, 2)}\n`)
  writeFileSync(join(folder, 'abnormal.txt'), 'open send close\nopen check check send send close\n')
  writeFileSync(join(folder, 'empty.txt'), '')
  writeFileSync(join(folder, 'blank.txt'), '\n\n')
  writeFileSync(join(folder, 'train-copy.txt'), normalSessions(2000, 1))
  writeFileSync(join(folder, 'garbage.bin'), Buffer.from([0, 255, 10, 254, 0, 10, 3, 7]))
})

const files = (train: string, normal: string, abnormal: string) => [
  'novelty',
  'sessions',
  `--train=${train}`,
  `--test-normal=${normal}`,
  `--test-abnormal=${abnormal}`,
]
const ask = (...more: string[]): Ended =>
  assay(folder, [...files('train.txt.gz', 'normal.txt', 'abnormal.txt'), ...more])

describe('assay novelty sessions', () => {
  test('ends with one line of figures, the threshold from training alone', () => {
    const { code, out, err } = ask('--json')
    expect(code, err).toBe(0)
    expect(JSON.parse(out.trimEnd().split('\n').at(-1)!)).toMatchObject({
      auc: 1,
      f1: 1,
      precision: 1,
      recall: 1,
      falseAlarms: 0,
      normal: { sessions: 300, unknown: 0 },
      abnormal: { sessions: 2, unknown: 2 },
      budget: 0.001,
      supported: true,
      trainSessions: 2000,
    })
    expect(err).toContain('normal.txt: 1 empty line left out.')
  })

  test('writes the score of each session with its evidence', () => {
    const { code, out, err } = ask('--out', 'scores.csv')
    expect(code, err).toBe(0)
    expect(out).toMatch(/abnormal +2 +2 +100 %/)
    const lines = readFileSync(join(folder, 'scores.csv'), 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(1 + 300 + 2)
    expect(lines[0]).toBe('class,line,score,verdict,witness,evidence')
    expect(lines[1]).toBe('normal,1,0,known,"",""')
    expect(lines[301]).toMatch(/^abnormal,1,\d.*,unknown,.*never seen: open → send at place 2/)
    expect(lines[302]).toContain('send 2 times instead of 1')
  })

  test('says that the sessions are too few for the budget', () => {
    const { err } = ask('--budget', '0.0001')
    expect(err).toContain('2,000 sessions are too few for a budget of 0.0001')
  })

  test.each([
    ['empty.txt', 'normal.txt', 'abnormal.txt', 'empty.txt is empty', 1],
    ['blank.txt', 'normal.txt', 'abnormal.txt', 'blank.txt holds 0 sessions', 1],
    ['garbage.bin', 'normal.txt', 'abnormal.txt', 'garbage.bin holds 0 sessions', 1],
    ['train.txt.gz', 'normal.txt', 'empty.txt', 'empty.txt is empty', 1],
    ['train.txt.gz', 'normal.txt', 'none.txt', 'none.txt does not exist', 1],
    ['train.txt.gz', 'train-copy.txt', 'abnormal.txt', 'the same sessions as train.txt.gz', 2],
    ['train.txt.gz', 'normal.txt', 'normal.txt', 'the same sessions as normal.txt', 2],
  ])('refuses %s, %s and %s', (train, normal, abnormal, message, code) => {
    const ended = assay(folder, files(train, normal, abnormal))
    expect(ended.err).toContain(message)
    expect(ended.code).toBe(code)
    expect(ended.out).toBe('')
  })

  test('refuses a budget that is no share', () => {
    expect(ask('--budget', '5')).toMatchObject({ code: 2, out: '' })
  })
})
