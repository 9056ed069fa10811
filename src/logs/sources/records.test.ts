import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatTimestamp, parseTimestamp } from '../../lib/time.ts'
import { lineFormats } from './formats.ts'
import { RecordReader } from './records.ts'
import { createTimeReader } from './times.ts'

const readUs = () => parseTimestamp('2026-11-22T00:00:00Z')!

/** The format that is recognised, and what the last line says. */
function readLines(lines: readonly string[], options: { format?: string; timeZone?: string } = {}) {
  const reader = new RecordReader({ ...options, readUs })
  reader.recognise(lines)
  const records = lines.map((line) => reader.read(line)).filter((record) => record !== undefined)
  const last = records.at(-1)
  const time = last?.timeUs === undefined ? undefined : formatTimestamp(last.timeUs)
  return {
    format: reader.format,
    time,
    fields: last?.fields,
    message: last?.message,
    records,
    reader,
  }
}

describe('a line is read', () => {
  test.each([
    [
      'combined',
      '203.0.113.9 - ann [17/May/2015:10:05:03 +0200] "GET /a/b?q=1&r=\\"x\\" HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; \\"odd\\")"',
      '2015-05-17T08:05:03Z',
      {
        client: '203.0.113.9',
        user: 'ann',
        method: 'GET',
        path: '/a/b',
        query: 'q=1&r=\\"x\\"',
        protocol: 'HTTP/1.1',
        status: '200',
        bytes: '512',
        agent: 'Mozilla/5.0 (X11; \\"odd\\")',
      },
    ],
    [
      'common',
      'example.org:80 ::1 - - [17/May/2015:10:05:03 +0000] "-" 408 -',
      '2015-05-17T10:05:03Z',
      { host: 'example.org', client: '::1', status: '408' },
    ],
    [
      'json',
      '{"ts":1431857103.25,"id":12345678901234567890,"user":{"name":"ann"},"msg":"hi"}',
      '2015-05-17T10:05:03.250Z',
      { ts: '1431857103.25', id: '12345678901234567890', 'user.name': 'ann', msg: 'hi' },
    ],
    [
      'syslog',
      '<34>Oct 11 22:14:15 mymachine su[231]: failed for root',
      '2026-10-11T22:14:15Z',
      { facility: 'auth', severity: 'crit', host: 'mymachine', app: 'su', process: '231' },
    ],
    [
      'syslog',
      'Dec 31 23:59:59 mymachine kernel: out of paper',
      '2025-12-31T23:59:59Z',
      { host: 'mymachine', app: 'kernel' },
    ],
    [
      'syslog',
      '2026-05-17T10:05:03.123456+02:00 host systemd[1]: Started',
      '2026-05-17T08:05:03.123456Z',
      { host: 'host', app: 'systemd', process: '1' },
    ],
    [
      'syslog-5424',
      '<165>1 2003-10-11T22:14:15.003Z host.example.org evntslog - ID47 [a@1 iut="3" quote="\\]"][b@1 x="y"] \ufeffAn event',
      '2003-10-11T22:14:15.003Z',
      {
        facility: 'local4',
        severity: 'notice',
        host: 'host.example.org',
        app: 'evntslog',
        id: 'ID47',
        iut: '3',
        quote: ']',
        x: 'y',
      },
    ],
    [
      'log4j',
      '2015-10-18 18:01:47,978 INFO [main] org.example.Master: Created MRAppMaster',
      '2015-10-18T18:01:47.978Z',
      { level: 'INFO', thread: 'main', logger: 'org.example.Master' },
    ],
    [
      'log4j',
      '081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 terminating',
      '2008-11-09T20:36:15Z',
      { level: 'INFO', process: '148', logger: 'dfs.DataNode$PacketResponder' },
    ],
    [
      'apache-error',
      '[Sun Dec 04 04:47:44 2005] [error] [client 203.0.113.9] File does not exist',
      '2005-12-04T04:47:44Z',
      { level: 'ERROR', client: '203.0.113.9' },
    ],
  ])('as %s: %s', (format, line, time, fields) => {
    expect(readLines([line])).toMatchObject({ format, time })
    expect(readLines([line]).fields).toEqual(fields)
  })

  test('of journald, a record a block, also with a field of several lines', () => {
    const lines = [
      '__CURSOR=s=1;i=2',
      '__REALTIME_TIMESTAMP=1431857103250001',
      'MESSAGE',
      '\u0005\0\0\0\0\0\0\0first',
      '_SYSTEMD_UNIT=sshd.service',
      '',
      '__CURSOR=s=1;i=3',
      '__REALTIME_TIMESTAMP=1431857104000000',
      'MESSAGE=second=2',
      '',
    ]
    const { format, time, message, records } = readLines(lines)
    expect({ format, time, message }).toEqual({
      format: 'journald',
      time: '2015-05-17T10:05:04Z',
      message: 'second=2',
    })
    expect(records[0]).toMatchObject({
      message: 'first',
      fields: { _SYSTEMD_UNIT: 'sshd.service' },
    })
  })

  test('by a declared header, with times in a declared zone', () => {
    const declared = { format: '<Date> <Time> <Client>: <Content>', timeZone: 'Europe/Zurich' }
    const { format, time, fields, message } = readLines(
      ['2026-05-17 10:05:03 ann: came in'],
      declared,
    )
    expect({ format, time, fields, message }).toEqual({
      format: 'declared',
      time: '2026-05-17T08:05:03Z',
      fields: { date: '2026-05-17', time: '10:05:03', client: 'ann' },
      message: 'came in',
    })
  })

  test('by the example of its own format', () => {
    for (const { name, example } of lineFormats) expect(readLines([example]).format).toBe(name)
  })
})

describe('a log', () => {
  const web = (n: number) =>
    `203.0.113.${n % 200} - - [17/May/2015:10:05:03 +0000] "GET /${n} HTTP/1.1" 200 5`
  const json = (n: number) =>
    `{"time":"2015-05-17T10:05:03Z","client":"203.0.113.9","path":"/${n}"}`

  test('that changes its format in the middle loses no line, and the change is said', () => {
    const lines = [
      ...Array.from({ length: 50 }, (_, n) => web(n)),
      ...Array.from({ length: 50 }, (_, n) => json(n)),
      '__REALTIME_TIMESTAMP=1431857103250001',
      'MESSAGE=late',
      '',
      web(1),
    ]
    const { reader, records } = readLines(lines)
    expect(records).toHaveLength(102)
    expect(reader.counts).toMatchObject({ lines: 104, unread: 0, changes: 2 })
    expect(reader.changes).toEqual([
      { line: 51, from: 'common', to: 'json' },
      { line: 101, from: 'json', to: 'journald' },
    ])
  })

  test('with lines of none keeps the good ones and counts the others', () => {
    const lines = [web(1), '\u0001\u0002 garbage', '    at stack.trace(1)', '', web(2), '{"half":']
    const { reader, records } = readLines(lines)
    expect(records).toHaveLength(2)
    expect(reader.counts).toMatchObject({ lines: 6, read: 2, continued: 2, unread: 2 })
  })

  test('of which no line is known is refused with what is known', () => {
    const refused = expect.objectContaining({
      code: 'log_format_unknown',
      detail: expect.stringContaining('json, syslog-5424, combined'),
    })
    expect(() => readLines(['nothing', 'of note'])).toThrow(refused)
  })

  test('may hold anything: no line makes the reader fail', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.json(),
            fc.constantFrom('{', '<34>', '[17/May/2015:10:05:03 +0000] "', '__CURSOR=', web(1)),
          ),
        ),
        (lines) => {
          const reader = new RecordReader({ readUs })
          reader.recognise([web(0)])
          for (const line of lines) reader.read(line)
          const { read, continued, unread } = reader.counts
          expect(read + continued + unread).toBe(lines.length)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('may have very long lines: they take no longer than they are long', () => {
    const long = 'x'.repeat(1_000_000)
    for (const line of [
      long,
      `${web(1)} "${long}`,
      `"${'\\"'.repeat(400_000)}`,
      `<34>1 - ${long}`,
    ]) {
      readLines([web(1), line])
    }
  })
})

test('times are read in every layout that logs have', () => {
  const read = createTimeReader({ timeZone: 'UTC', readUs })
  const expected = {
    '2015-10-18 18:01:47,978': '2015-10-18T18:01:47.978Z',
    '2015/10/18 18:01:47': '2015-10-18T18:01:47Z',
    '2005-06-03-15.42.50.675872': '2005-06-03T15:42:50.675872Z',
    '2026-05-17T10:05:03.123456789+02:00': '2026-05-17T08:05:03.123456Z',
    '17/06/09 20:10:40': '2017-06-09T20:10:40Z',
    '081109 203615': '2008-11-09T20:36:15Z',
    'Jul  1 09:00:55': '2026-07-01T09:00:55Z',
    '1431857103': '2015-05-17T10:05:03Z',
    '1431857103250': '2015-05-17T10:05:03.250Z',
    '1431857103250001': '2015-05-17T10:05:03.250001Z',
    '1431857103250001999': '2015-05-17T10:05:03.250001Z',
  }
  for (const [text, time] of Object.entries(expected)) {
    expect(read(text), text).toBeDefined()
    expect(formatTimestamp(read(text)!), text).toBe(time)
  }
  for (const text of ['', 'yesterday', '2015-13-18 18:01:47', '31/Feb/2015:10:05:03 +0000', '12']) {
    expect(read(text), text).toBeUndefined()
  }
})

test('a reader that lasts over the end of a year gives times without one the new year', () => {
  let nowUs = parseTimestamp('2026-12-31T23:59:59Z')!
  const reader = new RecordReader({ readUs: () => nowUs })
  reader.recognise(['Dec 31 23:59:58 host app: before'])
  const before = reader.read('Dec 31 23:59:58 host app: before')
  nowUs = parseTimestamp('2027-01-02T00:00:00Z')!
  const after = reader.read('Jan  2 00:00:00 host app: after')
  expect([before?.timeUs, after?.timeUs]).toEqual([
    parseTimestamp('2026-12-31T23:59:58Z'),
    parseTimestamp('2027-01-02T00:00:00Z'),
  ])
})
