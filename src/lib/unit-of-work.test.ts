import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryUnitOfWork, createTransactionScope } from './unit-of-work.ts'

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

/** A database of one list, whose commits and undos fail as the test says; it counts its commits. */
function listDatabase(fails: { commit?: () => boolean; undo?: () => boolean } = {}) {
  let committed: readonly string[] = []
  let working: readonly string[] | undefined
  let marked: readonly string[] = []
  let commits = 0
  const unit = createTransactionScope({
    begin() {
      working = committed
    },
    mark() {
      marked = working!
    },
    keep() {},
    undo() {
      if (fails.undo?.() === true) throw new Error('nothing is left to undo')
      working = marked
    },
    commit() {
      if (fails.commit?.() === true) throw new Error('the disk failed')
      committed = working!
      commits++
    },
    rollback() {
      working = undefined
    },
    gather: turn,
  })
  return {
    unit,
    committed: () => committed,
    commits: () => commits,
    values: () => working!,
    add(value: string) {
      if (!unit.inTransaction()) throw new Error('outside a transaction')
      working = [...working!, value]
    },
  }
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

describe('transactions that wait at the same time', () => {
  test('share one commit, also with those that ask while it is prepared', async () => {
    const database = listDatabase()
    const write = (value: string) => database.unit.transaction(async () => database.add(value))
    const first = write('a')
    const second = turn().then(() => write('b'))
    await Promise.all([first, second, write('c')])
    expect(database.committed()).toEqual(['a', 'c', 'b'])
    expect(database.commits()).toBe(1)
  })

  test('are answered after the commit alone, effects first', async () => {
    const database = listDatabase()
    const seen: string[] = []
    const write = async (value: string) => {
      await database.unit.transaction(async () => {
        database.add(value)
        database.unit.afterCommit(() => seen.push(`${value}: ${database.committed().join()}`))
      })
      seen.push(`${value} answered`)
    }
    await Promise.all([write('a'), write('b')])
    expect(seen).toEqual(['a: a,b', 'b: a,b', 'a answered', 'b answered'])
  })

  test('fail alone, and are told so when the others are safe', async () => {
    const database = listDatabase()
    const seen: string[] = []
    const failing = database.unit
      .transaction(async () => {
        database.add('half')
        throw new Error('no')
      })
      .catch((error: Error) => seen.push(`${error.message}: ${database.committed().join()}`))
    await Promise.all([failing, database.unit.transaction(async () => database.add('b'))])
    expect(seen).toEqual(['no: b'])
    expect(database.commits()).toBe(1)
  })

  test('are all refused where the commit fails, and the next ones go on', async () => {
    let failures = 1
    const database = listDatabase({ commit: () => failures-- > 0 })
    const seen: string[] = []
    const write = (value: string) =>
      database.unit.transaction(async () => {
        database.add(value)
        database.unit.afterCommit(() => seen.push(value))
      })
    const both = await Promise.allSettled([write('a'), write('b')])
    expect(both.map((one) => one.status)).toEqual(['rejected', 'rejected'])
    await write('c')
    expect([database.committed(), seen]).toEqual([['c'], ['c']])
  })

  test('are all told the cause where one of them cannot be taken back alone', async () => {
    const database = listDatabase({ undo: () => true })
    const write = database.unit.transaction(async () => database.add('a'))
    const failing = database.unit.transaction(async () => {
      throw new Error('the disk is full')
    })
    await expect(write).rejects.toThrow('the disk is full')
    await expect(failing).rejects.toThrow('the disk is full')
    expect(database.committed()).toEqual([])
  })

  test('are bounded in number', async () => {
    const database = listDatabase()
    const writes = Array.from({ length: 200 }, (_, i) =>
      database.unit.transaction(async () => database.add(`${i}`)),
    )
    await Promise.all(writes)
    expect(database.committed()).toEqual(writes.map((_, i) => `${i}`))
    expect(database.commits()).toBeGreaterThanOrEqual(4)
  })
})

/** What one transaction of the law below does, step by step. */
type Step = 'add' | 'fail' | 'turn' | 'inner' | 'caught' | 'unless-odd'

test('transactions that share commits leave and answer what they would one after another', async () => {
  const steps: fc.Arbitrary<Step> = fc.constantFrom(
    'add',
    'add',
    'add',
    'turn',
    'inner',
    'unless-odd',
    'fail',
    'caught',
  )
  const work = fc.record({
    steps: fc.array(steps, { maxLength: 5 }),
    afterTurns: fc.nat({ max: 4 }),
  })
  const bad = fc.array(fc.boolean(), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.array(work, { maxLength: 12 }), bad, async (works, badCommits) => {
      const database = listDatabase({ commit: () => badCommits.shift() === true })
      const asked: number[] = []
      const effects: number[] = []
      const answers = await Promise.allSettled(
        works.map(async ({ steps, afterTurns }, i) => {
          for (let wait = 0; wait < afterTurns; wait++) await turn()
          asked.push(i)
          return database.unit.transaction(async () => {
            database.unit.afterCommit(() => effects.push(i))
            return run(database, i, steps)
          })
        }),
      )
      const naive = createNaive()
      const expected: number[] = []
      for (const i of asked) {
        const answer = answers[i]
        if (answer.status === 'rejected' && answer.reason.message === 'the disk failed') continue
        const alone = await naive.transaction(() => run(naive, i, works[i].steps))
        expect(answer).toEqual(alone)
        if (alone.status === 'fulfilled') expected.push(i)
      }
      expect(database.committed()).toEqual(naive.values())
      expect(effects).toEqual(expected)
    }),
  )
})

interface Values {
  readonly unit: { transaction<T>(work: () => Promise<T>): Promise<T> }
  add(value: string): void
  values(): readonly string[]
}

/** Does the steps and returns how many values there are after each. */
async function run(on: Values, i: number, steps: readonly Step[]): Promise<number[]> {
  const seen: number[] = []
  for (const step of steps) {
    if (step === 'turn') await turn()
    if (step === 'add') on.add(`${i}`)
    if (step === 'inner') await on.unit.transaction(async () => on.add(`inner ${i}`))
    if (step === 'unless-odd' && on.values().length % 2 === 1) throw new Error(`odd for ${i}`)
    if (step === 'fail') throw new Error(`failed ${i}`)
    if (step === 'caught') {
      const inner = on.unit.transaction(async () => {
        throw new Error(`inner failed ${i}`)
      })
      await inner.catch(() => {})
    }
    seen.push(on.values().length)
  }
  return seen
}

/** The oracle: one transaction at a time, the whole state copied before each. */
function createNaive() {
  let values: string[] = []
  let failure: { error: unknown } | undefined
  return {
    values: () => values,
    add: (value: string) => void values.push(value),
    unit: {
      async transaction<T>(work: () => Promise<T>): Promise<T> {
        try {
          return await work()
        } catch (error) {
          failure ??= { error }
          throw error
        }
      },
    },
    async transaction<T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>> {
      const before = [...values]
      failure = undefined
      try {
        const value = await work()
        if (failure !== undefined) throw (failure as { error: unknown }).error
        return { status: 'fulfilled', value }
      } catch (reason) {
        values = before
        return { status: 'rejected', reason }
      }
    },
  }
}
