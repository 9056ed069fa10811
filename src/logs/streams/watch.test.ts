import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultyFiles, type FaultyFiles } from '../../lib/faulty-files.ts'
import { parseTimestamp } from '../../lib/time.ts'
import { type LogSource, memorySource } from '../sources/port.ts'
import { compileLogStream, logStream } from './declaration.ts'
import { watchLog } from './watch.ts'

const stream = compileLogStream(
  logStream('site', {
    title: 'Site',
    from: { sent: true },
    visitors: { every: '1m', window: '5m', by: ['path'], visitor: ['client'], lateness: '30s' },
  }),
)
const START_US = parseTimestamp('2026-03-01T10:00:00Z')!

/** A line every two seconds, of one of 40 visitors. */
const lines = Array.from({ length: 600 }, (_, i) =>
  JSON.stringify({
    time: new Date(START_US / 1000 + i * 2000).toISOString(),
    client: `c${(i * 7919) % 40}`,
    path: `/${i % 3}`,
    message: i % 100 === 99 ? `Upstream ${i} timed out` : `Page rendered in ${i} ms`,
  }),
)

/** Reads the log, keeping as often as it can; so far as the disk lets it. */
async function readOn(files: FaultyFiles) {
  let nowUs = 0
  const watch = await watchLog({
    stream,
    directory: '/streams/site',
    source: memorySource(lines, 40),
    files,
    nowUs: () => START_US,
    monotonicUs: () => (nowUs += 60_000_000),
  })
  await watch.ended
  return watch
}

test('windows, their breakdown and the templates of a log are there when it is read', async () => {
  const watch = await readOn(faultyFiles())
  const { final, open, visitor } = watch.visitors(1000)
  expect(visitor).toEqual(['client'])
  expect(final).toHaveLength(19)
  expect(final[7]).toMatchObject({ visitors: { value: 40 }, hits: 150, isFinal: true })
  expect(final[7].by[0].top.map(({ key }) => key).toSorted()).toEqual(['/0', '/1', '/2'])
  expect(open.every(({ isFinal }) => !isFinal)).toBe(true)
  const { templates, news } = watch.templates(10)
  expect(templates).toMatchObject([
    { text: 'Page rendered in <*> ms', count: 594 },
    { text: 'Upstream <*> timed out', count: 6, example: 'Upstream 599 timed out' },
  ])
  expect(templates[0].trend.reduce((sum, count) => sum + count, 0)).toBe(594)
  expect(news.map(({ kind }) => kind)).toEqual(['first-seen', 'first-seen'])
  expect(watch.view()).toMatchObject({ state: 'ended', format: 'json', templates: 2 })
})

test('however often the power goes, the windows are those of a run that was never broken off', async () => {
  const whole = (await readOn(faultyFiles())).visitors(1000)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat(1000)),
      async (stops, chances) => {
        const random = (below: number) => chances.next().value % below
        let files = faultyFiles()
        for (const operations of stops) {
          files.stopAfter(operations)
          await Promise.race([readOn(files), files.stopped])
          files = files.restart(random)
        }
        expect((await readOn(files)).visitors(1000)).toEqual(whole)
      },
    ),
    {
      numRuns: 40,
      examples: [
        // A sector of the results is lost, and one behind it is not.
        [[3, 10, 1], fc.stream([925, 934, 877, 332, 853, 347, 956, 309].values())],
      ],
    },
  )
})

const recordAt = (s: number, message: string) =>
  JSON.stringify({
    time: new Date(START_US / 1000 + s * 1000).toISOString(),
    client: 'c',
    path: '/',
    message,
  })

async function readLines(source: LogSource) {
  const watch = await watchLog({
    stream,
    directory: '/streams/site',
    source,
    files: faultyFiles(),
    nowUs: () => START_US,
    monotonicUs: () => 0,
  })
  await watch.ended
  return watch
}

test('a record from the far future leaves the trends of templates as they are', async () => {
  const steady = Array.from({ length: 100 }, (_, s) => recordAt(s, 'Door opened'))
  const watch = await readLines(
    memorySource(steady.toSpliced(50, 0, recordAt(400 * 86_400, 'Door opened'))),
  )
  const [{ trend, count }] = watch.templates(1).templates
  expect(count).toBe(101)
  expect(trend.reduce((sum, each) => sum + each, 0)).toBe(100)
})

test('a first line that nobody can read is counted, and the log is read on', async () => {
  const steady = Array.from({ length: 200 }, (_, s) => recordAt(s, 'Door opened'))
  const watch = await readLines({
    ...memorySource([]),
    async *batches() {
      for await (const batch of memorySource(['garbage', ...steady], 1).batches()) {
        yield { ...batch, isCaughtUp: true }
      }
    },
  })
  expect(watch.view().counts).toMatchObject({ lines: 201, counted: 200, unread: 1 })
})

test('looks at a log in which nothing is written do not pile up', async () => {
  let looks = 0
  const watch = await readLines({
    name: 'quiet',
    // oxlint-disable-next-line typescript/require-await -- The port is asynchronous; memory is not.
    async *batches() {
      const quiet = { flaws: [], notices: [], place: {}, isCaughtUp: true }
      while (looks++ < 2000) yield { ...quiet, lines: looks === 500 ? ['garbage'] : [] }
      yield { ...quiet, lines: [recordAt(1, 'Door opened')] }
    },
  })
  expect(watch.view().counts).toMatchObject({ lines: 2, counted: 1, unread: 1 })
})

test('a field that lines of the format never have is told at the first line', async () => {
  const combined =
    '10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "Mozilla/5.0"'
  const wrong = { ...stream, visitors: { ...stream.visitors, by: ['colour'] } }
  const watch = await watchLog({
    stream: wrong,
    directory: '/streams/site',
    source: memorySource([combined, combined], 1),
    files: faultyFiles(),
    nowUs: () => START_US,
    monotonicUs: () => 0,
  })
  await expect(watch.ended).rejects.toThrow('"colour"')
})

test('lines that show no format yet are held, and it is said how many, until one shows it', async () => {
  const held: number[] = []
  const lines = [['garbage', 'more of it'], [], ['and more'], [recordAt(1, 'Door opened')]]
  const watching = Promise.withResolvers<Awaited<ReturnType<typeof watchLog>>>()
  const watch = await watchLog({
    stream,
    directory: '/streams/site',
    source: {
      name: 'held',
      async *batches() {
        for (const each of lines) {
          yield { lines: each, flaws: [], notices: [], place: {}, isCaughtUp: true }
          held.push((await watching.promise).view().held)
        }
      },
    },
    files: faultyFiles(),
    nowUs: () => START_US,
    monotonicUs: () => 0,
  })
  watching.resolve(watch)
  await watch.ended
  expect(held).toEqual([2, 2, 3, 0])
  expect(watch.view().counts).toMatchObject({ lines: 4, counted: 1, unread: 3 })
})
