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
import { constants, crc32, gunzipSync, gzipSync } from 'node:zlib'
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
  const details: string[] = []
  const flaws: string[] = []
  let place: SourcePlace | undefined = from
  for await (const batch of source.batches(from)) {
    lines.push(...batch.lines)
    notices.push(...batch.notices.map(({ kind }) => kind))
    details.push(...batch.notices.map(({ detail }) => detail))
    flaws.push(...batch.flaws.map(({ kind }) => kind))
    place = batch.place
  }
  return { lines, notices, details, flaws, place: place! }
}

/** Files get times in the order in which they were rotated, however fast the test is. */
function aged(file: string, ageSeconds: number): void {
  const at = 1_700_000_000 - ageSeconds
  utimesSync(file, at, at)
}

describe('a file', () => {
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

describe('an archive that is damaged gives every whole line before the damage, and says it', () => {
  const written = Array.from(
    { length: 20_000 },
    (_, n) => `line ${n} ${(n * 2_654_435_761) % 1e9}\n`,
  )
  const packed = gzipSync(written.join(''))
  const whole = written.map((line) => line.trimEnd())
  /** From a file, from a stream, and from a stream in small pieces. */
  async function* readings(content: Buffer) {
    writeFileSync(log, content)
    yield await all(fileSource(log))
    for (const bytes of [content.length, 777]) {
      const pieces = Array.from({ length: Math.ceil(content.length / bytes) }, (_, i) =>
        content.subarray(i * bytes, (i + 1) * bytes),
      )
      yield await all(streamSource('access.log', Readable.from(pieces)))
    }
  }

  test.each([
    ['a letter', 'G'],
    ['a line', 'GARBAGE\n'],
    ['half of a mark', '\u001f?'],
    ['much', 'x'.repeat(100_000)],
  ])('behind a whole member (%s)', async (_name, garbage) => {
    for await (const read of readings(Buffer.concat([packed, Buffer.from(garbage)]))) {
      expect(read.lines).toEqual(whole)
      const at = written.join('').length
      expect(read.details).toEqual([`access.log is damaged after byte ${at} of its content.`])
      expect(read.flaws).toEqual([])
    }
  })

  test.each([5000, 8, 1])('where its last %i bytes are missing', async (missing) => {
    for await (const read of readings(packed.subarray(0, -missing))) {
      expect(read.lines).toEqual(whole.slice(0, read.lines.length))
      expect(read.lines.length).toBeGreaterThan(15_000)
      expect(read.notices).toEqual(['damaged'])
      expect(read.details[0]).toContain('access.log is cut off after byte ')
      expect(read.flaws).toEqual(missing === 5000 ? ['broken'] : [])
    }
  })

  test('in its middle, but for the last 32 KiB at most', async () => {
    const spoilt = Buffer.from(packed).fill(0xff, 50_000, 52_000)
    for await (const read of readings(spoilt)) {
      // The bits that are wrong may still mean something.
      const given = read.lines.findIndex((line, i) => line !== whole[i])
      const right = given < 0 ? read.lines.length : given
      const last = gunzipSync(packed.subarray(0, 50_000), { finishFlush: constants.Z_SYNC_FLUSH })
      const before = whole.slice(0, right).join('\n').length
      expect(before).toBeGreaterThan(last.length - 33_000)
      expect(read.details[0]).toContain('access.log is damaged after byte ')
    }
  })

  test('and a line that had begun there is read once the archive is whole', async () => {
    writeFileSync(log, packed.subarray(0, -5000))
    const first = await all(fileSource(log))
    writeFileSync(log, packed)
    const { lines } = await all(fileSource(log), first.place)
    expect([...first.lines, ...lines]).toEqual(whole)
  })
})

test('members of an archive are read one after the other, and zeros behind them are nothing', async () => {
  const named = gzipSync(text(3, 6))
  // A header with a name, a comment, further fields and a checksum of itself.
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 7, 7]),
    Buffer.from('access.log\0a comment\0'),
  ])
  const own = Buffer.alloc(2)
  own.writeUInt16LE(crc32(header) & 0xffff)
  const members = [gzipSync(text(0, 3)), header, own, named.subarray(10), Buffer.alloc(512)]
  writeFileSync(log, Buffer.concat(members))
  const { lines, notices } = await all(fileSource(log))
  expect(numbers(lines)).toEqual(upTo(0, 6))
  expect(notices).toEqual([])
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
