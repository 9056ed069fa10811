import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultyFiles, type FaultyFiles } from '../../lib/faulty-files.ts'
import { parseTimestamp } from '../../lib/time.ts'
import { memorySource } from '../sources/port.ts'
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
    { numRuns: 40 },
  )
})
