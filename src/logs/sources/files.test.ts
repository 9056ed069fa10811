import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileSource } from './files.ts'
import { type LogSource, memorySource, type SourcePlace } from './port.ts'
import { sourceCases } from './source.cases.ts'
import { streamSource } from './streams.ts'

let folder: string
let log: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-log-'))
  log = join(folder, 'access.log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const text = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `line ${from + n} ${'x'.repeat(20)}\n`).join('')
const numbers = (lines: readonly string[]) => lines.map((line) => Number(line.split(' ')[1]))
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

async function all(source: LogSource, from?: SourcePlace) {
  const lines: string[] = []
  const notices: string[] = []
  let place: SourcePlace | undefined = from
  for await (const batch of source.batches(from)) {
    lines.push(...batch.lines)
    notices.push(...batch.notices.map(({ kind }) => kind))
    place = batch.place
  }
  return { lines, notices, place: place! }
}

/** Files get times in the order in which they were rotated, however fast the test is. */
function aged(file: string, ageSeconds: number): void {
  const at = 1_700_000_000 - ageSeconds
  utimesSync(file, at, at)
}

describe('a file', () => {
  test('of which the end is damaged gives what can be unpacked, and says so', async () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, n) => `line ${n} ${(n * 2_654_435_761) % 1e9}\n`,
    )
    const packed = gzipSync(lines.join(''))
    writeFileSync(log, packed.subarray(0, packed.length - 5000))
    const { lines: read, notices } = await all(fileSource(log))
    expect(notices).toEqual(['damaged'])
    expect(read.length).toBeGreaterThan(10_000)
    expect(read.slice(0, -1)).toEqual(lines.slice(0, read.length - 1).map((line) => line.trimEnd()))
  })

  test('that is not there, or a folder, is said', async () => {
    await expect(all(fileSource(log))).rejects.toMatchObject({ code: 'log_source_missing' })
    await expect(all(fileSource(folder))).rejects.toMatchObject({ code: 'log_source_missing' })
    writeFileSync(log, text(0, 1))
    await expect(all(fileSource(log), { line: 3 })).rejects.toMatchObject({
      code: 'log_place_invalid',
    })
  })

  test('whose last line had no end gives no half of it twice', async () => {
    writeFileSync(log, `${text(0, 2)}line 2 begu`)
    const first = await all(fileSource(log))
    expect(first.lines).toHaveLength(3)
    appendFileSync(log, `n\n${text(3, 5)}`)
    const { lines } = await all(fileSource(log), first.place)
    expect(numbers(lines.filter((line) => line !== ''))).toEqual([3, 4])
  })
})

describe('a file that was rotated while nobody read', () => {
  test('by renaming, once or more, is found under its other name, compressed or not', async () => {
    writeFileSync(log, text(0, 10))
    const { place } = await all(fileSource(log))
    appendFileSync(log, text(10, 20))
    renameSync(log, join(folder, 'access.log.2'))
    writeFileSync(join(folder, 'access.log.1'), text(20, 30))
    writeFileSync(join(folder, 'access.log-other.txt.1'), '')
    writeFileSync(log, text(30, 40))
    aged(join(folder, 'access.log.2'), 300)
    aged(join(folder, 'access.log.1'), 200)
    const plain = await all(fileSource(log), place)
    expect(numbers(plain.lines)).toEqual(upTo(10, 40))
    expect(plain.notices).toEqual(['rotated', 'rotated'])

    writeFileSync(join(folder, 'access.log.2.gz'), gzipSync(text(0, 20)))
    aged(join(folder, 'access.log.2.gz'), 300)
    unlinkSync(join(folder, 'access.log.2'))
    expect(numbers((await all(fileSource(log), place)).lines)).toEqual(upTo(10, 40))
  })

  test('by copying and truncating is gone on with in the copy', async () => {
    writeFileSync(log, text(0, 10))
    const { place } = await all(fileSource(log))
    appendFileSync(log, text(10, 20))
    copyFileSync(log, join(folder, 'access.log.1'))
    aged(join(folder, 'access.log.1'), 100)
    truncateSync(log, 0)
    appendFileSync(log, text(20, 25))
    expect(numbers((await all(fileSource(log), place)).lines)).toEqual(upTo(10, 25))
  })

  test('and is nowhere to be found is said to be lost, or truncated', async () => {
    writeFileSync(log, text(0, 10))
    const { place } = await all(fileSource(log))
    truncateSync(log, 0)
    appendFileSync(log, text(50, 52))
    expect(await all(fileSource(log), place)).toMatchObject({ notices: ['truncated'] })
    unlinkSync(log)
    writeFileSync(join(folder, 'other'), text(60, 62))
    renameSync(join(folder, 'other'), log)
    const after = await all(fileSource(log), place)
    expect(numbers(after.lines)).toEqual([60, 61])
    expect(['lost', 'truncated']).toContain(after.notices[0])
  })
})

describe('a file that is followed', () => {
  /** Does one thing each time that the source has read all there is, then ends. */
  async function follow(...acts: readonly (() => void)[]) {
    const left = [...acts]
    // Each act is followed by looks without one, as a writer that is slower than its reader has them.
    let quiet = 0
    const nextLook = async () => {
      if (quiet-- > 0) return true
      quiet = 2
      const act = left.shift()
      act?.()
      return act !== undefined
    }
    return all(fileSource(log, { nextLook }))
  }

  test('gives lines once they have ended', async () => {
    writeFileSync(log, text(0, 2))
    const { lines } = await follow(
      () => appendFileSync(log, 'line 2 '),
      () => appendFileSync(log, 'whole\nline 3 not'),
    )
    expect(lines.slice(2)).toEqual(['line 2 whole'])
  })

  test('is followed through rotation of both kinds, with what was written before', async () => {
    writeFileSync(log, text(0, 20))
    const { lines, notices } = await follow(
      () => appendFileSync(log, text(20, 30)),
      () => {
        appendFileSync(log, text(30, 35))
        renameSync(log, join(folder, 'access.log.1'))
        aged(join(folder, 'access.log.1'), 300)
      },
      () => writeFileSync(log, text(35, 60)),
      () => {
        appendFileSync(log, text(60, 65))
        copyFileSync(log, join(folder, 'access.log.0'))
        aged(join(folder, 'access.log.0'), 200)
        truncateSync(log, 0)
      },
      () => appendFileSync(log, text(65, 70)),
    )
    expect(numbers(lines)).toEqual(upTo(0, 70))
    expect(notices).toEqual(['rotated', 'rotated'])
  })
})

test('rotated files that begin with the same long header are all read', async () => {
  const header = `#Fields: ${'date time c-ip cs-uri-stem '.repeat(20)}\n`
  writeFileSync(log, header + text(0, 5))
  const { place } = await all(fileSource(log))
  renameSync(log, `${log}.3`)
  for (const [n, age] of [
    [2, 200],
    [1, 100],
  ]) {
    writeFileSync(`${log}.${n}`, header + text(n * 10, n * 10 + 5))
    aged(`${log}.${n}`, age)
  }
  aged(`${log}.3`, 300)
  writeFileSync(log, header + text(50, 55))
  const { lines } = await all(fileSource(log), place)
  const read = numbers(lines.filter((line) => !line.startsWith('#')))
  expect(read).toEqual([...upTo(20, 25), ...upTo(10, 15), ...upTo(50, 55)])
})

test('who goes on while there is no file of the name reads the new one once it is there', async () => {
  writeFileSync(log, text(0, 5))
  const { place } = await all(fileSource(log))
  renameSync(log, `${log}.1`)
  aged(`${log}.1`, 60)
  let looks = 0
  const nextLook = () => {
    if (++looks === 3) writeFileSync(log, text(5, 9))
    return Promise.resolve(looks < 20)
  }
  const { lines } = await all(fileSource(log, { nextLook }), place)
  expect(numbers(lines)).toEqual(upTo(5, 9))
})

test('lines of a stream are those of the file, plain or gzip', async () => {
  for (const content of [Buffer.from(text(0, 500)), gzipSync(text(0, 500))]) {
    const pieces = Array.from({ length: content.length }, (_, i) => content.subarray(i, i + 1))
    const { lines } = await all(streamSource('standard input', Readable.from(pieces)))
    expect(numbers(lines)).toEqual(upTo(0, 500))
  }
  expect((await all(streamSource('nothing', Readable.from([])))).lines).toEqual([])
})

describe('memory', () => {
  sourceCases((lines) => memorySource(lines))
})

describe('a plain file', () => {
  sourceCases((lines) => {
    writeFileSync(log, `${lines.join('\n')}\n`)
    return fileSource(log)
  })
})

describe('a packed file', () => {
  sourceCases((lines) => {
    writeFileSync(log, gzipSync(`${lines.join('\n')}\n`))
    return fileSource(log)
  })
})
