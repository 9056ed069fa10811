// What every DecisionIndex must do, whatever keeps it.
import { expect, test } from 'vitest'
import type { DecisionIndex } from './ports.ts'

/** `reopen` closes nothing by itself; it opens what was last written, or a new index at first. */
export function decisionIndexCases(name: string, create: () => Promise<DecisionIndex>): void {
  const entry = (sequence: number, bodyHash = 'h') => ({ sequence, bodyHash })

  test(`${name}: an empty index has seen nothing`, async () => {
    const index = await create()
    expect(index.through()).toBe(0)
    expect(index.get('a')).toBeUndefined()
    await index.close()
  })

  test(`${name}: what was put is found, and through moves with it`, async () => {
    const index = await create()
    await index.put(
      [
        { key: 'a', ...entry(1) },
        { key: 'b', ...entry(2) },
      ],
      3,
    )
    expect(index.get('a')).toEqual(entry(1))
    expect(index.get('b')).toEqual(entry(2))
    expect(index.through()).toBe(3)
    await index.close()
  })

  test(`${name}: the first entry of a key stays, unless it is to be replaced`, async () => {
    const index = await create()
    await index.put([{ key: 'a', ...entry(1, 'first') }], 1)
    await index.put([{ key: 'a', ...entry(2, 'second') }], 2)
    expect(index.get('a')).toEqual(entry(1, 'first'))
    await index.put([{ key: 'a', ...entry(3, 'third'), replace: true }], 3)
    expect(index.get('a')).toEqual(entry(3, 'third'))
    await index.put(
      [
        { key: 'b', ...entry(4) },
        { key: 'b', ...entry(5) },
      ],
      5,
    )
    expect(index.get('b')).toEqual(entry(4))
    await index.close()
  })

  test(`${name}: keys may be long, and hold any character`, async () => {
    const index = await create()
    const long = `d\u0000policy\u0000${'ü'.repeat(4000)}`
    await index.put(
      [
        { key: long, ...entry(1) },
        { key: `${long}x`, ...entry(2) },
      ],
      2,
    )
    expect(index.get(long)).toEqual(entry(1))
    expect(index.get(`${long}x`)).toEqual(entry(2))
    expect(index.get('d\u0000policy')).toBeUndefined()
    await index.close()
  })

  test(`${name}: clearing forgets everything`, async () => {
    const index = await create()
    await index.put([{ key: 'a', ...entry(1) }], 1)
    await index.clear()
    expect(index.get('a')).toBeUndefined()
    expect(index.through()).toBe(0)
    await index.put([{ key: 'a', ...entry(7) }], 7)
    expect(index.get('a')).toEqual(entry(7))
    await index.close()
  })
}
