import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { COLD_STEP_KEYS, coldStep } from '../../features/cold-steps.cases.ts'
import { createMemoryColdStore } from '../../features/index.ts'
import { openLmdbColdStore } from './cold-store.ts'

/** Steps between two marks: more than one transaction undoes. */
const MARK_EVERY = 1_500
const OPTIONS = { waitingBytesMax: 200_000 }

/** Returns to a mark and goes on from there, as fast as it can; prints the marks that resolved. */
const writer = `
  import { writeSync } from 'node:fs'
  import { coldStep } from ${JSON.stringify(moduleAt('../../features/cold-steps.cases.ts'))}
  import { openLmdbColdStore } from ${JSON.stringify(moduleAt('./cold-store.ts'))}
  const store = openLmdbColdStore(process.argv[1], ${JSON.stringify(OPTIONS)})
  const from = Number(process.argv[2])
  store.returnTo(from)
  writeSync(1, from + '\\n')
  for (let step = from + 1; ; step++) {
    coldStep(store, step)
    if (step % ${MARK_EVERY} !== 0) continue
    await store.mark(step)
    writeSync(1, step + '\\n')
  }
`

test('a process killed at any time leaves a store that returns to its newest mark', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'assay-cold-crash-'))
  const expected = createMemoryColdStore()
  try {
    let mark = 0
    // A busy machine may need longer to come to a first mark.
    for (let round = 0; round < 8 || (mark === 0 && round < 20); round++) {
      const longer = mark === 0 ? round * 100 : 0
      const acknowledged = await writeAndKill(directory, mark, ((round * 67) % 250) + longer)
      expect(acknowledged).toBeGreaterThanOrEqual(mark)
      for (let step = mark + 1; step <= acknowledged; step++) coldStep(expected, step)
      mark = acknowledged
      const store = openLmdbColdStore(directory, OPTIONS)
      store.returnTo(mark)
      for (const key of COLD_STEP_KEYS) expect(store.get(key)).toEqual(expected.get(key))
      expect(store.statistics()).toEqual(expected.statistics())
      await store.close()
    }
    expect(mark).toBeGreaterThan(0)
  } finally {
    await rm(directory, { recursive: true })
  }
}, 60_000)

/** Runs the writer, kills it so long after its start, and returns the last mark that it printed. */
async function writeAndKill(directory: string, mark: number, forMs: number): Promise<number> {
  const script = ['--input-type=module', '-e', writer, directory, String(mark)]
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const started = new Promise((resolve) => child.stdout.once('data', resolve))
  await Promise.race([started, closed])
  await wait(forMs)
  child.kill('SIGKILL')
  await closed
  // The last line may have been cut short by the kill.
  const whole = output.slice(0, output.lastIndexOf('\n')).split('\n').filter(Boolean)
  return Number(whole.at(-1) ?? mark)
}

function moduleAt(file: string): string {
  return new URL(file, import.meta.url).href
}
