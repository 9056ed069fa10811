import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 120_000 })

const moduleAt = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

/** Counts a log and writes each final slot down; kept after every batch. Ends itself without warning after `left`. */
const program = `
  import { appendFileSync } from 'node:fs'
  import { VisitorRun } from ${moduleAt('run.ts')}
  import { fileSource } from ${moduleAt('../sources/files.ts')}
  import { nodeFiles } from ${moduleAt('../../lib/files.ts')}
  const [, log, state, out, left] = process.argv
  let steps = Number(left)
  const files = {
    ...nodeFiles,
    // Just before, or just after, the new state gets its name.
    async rename(from, to) {
      if (--steps === 0) process.kill(process.pid, 'SIGKILL')
      await nodeFiles.rename(from, to)
      if (--steps === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
  const run = await VisitorRun.of({
    source: fileSource(log),
    count: { everyUs: 60_000_000, windowUs: 600_000_000, by: ['path'], latenessUs: 30_000_000 },
    read: {},
    keep: { file: state, files, everyUs: 0, nowUs: () => 0 },
  })
  for await (const { results } of run.steps()) {
    for (const result of results) appendFileSync(out, JSON.stringify(result) + '\\n')
  }
`

function count(log: string, state: string, out: string, stepsLeft: number): Promise<string | null> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, log, state, out, String(stepsLeft)],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)))
}

/** A slot as it was told last; told twice as final, it must be the same. */
function told(out: string): Map<number, string> {
  const slots = new Map<number, string>()
  for (const line of readFileSync(out, 'utf8').trimEnd().split('\n')) {
    const { to, isFinal } = JSON.parse(line) as { to: number; isFinal: boolean }
    const before = slots.get(to)
    if (before !== undefined && isFinal) expect(line).toBe(before)
    slots.set(to, line)
  }
  return slots
}

test('a count that is killed at any save goes on and ends with what it would have been', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-visitors-'))
  try {
    const log = join(folder, 'access.log')
    const lines = Array.from({ length: 20_000 }, (_, n) => {
      const seconds = Math.floor(n / 10)
      const time = [10 + Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
      const clock = time.map((part) => String(part).padStart(2, '0')).join(':')
      return `10.0.${n % 7}.${(n * 31) % 250} - - [17/May/2026:${clock} +0000] "GET /${n % 40} HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11; Linux)"\n`
    })
    writeFileSync(log, lines.join(''))
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')]
    expect(await count(log, `${whole}.state`, whole, Infinity)).toBeNull()
    let kills = 0
    for (
      let left = 1;
      (await count(log, `${broken}.state`, broken, left)) === 'SIGKILL';
      left += 3
    ) {
      kills++
    }
    expect(kills).toBeGreaterThan(1)
    expect([...told(broken).values()]).toEqual([...told(whole).values()])
    expect(readFileSync(`${broken}.state`, 'utf8')).toBe(readFileSync(`${whole}.state`, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
