// A source that says when its rows arrived: what is learned from saw nothing before it came.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { simulate } from '../../examples/card-fraud/simulator.ts'
import { ownProject } from './own-project.ts'
import { run, temporaryDirectory } from './server.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = temporaryDirectory('late')
const data = join(folder, 'payments.csv')
const project = ownProject((text) =>
  text
    .replace(/^ {2}replay: .*$/m, '')
    .replace('  id,\n', '  arrivalTime,\n  id,\n')
    .replace(
      "    customer_id: key('integer'",
      "    came_at: arrivalTime({ from: 'CAME_AT' }),\n    customer_id: key('integer'",
    ),
)

/** Every tenth payment comes hours after it was made; every hundredth two days after, which is too late. */
const lateHours = (n: number) => (n % 100 === 0 ? 48 : n % 10 === 0 ? 5 : 0)

beforeAll(() => {
  const days = { from: '2018-06-01', until: '2018-07-11' }
  const text = [...simulate({ ...days, customers: 200, terminals: 1000, seed: 7 })].join('')
  const [header, ...lines] = text.trimEnd().split('\n')
  const arrived = lines.map((line, n) => {
    const paidAt = Date.parse(`${line.split(',')[1].replace(' ', 'T')}Z`)
    return `${line},${new Date(paidAt + lateHours(n) * 3_600_000).toISOString()}`
  })
  writeFileSync(data, [`${header},CAME_AT`, ...arrived, ''].join('\n'))
})

test('a run learns from what was known, which is what live values are', () => {
  const home = temporaryDirectory('late-home')
  const { out, err } = run(['run', project, '--home', home, '--data', data])
  expect(err).toBe('')
  expect(out).toMatch(/live equals history: 0 differences in [\d,]+ values; [\d,]+ came too late/)
  // A file is scored with what had arrived: the late payment of a minute before is not there yet.
  const file = join(folder, 'scored.csv')
  const row = (id: string, paidAt: string, cameAt: string) =>
    `${id},2018-07-11T${paidAt}Z,7,20,25.00,0,0,0,0,2018-07-11T${cameAt}Z\n`
  const header = readFileSync(data, 'utf8').split('\n', 1)[0]
  const before = row('before', '12:00:00', '12:00:00')
  const score = (text: string) => {
    writeFileSync(file, `${header}\n${text}`)
    const scored = run(['score', file, '--home', home, '--project', project])
    expect(scored.code, scored.err).toBe(0)
    return scored.out.split('\n').find((line) => line.startsWith('before,'))
  }
  const alone = score(before)
  expect(alone).toMatch(/^before,0\.\d+,/)
  const many = Array.from({ length: 40 }, (_, n) => row(`l${n}`, '11:59:00', '12:01:00')).join('')
  expect(score(many + before)).toBe(alone)
  const inTime = many.replaceAll('12:01:00', '11:59:00')
  expect(score(inTime + before)).not.toBe(alone)
})

test('a late payment is not in the counts of those before it came', () => {
  const history = (as: string) => {
    const out = join(folder, `${as}.csv`)
    const set = ['--set', 'behaviour', '--as', as]
    const done = run(['features', 'history', project, ...set, '--data', data, '--out', out])
    expect(done.code, done.err).toBe(0)
    const [header, ...lines] = readFileSync(out, 'utf8').trimEnd().split('\n')
    const at = header.split(',').indexOf('CUSTOMER_COUNT_1D')
    return lines.map((line) => line.split(',')[at])
  }
  const decided = history('decided')
  const corrected = history('corrected')
  expect(decided.length).toBe(corrected.length)
  expect(decided.filter((count) => count === '').length).toBeGreaterThan(10)
  const fewer = decided.filter((count, n) => count !== '' && Number(count) < Number(corrected[n]))
  expect(fewer.length).toBeGreaterThan(100)
  // As corrected sees what was refused as well: nothing is ever counted that had not happened.
  const more = decided.filter((count, n) => Number(count) > Number(corrected[n]))
  expect(more).toEqual([])
})
