// The visitors of a log, as a person counts them: from files and from a pipe, gone on with, broken down.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test, vi } from 'vitest'
import { exitCodes } from '../../src/cli/index.ts'
import { assay } from './command-line.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'assay-visitors-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const browser = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/151.0'
const line = (client: number, minute: number, path: string, agent = browser) =>
  `203.0.113.${client} - - [17/May/2026:10:${String(minute).padStart(2, '0')}:00 +0000] "GET ${path} HTTP/1.1" 200 5 "-" "${agent}"\n`
const text = [
  line(1, 0, '/'),
  line(2, 0, '/a?q=1'),
  line(1, 0, '/style.css'),
  line(3, 0, '/', 'curl/8.1'),
  line(2, 1, '/'),
  line(4, 1, '/'),
  line(4, 1, '/robots.txt'),
].join('')
const log = join(folder, 'access.log')
writeFileSync(log, text)

const visitors = (args: readonly string[], input = '') =>
  assay(folder, ['logs', 'visitors', ...args], input)
const rows = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row) as Record<string, unknown>)

test('visitors of a file, a packed file and a pipe are the same', () => {
  const packed = join(folder, 'packed')
  writeFileSync(packed, gzipSync(text))
  const options = ['--every', '1m', '--by', 'page,device']
  const plain = visitors([log, ...options])
  expect(plain).toMatchObject({ code: exitCodes.ok })
  expect(plain.err).toContain(
    '7 lines read as combined, 7 counted, a visitor is told by client and agent',
  )
  expect(visitors([packed, ...options]).out).toBe(plain.out)
  expect(visitors(['-', ...options], text).out).toBe(plain.out)
  const exactly = (value: number) => ({ value, low: value, high: value })
  const nothing = { keys: exactly(0), visits: exactly(0), hits: exactly(0) }
  const one = (key: string, count = 1) => ({ key, visitors: exactly(count), hits: exactly(count) })
  expect(rows(plain.out)).toEqual([
    {
      from: '2026-05-17T10:00:00Z',
      to: '2026-05-17T10:01:00Z',
      final: true,
      visitors: exactly(2),
      hits: 3,
      bots: exactly(1),
      botHits: 1,
      suspects: exactly(0),
      firstSeen: exactly(2),
      today: exactly(2),
      by: {
        page: { top: [one('/'), one('/a')], other: nothing },
        device: { top: [{ ...one('desktop', 2), hits: exactly(3) }], other: nothing },
      },
    },
    {
      from: '2026-05-17T10:01:00Z',
      to: '2026-05-17T10:02:00Z',
      final: true,
      visitors: exactly(1),
      hits: 3,
      bots: exactly(0),
      botHits: 0,
      suspects: exactly(1),
      firstSeen: exactly(0),
      today: exactly(2),
      by: {
        page: { top: [one('/')], other: nothing },
        device: { top: [one('desktop')], other: nothing },
      },
    },
  ])
})

test('a kept count goes on where it stopped, and what is not final is told again', () => {
  const grown = join(folder, 'grown.log')
  const state = join(folder, 'grown.state')
  writeFileSync(grown, line(1, 0, '/') + line(2, 1, '/'))
  const count = () =>
    rows(visitors([grown, '--every', '1m', '--lateness', '30s', '--state', state]).out)
  expect(count().map(({ final }) => final)).toEqual([false, false])
  appendFileSync(grown, line(3, 1, '/') + line(4, 9, '/'))
  const second = count()
  expect(second.map((row) => (row['visitors'] as { value: number }).value)).toEqual([1, 2, 1])
  expect(readFileSync(state, 'utf8')).not.toContain('203.0.113')
  const other = visitors([grown, '--every', '5m', '--lateness', '30s', '--state', state])
  expect(other.code).toBe(exitCodes.failed)
  expect(other.err).toContain('counts with another everyUs')
})

test.each([
  [
    ['--by', 'country'],
    exitCodes.failed,
    'The log has no field "country"; it has agent, bytes, client',
  ],
  [['--visitor', 'cookie'], exitCodes.failed, 'The log has no field "cookie"'],
  [['--every', '7m'], exitCodes.failed, 'A slot of 7m does not divide a day'],
  [
    ['--every', '1h', '--window', '90m'],
    exitCodes.failed,
    'A window of 90m is not 1 to 1440 slots of 1h',
  ],
  [['--every', 'often'], exitCodes.usage, '"often" is not a duration'],
  [['--by', 'a,,b'], exitCodes.usage, 'Write names parted by commas'],
  [['--time-zone', 'Mars'], exitCodes.failed, '"Mars" is no time zone'],
  [['--format', '<Date> only'], exitCodes.failed, 'has no <Content>'],
])('%j is refused, saying what to do', (args, code, says) => {
  const refused = visitors([log, ...args])
  expect(refused.err).toContain(says)
  expect(refused).toMatchObject({ code, out: '' })
})

test('lines that are odd are counted and said, and the good ones are counted', () => {
  const odd = join(folder, 'odd.log')
  const broken = Buffer.concat([
    Buffer.from(text.repeat(3)),
    Buffer.from([0xff, 0xfe, 0, 1, 10]),
    Buffer.from(`${'x'.repeat(3_000_000)}\n`),
    Buffer.from(
      '{"time":"2026-05-17T10:02:00Z","client":"203.0.113.9","agent":"Mozilla/5.0 (X11)"}\n',
    ),
    Buffer.from(line(5, 30, '/') + line(6, 2, '/')),
  ])
  writeFileSync(odd, broken)
  const { out, err, code } = visitors([odd, '--every', '1h'])
  expect(code).toBe(exitCodes.ok)
  expect(rows(out)).toMatchObject([{ visitors: { value: 5 }, suspects: { value: 1 } }])
  expect(err).toContain('2 lines of no known format, left out')
  expect(err).toContain('1 line longer than 1 MiB, cut')
  expect(err).toContain('1 line with bytes that are not in the encoding, replaced')
  expect(visitors([odd, '--every', '1m']).err).toContain('1 line too late for their slot')
})

test('of an archive that is damaged what can be read is counted, and the exit code says that there was more', () => {
  const packed = gzipSync(text)
  const cut = join(folder, 'cut.gz')
  writeFileSync(cut, packed.subarray(0, -8))
  for (const ended of [visitors([cut]), visitors([cut, '--state', join(folder, 'cut.state')])]) {
    expect(ended.code).toBe(exitCodes.notHeld)
    expect(ended.err).toContain(
      `damaged: cut.gz is cut off after byte ${text.length} of its content`,
    )
    expect(ended.err).toContain('7 lines read as combined')
  }
  writeFileSync(cut, packed.subarray(0, 12))
  const { code, err } = visitors([cut])
  expect(code).toBe(exitCodes.notHeld)
  expect(err.trim()).toBe('damaged: cut.gz is cut off after byte 0 of its content.')
})

test('a folder in the place of the state is said to be one', () => {
  const { code, err } = visitors([log, '--state', folder])
  expect(code).toBe(exitCodes.failed)
  expect(err).toContain('visitors_state_unreadable')
  expect(err).toContain(`${folder} is a folder`)
})
