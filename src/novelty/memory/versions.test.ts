import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeFiles } from '../../lib/files.ts'
import { openEvents } from './reading.ts'
import { MemoryVersions } from './versions.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'novelty-'))
})
afterEach(() => rm(folder, { recursive: true }))

const about = (reason: string) => ({
  kind: 'observed' as const,
  actor: 'ada',
  reason,
  atUs: 1,
  place: null,
})

describe('the versions of a memory', () => {
  test('are named by their content and can be returned to', async () => {
    const versions = new MemoryVersions(folder, nodeFiles)
    const first = await versions.save({ n: 1 }, about('one'))
    const second = await versions.save({ n: 2 }, about('two'))
    expect(second.before).toBe(first.version)
    expect(await versions.open(first.version)).toEqual({ n: 1 })
    await versions.rollBack(first.version, { actor: 'bob', reason: 'was poisoned', atUs: 2 })
    const last = (await new MemoryVersions(folder, nodeFiles).list()).at(-1)
    expect(last).toMatchObject({ version: first.version, kind: 'rolled back', actor: 'bob' })
  })

  test('are the newest few; others are removed', async () => {
    const versions = new MemoryVersions(folder, nodeFiles, 2)
    for (let n = 0; n < 5; n++) await versions.save({ n }, about(String(n)))
    expect((await versions.list()).map(({ reason }) => reason)).toEqual(['3', '4'])
    expect((await readdir(folder)).length).toBe(3)
  })

  test('are refused where they are not there or were changed', async () => {
    const versions = new MemoryVersions(folder, nodeFiles)
    const { version } = await versions.save({ n: 1 }, about('one'))
    await expect(versions.open('0'.repeat(64))).rejects.toThrow('no version')
    await expect(versions.open('../x')).rejects.toThrow('no version')
    await writeFile(join(folder, `${version}.json`), '{"n":2}')
    await expect(versions.open(version)).rejects.toThrow('does not hold')
  })
})

describe('events from a file', () => {
  const columns = { entity: 'who', time: 'at', timeUnit: 's' } as const

  async function read(text: string) {
    const path = join(folder, 'stream.csv')
    await writeFile(path, text)
    const file = await openEvents(path, columns)
    const refused: string[] = []
    const events = []
    for await (const event of file.events(({ line, reason }) =>
      refused.push(`${line}: ${reason}`),
    )) {
      events.push(event)
    }
    return { file, events, refused }
  }

  test('are read with their times; rows that cannot be are told with their line', async () => {
    const { file, events, refused } = await read(
      'at,who,n\n10,a,1\n2020-01-01T00:00:00Z,b,2\nlater,c,3\n11,,4\n12,d\n13,e,"x\n14,f,6\n',
    )
    expect(file.columns).toEqual(['n'])
    expect(events.map(({ entity, timeUs }) => [entity, timeUs])).toEqual([
      ['a', 10_000_000],
      ['b', 1_577_836_800_000_000],
      ['f', 14_000_000],
    ])
    expect(refused.map((one) => one.slice(0, 2))).toEqual(['4:', '5:', '6:', '7:'])
  })

  test('are refused where a column is not there', async () => {
    await expect(read('when,who\n1,a\n')).rejects.toThrow('--time')
    await expect(read('at,who\n1,a\n')).rejects.toThrow('no column besides')
  })
})
