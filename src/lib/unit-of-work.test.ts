import { describe, expect, test } from 'vitest'
import { createMemoryUnitOfWork } from './unit-of-work.ts'

function register() {
  let values: string[] = []
  return {
    values: () => values,
    add: (value: string) => {
      values = [...values, value]
    },
    save() {
      const saved = values
      return () => {
        values = saved
      }
    },
  }
}

describe('a unit of work', () => {
  test('undoes every store of the unit when the work fails', async () => {
    const [a, b] = [register(), register()]
    const unit = createMemoryUnitOfWork([a, b])
    const work = unit.transaction(async () => {
      a.add('change')
      b.add('audit entry')
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect([a.values(), b.values()]).toEqual([[], []])
  })

  test('an inner transaction joins the outer one', async () => {
    const a = register()
    const unit = createMemoryUnitOfWork([a])
    const work = unit.transaction(async () => {
      await unit.transaction(async () => a.add('inner'))
      throw new Error('outer')
    })
    await expect(work).rejects.toThrow('outer')
    expect(a.values()).toEqual([])
  })

  test('a failed inner transaction undoes the outer one even where its error is caught', async () => {
    const a = register()
    const unit = createMemoryUnitOfWork([a])
    const work = unit.transaction(async () => {
      a.add('outer')
      await unit
        .transaction(async () => {
          throw new Error('inner')
        })
        .catch(() => {})
    })
    await expect(work).rejects.toThrow('inner')
    expect(a.values()).toEqual([])
  })

  test('transactions that overlap run one after another', async () => {
    const a = register()
    const unit = createMemoryUnitOfWork([a])
    const step = (name: string) =>
      unit.transaction(async () => {
        a.add(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        a.add(`${name} ends`)
      })
    await Promise.all([step('one'), step('two')])
    expect(a.values()).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  })

  test('effects run after the commit, and never after an undo', async () => {
    const a = register()
    const seen: string[] = []
    const unit = createMemoryUnitOfWork([a])
    await unit.transaction(async () => {
      unit.afterCommit(() => seen.push('committed'))
      expect(seen).toEqual([])
    })
    await unit
      .transaction(async () => {
        unit.afterCommit(() => seen.push('undone'))
        throw new Error('no')
      })
      .catch(() => {})
    unit.afterCommit(() => seen.push('outside'))
    expect(seen).toEqual(['committed', 'outside'])
  })

  test('an effect may start a transaction of its own', async () => {
    const a = register()
    const unit = createMemoryUnitOfWork([a])
    let later: Promise<void> | undefined
    await unit.transaction(async () => {
      unit.afterCommit(() => {
        later = unit.transaction(async () => a.add('later'))
      })
    })
    await later
    expect(a.values()).toEqual(['later'])
  })
})
