import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeFiles } from './files.ts'
import { openJournal } from './journal.ts'

/**
 * Appends as fast as it can, a few hundred at a time, and prints what is acknowledged. A record
 * says which sequence it has, so that the reader can tell a lost record from a doubled one.
 */
const writer = `
  import { openJournal } from ${JSON.stringify(new URL('journal.ts', import.meta.url).href)}
  import { nodeFiles } from ${JSON.stringify(new URL('files.ts', import.meta.url).href)}
  import { writeSync } from 'node:fs'
  const journal = await openJournal({
    directory: process.argv[1], files: nodeFiles, segmentBytes: 300_000,
  })
  for (;;) {
    let last
    for (let i = 0; i < 1 + (journal.lastSequence % 300); i++) {
      const text = String(journal.lastSequence + 1).padEnd(50 + (journal.lastSequence % 400), '.')
      last = journal.append(new TextEncoder().encode(text))
    }
    const { sequence } = last
    void last.durable.then(() => writeSync(1, sequence + '\\n'))
    if (journal.lastSequence - journal.durableSequence > 2000) await last.durable
    await new Promise((resolve) => setImmediate(resolve))
  }
`

/** Runs the writer for a while, kills it without warning, and returns the last acknowledged. */
async function writeAndKill(directory: string, forMs: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
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
  return whole.length === 0 ? 0 : Number(whole.at(-1))
}

test('a process killed at any time loses nothing that it acknowledged', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'assay-journal-'))
  try {
    let acknowledgedEver = 0
    for (let round = 0; round < 6; round++) {
      const acknowledged = await writeAndKill(directory, (round * 37) % 90)
      expect(acknowledged).toBeGreaterThan(acknowledgedEver)
      acknowledgedEver = acknowledged
      const journal = await openJournal({ directory, files: nodeFiles })
      let expected = 1
      for await (const { sequence, payload } of journal.read()) {
        expect(sequence).toBe(expected)
        expect(Number.parseInt(new TextDecoder().decode(payload), 10)).toBe(sequence)
        expected++
      }
      expect(journal.lastSequence).toBe(expected - 1)
      expect(journal.lastSequence).toBeGreaterThanOrEqual(acknowledged)
      await journal.close()
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})
