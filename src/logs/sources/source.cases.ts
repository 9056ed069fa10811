// What holds of every source that can be read again.
import { expect, test } from 'vitest'
import type { LogBatch, LogSource } from './port.ts'

/** `make` gives a source of these lines; they are enough for several batches. */
export function sourceCases(
  make: (lines: readonly string[]) => LogSource | Promise<LogSource>,
): void {
  const lines = Array.from({ length: 30_000 }, (_, n) => `line ${n} ${'x'.repeat(n % 40)}`)

  test('all lines come once, in their order, and the last batch says that it is the last', async () => {
    const batches = await Array.fromAsync((await make(lines)).batches())
    expect(batches.flatMap((batch) => batch.lines)).toEqual(lines)
    expect(batches.at(-1)!.isCaughtUp).toBe(true)
    expect(batches.flatMap((batch) => batch.flaws)).toEqual([])
  })

  test('from the place of any batch on come the lines behind it, also when the place was kept as JSON', async () => {
    const source = await make(lines)
    const batches: LogBatch[] = await Array.fromAsync(source.batches())
    expect(batches.length).toBeGreaterThan(3)
    for (const [i, { place }] of batches.entries()) {
      const kept = JSON.parse(JSON.stringify(place)) as LogBatch['place']
      const rest = await Array.fromAsync(source.batches(kept))
      const expected = batches.slice(i + 1).flatMap((batch) => batch.lines)
      expect(rest.flatMap((batch) => batch.lines)).toEqual(expected)
    }
  })

  test('who stops in the middle leaves nothing open', async () => {
    for await (const batch of (await make(lines)).batches()) {
      expect(batch.lines.length).toBeGreaterThan(0)
      break
    }
  })
}
