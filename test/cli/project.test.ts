// From an empty folder to scored rows, by commands alone and without a server.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assay, makeProject, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-cli-'))
const home = join(folder, 'home')
let project: string
let ran: Ended

beforeAll(() => {
  project = makeProject(folder, 'tiny-bank')
  ran = assay(project, ['run', '--home', home])
  writeFileSync(join(folder, 'one.csv'), lastRows(1))
  writeFileSync(join(folder, 'many.csv'), lastRows(500))
  writeFileSync(
    join(folder, 'delivery.csv'),
    'payment_id,paid_at,customer_id,shop_id,amount,fraud\n' +
      'n1,2026-04-09T10:00:00Z,1,2,10.00,0\n' +
      'n2,2026-04-09T10:00:01Z,1,2,-1.00,0\n' +
      'n1,2026-04-09T10:00:02Z,1,2,3.00,0\n',
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The header and the last rows of the data that the run generated. */
function lastRows(count: number): string {
  const lines = readFileSync(join(home, 'incoming', 'payments.csv'), 'utf8')
    .trimEnd()
    .split('\n')
  return `${[lines[0], ...lines.slice(-count)].join('\n')}\n`
}

describe('assay init', () => {
  test('makes a project that bears the name of its folder and knows its Assay', () => {
    const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: 'tiny-bank', type: 'module', private: true })
    expect(manifest.dependencies.assay).toMatch(/^file:/)
    expect(readFileSync(join(project, 'project.ts'), 'utf8')).toContain("project('tiny-bank'")
    expect(readFileSync(join(project, 'README.md'), 'utf8')).toMatch(/^# tiny-bank\n/)
    expect(existsSync(join(project, '.gitignore'))).toBe(true)
    expect(existsSync(join(project, 'gitignore'))).toBe(false)
  })

  test('ends with the three commands that come next', () => {
    const { code, out } = assay(folder, ['init', 'another', '--name', 'Card Fraud!'])
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n').slice(1)).toEqual([
      '  cd another',
      '  npm install',
      '  npx assay start',
    ])
    expect(readFileSync(join(folder, 'another', 'project.ts'), 'utf8')).toContain("'card-fraud'")
  })

  test('leaves a folder with files in it as it is', () => {
    const full = join(folder, 'full')
    mkdirSync(full)
    writeFileSync(join(full, 'thesis.tex'), 'years of work')
    const { code, err } = assay(folder, ['init', 'full'])
    expect(code).toBe(1)
    expect(err).toContain('directory_not_empty')
    expect(existsSync(join(full, 'project.ts'))).toBe(false)
  })
})

describe('assay reproduce', () => {
  test('trains a version again from its record, byte for byte', () => {
    const { code, out, err } = assay(project, ['reproduce', 'payment-fraud@1', '--home', home])
    expect(code, err).toBe(0)
    expect(out).toMatch(/data payments, snapshot [0-9a-f]{64}/)
    expect(out).toContain('identical, byte for byte')
  })

  test('does so after the project has changed, by the declarations of then', () => {
    const changed = join(folder, 'changed-home')
    cpSync(home, changed, { recursive: true })
    const file = join(project, 'project.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/seed: \d+/, 'seed: 4711'))
    try {
      assay(project, ['run', '--home', changed])
    } finally {
      writeFileSync(file, text)
    }
    const made = ['payment-fraud@1', 'payment-fraud@3'].map((name) => {
      const { code, out, err } = assay(project, ['reproduce', name, '--home', changed, '--json'])
      expect(code, err).toBe(0)
      return JSON.parse(out)
    })
    expect(made.map(({ identical }) => identical)).toEqual([true, true])
    expect(made[1].from).toContainEqual(expect.stringContaining('seed 4711'))
  })

  test('says which data are gone', () => {
    const gone = join(folder, 'gone-home')
    cpSync(home, gone, { recursive: true })
    rmSync(join(gone, 'snapshots'), { recursive: true })
    const { code, err } = assay(project, ['reproduce', 'payment-fraud@1', '--home', gone])
    expect(code).toBe(1)
    expect(err).toMatch(/snapshot/)
    expect(assay(project, ['reproduce', 'payment-fraud', '--home', home]).err).toContain(
      'MODEL@VERSION',
    )
  })
})

describe('assay run', () => {
  test('prints a line a stage with the figure that matters, and what to try next', () => {
    expect(ran.err).toBe('')
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/Data +[\d,]+ rows, 0 in quarantine/)
    expect(ran.out).toMatch(/live equals history: 0 differences/)
    expect(ran.out).toMatch(/boosted-trees average precision 0\.\d+ \[/)
    expect(ran.out).toMatch(/payment-fraud version 1 .*: candidate/)
    expect(ran.out).toContain('npx assay keys create --role approver')
  })

  test('ends with code 3 where no version holds its gate, and says which check failed', () => {
    const strict = makeProject(folder, 'strict-bank', {
      'project.ts': [['average_precision: 0.3', 'average_precision: 0.99999']],
    })
    const { code, out } = assay(strict, ['run'])
    expect(code).toBe(3)
    expect(out).toContain('No version holds its gate')
    expect(out).toMatch(/✗ average_precision is 0\.\d+ .* asks for at least 0\.99999/)
    expect(existsSync(join(strict, '.assay', 'format.json'))).toBe(true)
  })

  test('says what is wrong with a project and changes nothing', () => {
    const { code, err } = assay(folder, ['run', '.', '--home', join(folder, 'untouched')])
    expect(code).toBe(1)
    expect(err).toContain('project_not_found')
    expect(existsSync(join(folder, 'untouched'))).toBe(false)
  })

  test('refuses a data file that is cut off, without registering anything', () => {
    const file = join(folder, 'cut.csv.gz')
    writeFileSync(file, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c]))
    const { code, err } = assay(project, [
      'run',
      '--home',
      join(folder, 'cut-home'),
      '--data',
      file,
    ])
    expect(code).toBe(1)
    expect(err).toContain('file_truncated')
  })
})

describe('assay score', () => {
  test('gives each row its score, outcome and reasons', () => {
    const { code, out, err } = assay(project, ['score', join(folder, 'many.csv'), '--home', home])
    expect(code).toBe(0)
    expect(err).toMatch(/500 rows scored by payment-fraud version \d \(candidate\)/)
    const [header, ...rows] = out.trimEnd().split('\n')
    expect(header).toBe('payment_id,score,outcome,reasons')
    expect(rows).toHaveLength(500)
    for (const row of rows)
      expect(row).toMatch(/^\d+,(0|1|0?\.\d+|\d(\.\d+)?e-\d+),(allow|review|decline),/)
    expect(out).toMatch(/what this customer usually pays|The customer made \d+ payments/)
  })

  test('scores a row alike, whether it comes alone or among others', () => {
    const scoreOf = (file: string) =>
      assay(project, ['score', join(folder, file), '--home', home, '--no-reasons'])
        .out.trimEnd()
        .split('\n')
        .at(-1)
    expect(scoreOf('one.csv')).toMatch(/^\d+,/)
    expect(scoreOf('one.csv')).toBe(scoreOf('many.csv'))
  })

  test('names rows that fail the contract and scores the others', () => {
    const [header, row] = lastRows(1).split('\n')
    writeFileSync(join(folder, 'mixed.csv'), `${header}\n${row}\nx1,2026-04-08,1,1,-5,0\n`)
    const { code, out, err } = assay(project, ['score', join(folder, 'mixed.csv'), '--home', home])
    expect(code).toBe(0)
    expect(err).toMatch(/1 row was refused and left out:\n {2}row 2 \(line 3\): /)
    expect(out.trimEnd().split('\n')).toHaveLength(2)
  })

  test('refuses a version that was trained on other features', () => {
    const changed = makeProject(folder, 'changed-bank', {
      'features.ts': [["'1d', '7d', '30d'", "'2d', '7d', '30d'"]],
    })
    const { code, err } = assay(changed, ['score', join(folder, 'one.csv'), '--home', home])
    expect(code).toBe(1)
    expect(err).toContain('version_outdated')
  })

  test('says so where no version was registered', () => {
    const empty = join(folder, 'empty-home')
    assay(project, ['ingest', join(folder, 'one.csv'), '--home', empty])
    const { code, err } = assay(project, ['score', join(folder, 'one.csv'), '--home', empty])
    expect(code).toBe(1)
    expect(err).toContain('version_missing')
  })
})

describe('assay ingest', () => {
  test('adds what passes to the dataset, keeps the rest in quarantine, and ends with 0', () => {
    const file = join(folder, 'delivery.csv')
    const { code, out, err } = assay(project, ['ingest', file, '--home', home])
    expect(code).toBe(0)
    expect(out).toMatch(
      /3 rows read, 1 accepted into payments, 2 in quarantine, snapshot [0-9a-f]{12}/,
    )
    expect(err).toContain('amount: range')
    expect(err).toContain('payment_id: duplicate_id')
  })

  test('takes labels that come on their own', () => {
    const file = join(folder, 'labels.csv')
    writeFileSync(file, 'event_id,value,arrival_time\nn1,fraud,2026-04-12T00:00:00Z\n')
    const { code, out } = assay(project, ['ingest', file, '--home', home, '--source', 'fraud'])
    expect(code).toBe(0)
    expect(out).toContain('1 row read, 1 accepted into fraud, 0 in quarantine')
  })

  test.each([
    [['nowhere.csv'], 'input_unreadable'],
    [['.'], 'file_not_found'],
    [['delivery.csv', '--source', 'nobody'], 'source_unknown'],
  ])('%s is refused with %s', (args, code) => {
    const ended = assay(folder, ['ingest', ...args, '--project', project, '--home', home])
    expect(ended.code).toBe(1)
    expect(ended.err).toContain(code)
  })
})
