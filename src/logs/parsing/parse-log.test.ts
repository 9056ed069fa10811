import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memorySource } from '../sources/port.ts'
import { streamSource } from '../sources/streams.ts'
import type { LogSource } from '../sources/port.ts'
import { parseLog, type ParsedLine, type RejectedLine } from './parse-log.ts'
import { createParsedCsv } from './parsed-csv.ts'
import { createTemplates } from './templates.ts'

const format = '<Date> <Time> <Level> <Component>: <Content>'

async function parse(
  source: LogSource,
  asked: { format?: string; windowMax?: number } = { format },
) {
  const lines: ParsedLine[] = []
  const rejects: RejectedLine[] = []
  const summary = await parseLog(source, {
    ...asked,
    templates: createTemplates(),
    write: (more) => void lines.push(...more),
    reject: (more) => void rejects.push(...more),
  })
  return { lines, rejects, summary }
}

const line = (message: string) => `2026-05-17 10:05:03 INFO app: ${message}`

describe('a declared header', () => {
  test('gives fields, template and parameters of each line', async () => {
    const { lines } = await parse(memorySource([line('sent 12 bytes'), line('sent 13 bytes')]))
    expect(lines.map(({ fields }) => fields['Component'])).toEqual(['app', 'app'])
    expect(lines[1]).toMatchObject({
      line: 2,
      message: 'sent 13 bytes',
      template: 'sent <*> bytes',
      parameters: [{ value: '13', type: 'number' }],
    })
    expect(lines[0].id).toBe(lines[1].id)
  })

  test('a stack trace stays with its line', async () => {
    const trace = ['java.io.IOException: broken', '\tat a.b.C.d(C.java:1)', 'Caused by: e', '']
    const { lines, summary } = await parse(memorySource([line('failed'), ...trace, line('next')]))
    expect(lines.map(({ continued }) => continued)).toEqual([trace, []])
    expect(summary).toMatchObject({ lines: 6, parsed: 2, continued: 4, rejected: 0 })
  })

  test('lines without a place are rejected with their reason', async () => {
    const { rejects, summary } = await parse(
      memorySource(['  indented', line('begins'), 'no header here', line('ends')]),
    )
    expect(rejects).toEqual([
      { line: 1, reason: 'no record begins before it', text: '  indented' },
      { line: 3, reason: 'it does not have the header', text: 'no header here' },
    ])
    expect(summary).toMatchObject({ parsed: 2, rejected: 2 })
  })

  test('a line that goes on with one in the batch before is joined all the same', async () => {
    const source = memorySource([line('a'), line('b'), '  more', line('c')], 1)
    const { lines } = await parse(source, { format, windowMax: 0 })
    expect(lines.map(({ continued }) => continued.length)).toEqual([0, 1, 0])
  })
})

test('every line is parsed, joined or rejected, however lines are batched', async () => {
  const any = fc.oneof(
    fc.string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, ' ')),
    fc.string({ maxLength: 30 }).map((text) => line(text.replace(/[\r\n]/g, ' '))),
    fc.constantFrom('  at a', '', 'Caused by: b'),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(any, { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (all, atOnce) => {
        const { lines, rejects, summary } = await parse(memorySource(all, atOnce), {
          format,
          windowMax: 2,
        })
        expect(summary.lines).toBe(all.length)
        expect(summary.parsed + summary.continued + summary.rejected).toBe(all.length)
        expect(lines.length).toBe(summary.parsed)
        expect(rejects.length).toBe(summary.rejected)
        expect(lines.reduce((sum, { continued }) => sum + continued.length, 0)).toBe(
          summary.continued,
        )
      },
    ),
  )
})

test('within the window lines of one statement have one id', async () => {
  const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay']
  const source = memorySource(
    names.map((name) => line(`session opened for user ${name} by root`)),
    1,
  )
  const { lines } = await parse(source)
  expect(new Set(lines.map(({ id }) => id)).size).toBe(1)
})

describe('bad input', () => {
  async function* pieces(...parts: readonly (string | Uint8Array)[]) {
    for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
  }
  const good = (i: number) => `${line(`sent ${i} bytes`)}\n`

  test('binary garbage is told, and the good lines round it are parsed', async () => {
    const garbage = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31 + (i >> 5)) % 256)
    const { lines, summary } = await parse(
      streamSource('test', pieces(good(1), good(2), garbage, '\n', good(3), good(4))),
    )
    expect(lines.map(({ message }) => message)).toEqual([1, 2, 3, 4].map((i) => `sent ${i} bytes`))
    expect(summary.rejected).toBeGreaterThan(0)
    expect(summary.flawed.binary + summary.flawed.replaced).toBeGreaterThan(0)
  })

  test('a line of 100 MB is cut, and the lines round it are parsed', async () => {
    const piece = Buffer.alloc(1_000_000, 'x')
    const long = Array.from({ length: 100 }, () => piece)
    const { lines, summary } = await parse(
      streamSource('test', pieces(good(1), line('begins '), ...long, '\n', good(2))),
    )
    expect(summary).toMatchObject({ parsed: 3, flawed: { cut: 1 } })
    expect(lines[2].message).toBe('sent 2 bytes')
    expect(lines[1].template).toBe('begins <*>')
  }, 60_000)

  test('texts in other encodings are read', async () => {
    const latin = Buffer.from(line('fehlt für später'), 'latin1')
    const first = await parse(streamSource('test', pieces(good(1), latin, '\n', good(2))))
    expect(first.summary).toMatchObject({ parsed: 3 })
    expect(first.summary.flawed.replaced).toBeLessThanOrEqual(1)
    const utf16 = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`${good(1)}${line('läuft')}\n`, 'utf16le'),
    ])
    const second = await parse(streamSource('test', pieces(utf16)))
    expect(second.lines.map(({ message }) => message)).toEqual(['sent 1 bytes', 'läuft'])
  })

  test('a log that changes its format in the middle loses no line', async () => {
    const syslog = (i: number) => `May 17 10:05:0${i % 10} host app[7]: sent ${i} bytes`
    const json = (i: number) =>
      `{"time":"2026-05-17T10:05:0${i % 10}Z","message":"sent ${i} bytes"}`
    const all = Array.from({ length: 40 }, (_, i) => (i < 20 ? syslog(i) : json(i)))
    const { lines, summary } = await parse(memorySource(all), {})
    expect(summary).toMatchObject({ parsed: 40, rejected: 0 })
    expect(summary.changes).toMatchObject([{ line: 21 }])
    expect(new Set(lines.map(({ id }) => id)).size).toBe(1)
  })
})

test('as CSV, what the header says later has a column of its own', () => {
  const parsed = (fields: Record<string, string>): ParsedLine => ({
    line: 1,
    fields,
    message: 'a "b", c',
    continued: [],
    id: 'i',
    template: 't',
    parameters: [{ value: '1', type: 'number' }],
  })
  const csv = createParsedCsv([parsed({ level: 'INFO' })], undefined)
  expect(csv.head + csv.row(parsed({ level: 'WARN', host: 'h' }))).toBe(
    'LineId,level,Content,OtherFields,EventId,EventTemplate,Parameters,ParameterTypes,Continued\n' +
      '1,WARN,"a ""b"", c","{""host"":""h""}",i,t,"[""1""]","[""number""]",\n',
  )
})
