// A life of a cold store in numbered steps, the same each time, for tests across processes.
import type { ColdStore } from './cold.ts'

const KEYS = 3_000

/** The keys that steps write. */
export const COLD_STEP_KEYS = Array.from({ length: KEYS }, (_, i) => `0n${i}`)

/** Writes, reads back, removes or expires something: what, the number of the step says alone. */
export function coldStep(store: ColdStore, step: number): void {
  const key = COLD_STEP_KEYS[(step * 7_919) % KEYS]
  // Moved about as the operator does: taken out, then put back.
  if (step % 5 === 0 && store.get(key) !== undefined) store.remove(key)
  if (step % 7 === 0) store.remove(key)
  else {
    const bytes = new Uint8Array((step * step * 31) % 3_001).fill(step)
    // No two expire at once, so that it is plain which goes first.
    const expiresUs = step % 3 === 0 ? step + (step % 97) * 100 + step * 1e-7 : undefined
    store.put(key, bytes, expiresUs)
  }
  if (step % 11 === 0) store.expire(step, 4)
}
