// `assay logs parse`: lines into templates, as its user asks for it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/index.ts'
import { assay, type Ended } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-logs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const format = '<Date> <Time> <Level> <Component>: <Content>'
const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay']
const lines = [
  ...names.map(
    (name, i) => `2026-05-17 10:05:0${i} INFO app: session opened for user ${name} by root`,
  ),
  '2026-05-17 10:06:00 WARN app: disk 7 is full',
  '\tat a.b.C.d(C.java:1)',
  'no header here',
  '2026-05-17 10:06:01 WARN app: disk 8 is full',
]
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8')
const parse = (...args: string[]): Ended => assay(folder, ['logs', 'parse', ...args])

beforeAll(() => {
  writeFileSync(join(folder, 'app.log.gz'), gzipSync(`${lines.join('\n')}\n`))
  writeFileSync(join(folder, 'prose.txt'), 'It was a dark and stormy night.\n')
  writeFileSync(
    join(folder, 'drain.json'),
    JSON.stringify({ regex: ['\\d+'], st: 0.5, depth: 4, log_format: format }),
  )
})

describe('a log', () => {
  test('becomes a row a line, with template, parameters and header', () => {
    const ended = parse('app.log.gz', '--format', format, '--out', 'a.csv', '--templates', 't.csv')
    expect(ended.code, ended.err).toBe(0)
    const [head, first, ...others] = textOf('a.csv').split('\n')
    expect(head).toBe(
      'LineId,Date,Time,Level,Component,Content,EventId,EventTemplate,Parameters,ParameterTypes,Continued',
    )
    expect(first).toMatch(
      /^1,2026-05-17,10:05:00,INFO,app,session opened for user ada by root,[0-9a-f]{16},session opened for user <\*> by root,"\[""ada""\]","\[""word""\]",$/,
    )
    expect(others.some((row) => row.endsWith(',\tat a.b.C.d(C.java:1)'))).toBe(true)
    expect(ended.err).toContain('10 lines: 8 parsed, 1 continue another, 1 rejected')
    expect(textOf('a.rejects.csv')).toContain('9,it does not have the header,no header here')
    expect(textOf('t.csv')).toMatch(
      /,session opened for user <\*> by root,6\n[0-9a-f]{16},disk <\*> is full,2\n/,
    )
  })

  test('is parsed by Drain with the settings and the header of a file', () => {
    const ended = parse(
      'app.log.gz',
      '--parser',
      'drain',
      '--settings',
      'drain.json',
      '--out',
      'd.csv',
      '--json',
    )
    expect(ended.code, ended.err).toBe(0)
    expect(JSON.parse(ended.out)).toMatchObject({ parsed: 8, rejected: 1, templates: 2 })
  })

  test('has a header that is recognised', () => {
    writeFileSync(
      join(folder, 'sys.log'),
      names.map((name, i) => `May 17 10:05:0${i} host app[7]: user ${name} came in\n`).join(''),
    )
    const ended = parse('sys.log', '--out', 's.csv', '--json')
    expect(ended.code, ended.err).toBe(0)
    expect(JSON.parse(ended.out)).toMatchObject({ format: 'syslog', parsed: 6, templates: 1 })
  })

  test('comes on standard input and goes to standard output', () => {
    const ended = assay(
      folder,
      ['logs', 'parse', '-', '--format', format, '--out', '-'],
      lines.join('\n'),
    )
    expect(ended.code, ended.err).toBe(0)
    expect(ended.out.split('\n')[0]).toMatch(/^LineId,Date/)
    expect(ended.err).toContain('--rejects FILE keeps them')
  })
})

test('of an archive that is damaged what can be read is parsed, and the exit code says that there was more', () => {
  const packed = gzipSync(`${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'cut.gz'), packed.subarray(0, -8))
  const cut = parse('cut.gz', '--format', format, '--out', 'c.csv')
  expect(cut.code).toBe(exitCodes.notHeld)
  expect(cut.err).toContain(`cut.gz is cut off after byte ${lines.join('\n').length + 1}`)
  expect(cut.err).toContain('10 lines: 8 parsed')
  writeFileSync(join(folder, 'none.gz'), packed.subarray(0, 12))
  const none = parse('none.gz', '--format', format, '--out', 'c.csv')
  expect(none).toMatchObject({ code: exitCodes.notHeld })
  expect(none.err).toContain('none.gz is cut off after byte 0')
  expect(parse('none.gz', '--out', 'c.csv').err).toContain('none.gz is cut off after byte 0')
})

test('the last line says how many templates there are, and what was first seen', () => {
  const last = (...args: string[]) =>
    parse(...args, '--format', format, '--out', 'l.csv').err.match(/^\d+ templates?.*/m)?.[0]
  writeFileSync(join(folder, 'two.log'), `${lines[0]}\n${lines[6]}\n`)
  expect(last('app.log.gz')).toBe(
    '2 templates (5 were told apart before some became one); written to l.csv',
  )
  expect(last('two.log')).toBe('2 templates, all first seen now; written to l.csv')
  expect(last('two.log', '--state', 'l.state')).toContain('2 templates, all first seen now')
  expect(last('two.log', '--state', 'l.state')).toContain('2 templates, 0 first seen now')
})

test('what was learnt is kept for the next log', () => {
  writeFileSync(
    join(folder, 'next.log'),
    `${lines[0].replace('ada', 'gus')}\n${lines[6]}\n2026-05-18 10:00:00 INFO app: fan stopped\n`,
  )
  const again = () => parse('next.log', '--format', format, '--state', 'k.state', '--out', 'n.csv')
  expect(parse('app.log.gz', '--format', format, '--state', 'k.state', '--out', 'a.csv').code).toBe(
    0,
  )
  const second = again()
  expect(second.err).toContain('1 first seen now')
  expect(second.err).toMatch(/first seen: [0-9a-f]{16} fan stopped/)
  expect(again().err).toContain(' 0 first seen now')
  const drain = parse(
    'next.log',
    '--format',
    format,
    '--parser',
    'drain',
    '--state',
    'k.state',
    '--out',
    'n.csv',
  )
  expect(drain.err).toContain('made by brook')
  writeFileSync(join(folder, 'k.state'), textOf('k.state').replace('fan', 'van'))
  expect(again().err).toContain('log_templates_damaged')
})

describe('mistakes are told before anything is written', () => {
  test.each([
    ['a log that is not there', ['nowhere.log', '--out', 'x.csv'], 'nowhere.log'],
    [
      'a header without a message',
      ['app.log.gz', '--format', '<Date>', '--out', 'x.csv'],
      '<Content>',
    ],
    ['a format that nobody knows', ['prose.txt', '--out', 'x.csv'], '--format'],
    [
      'settings that are not there',
      ['app.log.gz', '--settings', 'no.json', '--out', 'x.csv'],
      'no.json',
    ],
    ['a file that is named twice', ['app.log.gz', '--out', 'app.log.gz'], 'named twice'],
    [
      'a parser that there is not',
      ['app.log.gz', '--parser', 'sink', '--out', 'x.csv'],
      'brook, drain',
    ],
  ])('%s', (_name, args, told) => {
    const ended = parse(...args)
    expect(ended.code).not.toBe(0)
    expect(ended.err).toContain(told)
    expect(existsSync(join(folder, 'x.csv'))).toBe(false)
    expect(existsSync(join(folder, 'x.csv.part'))).toBe(false)
  })
})
