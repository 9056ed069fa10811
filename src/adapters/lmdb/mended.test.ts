// Stores of derived data whose files a disk spoilt. A spoilt page may end the process that reads it, so
// every opening is one of its own, and starts again as the supervisor has it.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { monotonicUs } from '../../lib/clock.ts'
import { asideOf, openMended } from './mended.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-lmdb-mended-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const ENTRIES = 120
const MENDED_MS_MAX = 20_000

const module = JSON.stringify(new URL('./index.ts', import.meta.url).href)
/** What a process of its own does with a store of each kind; it prints what it read. */
const scripts = {
  index: `
    const index = await openLmdbDecisionIndex(directory, mend)
    if (fills) await index.put(keys.map((key, i) => ({ key, sequence: i + 1, bodyHash: 'h' + i })), keys.length)
    const read = keys.map((key) => index.get(key)).map((entry) => entry ? [entry.sequence, entry.bodyHash] : null)
    const through = index.through()
    await index.put([{ key: 'more', sequence: 999, bodyHash: 'more' }], through)
    await index.close()
    console.log(JSON.stringify({ through, read }))`,
  cold: `
    const store = await openMendedColdStore(directory, mend)
    const bytes = (i) => new Uint8Array(60).fill(i)
    if (fills) { keys.forEach((key, i) => store.put(key, bytes(i), i)); await store.mark(1) }
    let through = keys.length
    try { store.returnTo(1) } catch (error) {
      if (error.code !== 'cold_store_mark_unknown') throw error
      through = 0
    }
    const read = keys.map((key) => store.get(key)).map((found) => found ? [found[0] + 1, 'h' + found[0]] : null)
    store.put('more', bytes(1), 5)
    await store.mark(2)
    await store.close()
    console.log(JSON.stringify({ through, read }))`,
}
type Kind = keyof typeof scripts

interface Seen {
  readonly through: number
  readonly read: readonly ([number, string] | null)[]
}

function opened(kind: Kind, directory: string, suspicion: string, fills = false) {
  const script = `
    const { openLmdbDecisionIndex, openMendedColdStore } = await import(${module})
    const directory = ${JSON.stringify(directory)}
    const fills = ${fills}
    const mend = { suspicion: ${JSON.stringify(suspicion)}, onDamaged: (said) => console.error(said) }
    const keys = Array.from({ length: ${ENTRIES} }, (_, i) => 'a key of some length ' + i)
    ${scripts[kind]}
    process.exit()`
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { timeout: MENDED_MS_MAX, killSignal: 'SIGKILL' },
  )
  return { status, signal, out: String(stdout), err: String(stderr) }
}

/** Starts until one start reads the store, as often as the supervisor would. */
function mended(kind: Kind, directory: string): Seen {
  let faults = 0
  for (let starts = 1; starts <= 5; starts++) {
    const suspicion = ['none', 'looked-over'][faults] ?? 'spoilt'
    const { status, signal, out, err } = opened(kind, directory, suspicion)
    if (status === 0) return JSON.parse(out) as Seen
    if (signal !== null) faults++
    else expect(err).toMatch(/cold_store_damaged|index_damaged/)
  }
  throw new Error(`${directory} was not mended.`)
}

const whole = {} as Record<Kind, string>
beforeAll(() => {
  for (const kind of ['index', 'cold'] as const) {
    whole[kind] = join(root, kind)
    const { status, err } = opened(kind, whole[kind], 'none', true)
    if (status !== 0) throw new Error(err)
  }
})

const damage = fc.oneof(
  { weight: 1, arbitrary: fc.record({ cutTo: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      flips: fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 })),
        { minLength: 1, maxLength: 8 },
      ),
    }),
  },
)
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never

function spoil(file: string, how: Damage): void {
  const bytes = readFileSync(file)
  if ('cutTo' in how) {
    truncateSync(file, Math.floor(how.cutTo * bytes.length))
    return
  }
  for (const [place, mask] of how.flips) {
    bytes[Math.min(bytes.length - 1, Math.floor(place * bytes.length))] ^= mask
  }
  writeFileSync(file, bytes)
}

let made = 0
test.each(['index', 'cold'] as const)(
  'a store that was spoilt anywhere (%s) opens again in time, and says nothing that was not put there',
  (kind) => {
    fc.assert(
      fc.property(damage, (how) => {
        const directory = join(root, `${kind}-${made++}`)
        cpSync(whole[kind], directory, { recursive: true })
        spoil(join(directory, 'data.mdb'), how)
        const begunUs = monotonicUs()
        const { through, read } = mended(kind, directory)
        expect((monotonicUs() - begunUs) / 1000).toBeLessThan(MENDED_MS_MAX)
        read.forEach((entry, i) => {
          if (entry !== null) expect(entry).toEqual([i + 1, `h${i}`])
        })
        // What was begun anew is empty, and says so: all of it is put there again.
        if (through === 0) expect(read.every((entry) => entry === null)).toBe(true)
      }),
      // Each run starts processes; a failure is told as it is.
      { numRuns: 6, endOnFailure: true },
    )
  },
  300_000,
)

test('a store that could not be read is kept under a name beside it, one at a time', async () => {
  const directory = join(root, 'kept')
  const said: string[] = []
  for (const text of ['first', 'second']) {
    cpSync(whole.index, directory, { recursive: true })
    writeFileSync(join(directory, 'data.mdb'), text)
    await openMended(directory, () => 'open', { onDamaged: (message) => said.push(message) })
    expect(readFileSync(join(asideOf(directory), 'data.mdb'), 'utf8')).toBe(text)
    expect(existsSync(join(directory, 'data.mdb'))).toBe(false)
  }
  expect(said[0]).toContain(`it is kept as ${asideOf(directory)}`)
})

test('what the system refuses is not taken for damage', async () => {
  const directory = join(root, 'refused')
  cpSync(whole.index, directory, { recursive: true })
  const full = () => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }
  await expect(openMended(directory, full)).rejects.toThrow('no space left')
  expect(existsSync(asideOf(directory))).toBe(false)
})

test('a store that is whole is not put aside by being looked over', () => {
  for (const kind of ['index', 'cold'] as const) {
    const { status, err, out } = opened(kind, whole[kind], 'looked-over')
    expect(err).toBe('')
    expect(status).toBe(0)
    expect((JSON.parse(out) as Seen).read).not.toContain(null)
  }
})
