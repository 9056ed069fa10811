// `assay novelty stream` and `patterns`: a stream of events, as its user asks for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom, type Random } from '../../src/lib/random.ts'
import { assay, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-novelty-stream-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const header = 'at,account,amount,channel\n'
const usual = (random: Random) =>
  `${random.normal(50, 10).toFixed(2)},${random.next() < 0.5 ? 'web' : 'app'}`
const strange = (random: Random) => `${random.normal(9000, 200).toFixed(2)},relay`

function lines(from: number, rows: number, make: (i: number) => string): string {
  return Array.from(
    { length: rows },
    (_, i) => `${from + i},acc${(from + i) % 7},${make(i)}\n`,
  ).join('')
}

beforeAll(() => {
  const random = createRandom(3)
  const known = lines(0, 400, () => usual(random))
  const stream = lines(400, 300, (i) => (i % 5 === 0 && i > 100 ? strange(random) : usual(random)))
  writeFileSync(join(folder, 'day.csv.gz'), gzipSync(`${header}${known}${stream}bad,row\n`))
  writeFileSync(join(folder, 'next.csv'), header + lines(700, 100, () => usual(random)))
  writeFileSync(join(folder, 'short.csv'), header + lines(0, 5, () => usual(random)))
})

const ask = (file: string, ...more: string[]): Ended =>
  assay(folder, [
    'novelty',
    'stream',
    file,
    '--entity=account',
    '--time=at',
    '--no-history',
    ...more,
  ])
const last = ({ out }: Ended) => JSON.parse(out.trimEnd().split('\n').at(-1)!)

describe('assay novelty stream', () => {
  test('tells a novelty as it comes, with its evidence, and ends with a summary', () => {
    const ended = ask('day.csv.gz', '--learn=400', '--json')
    expect(ended.code, ended.err).toBe(0)
    const findings = ended.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const novelty = findings.find(({ verdict }) => verdict === 'novelty')
    expect(novelty).toMatchObject({ type: 'finding', alerted: true, pattern: 'P2' })
    expect(novelty.evidence.differs.map(({ field }: { field: string }) => field)).toContain(
      'amount',
    )
    expect(last(ended)).toMatchObject({ type: 'summary', rows: 300, refused: 1 })
    expect(ended.err).toContain('line 702 left out')
  })

  test('keeps its memory, goes on from it, and learns what a person says', () => {
    const first = ask('day.csv.gz', '--learn=400', '--state=memory')
    expect(first.code, first.err).toBe(0)
    expect(first.out).toContain('novelty')
    const again = ask('day.csv.gz', '--state=memory', '--json')
    expect(last(again)).toMatchObject({ rows: 0 })
    expect(again.err).toContain('after 700 rows of this file')
    expect(last(ask('next.csv', '--state=memory', '--json'))).toMatchObject({ rows: 100 })

    const patterns = (...more: string[]) =>
      assay(folder, ['novelty', 'patterns', '--state=memory', ...more])
    const before = JSON.parse(patterns('--json').out)
    const said = patterns(
      '--pattern=P2',
      '--says=usual',
      '--label=relay',
      '--by=ada',
      '--reason=known',
      '--json',
    )
    expect(JSON.parse(said.out).patterns[1]).toMatchObject({ usual: true, label: 'relay' })
    const back = patterns(`--roll-back=${before.version}`, '--by=ada', '--reason=mistaken')
    expect(back.code, back.err).toBe(0)
    expect(back.out).toContain('rolled back')
    expect(JSON.parse(patterns('--json').out).patterns).toEqual(before.patterns)
    expect(patterns('--pattern=P99', '--says=noise', '--by=ada', '--reason=x').err).toContain('P99')
  })

  test('refuses what it cannot learn from or find, with what to do', () => {
    expect(ask('short.csv').err).toContain('novelty_training_too_small')
    expect(ask('day.csv.gz', '--party=peer').err).toContain('no column "peer"')
    expect(ask('day.csv.gz', '--learn=3').code).toBe(2)
    expect(ask('missing.csv').code).toBe(1)
  })
})
