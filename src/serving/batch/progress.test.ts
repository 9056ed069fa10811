import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readWholeFile } from '../../lib/files.ts'
import { faultyFiles, type FaultyFiles } from '../../lib/faulty-files.ts'
import { openProgress, type BatchFacts, type BatchProgress } from './progress.ts'

const directory = '/scores.assay-progress'
const facts: BatchFacts = { input: 'abc', model: 'boost@1' }
const text = (value: string) => new TextEncoder().encode(value)

const partOf = (number: number) => ({
  position: number * 10,
  rows: 9,
  refused: 1,
  content: text(`${number},0.${number}\n`),
  refusals: text(`${number},bad\n`),
})

/** The whole of a batch of `parts` parts, going on from whatever is there. */
async function finish(files: FaultyFiles, parts: number, given = facts): Promise<BatchProgress> {
  const progress = await openProgress({ directory, facts: given, files })
  while (progress.parts.length < parts) await progress.append(partOf(progress.parts.length + 1))
  return progress
}

async function contentOf(progress: BatchProgress, files: FaultyFiles): Promise<string> {
  let all = ''
  for (const what of ['rows', 'refused'] as const) {
    for (const part of progress.parts) {
      all += Buffer.from(await readWholeFile(progress.path(part, what), files)).toString()
    }
  }
  return all
}

test('a batch that is opened again goes on behind the parts that are done', async () => {
  const files = faultyFiles()
  await finish(files, 2)
  const again = await openProgress({ directory, facts, files })
  expect(again.position).toBe(20)
  expect(again.parts.map(({ rows, refused }) => [rows, refused])).toEqual([
    [9, 1],
    [9, 1],
  ])
})

test('other facts are told by their names and touch nothing', async () => {
  const files = faultyFiles()
  await finish(files, 2)
  const other = { ...facts, input: 'other' }
  await expect(openProgress({ directory, facts: other, files })).rejects.toMatchObject({
    code: 'batch_changed',
    detail: expect.stringContaining('2 finished parts of a run with another input'),
  })
  expect((await openProgress({ directory, facts, files })).position).toBe(20)
})

test('a fresh start forgets what is there, and so does one before any part was done', async () => {
  const files = faultyFiles()
  await finish(files, 2)
  const fresh = { ...facts, input: 'other' }
  const begun = await openProgress({ directory, facts: fresh, files, fresh: true })
  expect(begun.position).toBe(0)
  expect(await files.list(directory)).toEqual(['batch.json'])
  expect((await openProgress({ directory, facts, files })).position).toBe(0)
})

test.each(['rows-000002.csv', 'refused-000002.csv', 'part-000002.json'])(
  'a damaged %s is done again, with all that came after it',
  async (name) => {
    const files = faultyFiles()
    const whole = await contentOf(await finish(files, 3), files)
    files.bytes(`${directory}/${name}`)[0] ^= 1
    expect((await openProgress({ directory, facts, files })).position).toBe(10)
    expect(await contentOf(await finish(files, 3), files)).toBe(whole)
  },
)

test('a full disk stops the run, and with room again it goes on', async () => {
  const files = faultyFiles()
  const progress = await finish(files, 2)
  files.fail('write', 'ENOSPC')
  await expect(progress.append(partOf(3))).rejects.toMatchObject({ code: 'ENOSPC' })
  const again = await openProgress({ directory, facts, files })
  expect(again.position).toBe(20)
  const undisturbed = faultyFiles()
  expect(await contentOf(await finish(files, 3), files)).toBe(
    await contentOf(await finish(undisturbed, 3), undisturbed),
  )
})

test('files of others in the folder stay', async () => {
  const files = faultyFiles()
  const progress = await finish(files, 1)
  await (await files.open(`${directory}/notes.txt`, 'create')).close()
  await progress.clear()
  expect(await files.list(directory)).toEqual(['notes.txt'])
})

describe('whenever the power goes', () => {
  test('parts that were kept are found again, and the end is the same bytes', async () => {
    const undisturbed = faultyFiles()
    const whole = await contentOf(await finish(undisturbed, 4), undisturbed)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        async (stops, numbers) => {
          const random = (below: number) => numbers.next().value % below
          let files = faultyFiles()
          let kept = 0
          for (const operations of stops) {
            files.stopAfter(operations)
            const run = async () => {
              const progress = await openProgress({ directory, facts, files })
              // What was acknowledged before is there now.
              expect(progress.parts.length).toBeGreaterThanOrEqual(kept)
              kept = progress.parts.length
              while (kept < 4) {
                await progress.append(partOf(kept + 1))
                kept++
              }
            }
            await Promise.race([run(), files.stopped])
            files = files.restart(random)
          }
          expect(await contentOf(await finish(files, 4), files)).toBe(whole)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('clearing leaves a batch that can be done again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.infiniteStream(fc.nat()), async (operations, numbers) => {
        const files = faultyFiles()
        const progress = await finish(files, 3)
        const whole = await contentOf(progress, files)
        files.stopAfter(operations)
        await Promise.race([progress.clear(), files.stopped])
        const after = files.restart((below) => numbers.next().value % below)
        expect(await contentOf(await finish(after, 3), after)).toBe(whole)
      }),
    )
  })
})
