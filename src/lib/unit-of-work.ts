import { AsyncLocalStorage } from 'node:async_hooks'
import { monotonicUs } from './clock.ts'

/**
 * One transaction over every store that shares a database.
 *
 * A change and its audit entry are committed together or not at all. Stores do not hand a
 * transaction around: while `transaction(work)` runs, everything that `work` does to a store of the
 * same unit belongs to it, and an inner `transaction` joins the outer one. So services of several
 * rooms compose without knowing of each other.
 *
 * Transactions run one after another, each on what the ones before it left. An error thrown by an
 * inner transaction undoes the outer one too, even where the outer work catches it: half a change is
 * never committed.
 *
 * Those that wait at the same time share one commit, and none is answered before it. So a work may
 * wait for its stores alone: waiting for the answer to another transaction it could wait for ever,
 * and waiting for a file or a network it holds up the others.
 */
export interface UnitOfWork {
  /** Runs `work` in one transaction; resolves once it is on disk. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /**
   * Runs `effect` after the surrounding transaction is on disk, and never if it was undone; outside
   * a transaction it runs at once. Events to other rooms leave through here.
   */
  afterCommit(effect: () => void): void
}

/** What a database does for works that share a commit and can each be undone alone. */
export interface TransactionSteps {
  begin(): void
  /** A work begins: what it does can be taken back without what was done before it. */
  mark(): void
  /** The work that began last stays, if the commit succeeds. */
  keep(): void
  /** Takes back the work that began last. Throws where the database has undone the others too. */
  undo(): void
  commit(): void
  /** Takes back everything since `begin`, also where `begin` failed or nothing is left of it. */
  rollback(): void
  /** Resolves when those who are about to ask have asked; without it a commit waits for nobody. */
  gather?(): Promise<void>
}

export interface TransactionScope extends UnitOfWork {
  /** Whether the calling code runs inside an open transaction. */
  inTransaction(): boolean
}

/** A commit is shared by at most so many works, and none of them begins later than so. */
const groupWorksMax = 64
const groupUs = 20_000

/** What one caller asked for, until that caller is answered. */
interface Transaction {
  /** Runs a function where the caller was: what else travels with asynchronous calls goes along. */
  readonly enter: <T>(run: () => T) => T
  readonly work: () => Promise<unknown>
  readonly succeed: (result: unknown) => void
  readonly fail: (error: unknown) => void
  readonly effects: (() => void)[]
  open: boolean
  failure: { readonly error: unknown } | undefined
  result: unknown
}

/**
 * The queue, the shared commits, the joining and the effects; `steps` say what a transaction is in
 * one technology.
 */
export function createTransactionScope(steps: TransactionSteps): TransactionScope {
  const ambient = new AsyncLocalStorage<Transaction>()
  const waiting: Transaction[] = []
  let isRunning = false

  function current(): Transaction | undefined {
    const transaction = ambient.getStore()
    return transaction?.open === true ? transaction : undefined
  }

  async function runWaiting(): Promise<void> {
    while (waiting.length > 0) await runGroup()
    isRunning = false
  }

  /** One transaction of the database: works one after another, a commit, then all the answers. */
  async function runGroup(): Promise<void> {
    const group: Transaction[] = []
    try {
      const startedUs = monotonicUs()
      let hasGathered = false
      while (group.length < groupWorksMax && monotonicUs() - startedUs < groupUs) {
        if (waiting.length === 0 && !hasGathered) {
          hasGathered = true
          await steps.gather?.()
        }
        const transaction = waiting.shift()
        if (transaction === undefined) break
        group.push(transaction)
        if (group.length === 1) steps.begin()
        await runWork(transaction)
      }
      steps.commit()
    } catch (error) {
      // Even one that failed by itself: what it found may have been undone with the others.
      for (const transaction of group) transaction.fail(error)
      steps.rollback()
      return
    }
    for (const transaction of group) answer(transaction)
  }

  /** Runs one work and keeps it or takes it back; throws where the whole group is lost. */
  async function runWork(transaction: Transaction): Promise<void> {
    steps.mark()
    try {
      transaction.open = true
      transaction.result = await transaction.enter(() => ambient.run(transaction, transaction.work))
    } catch (error) {
      transaction.failure = { error }
    }
    transaction.open = false
    if (transaction.failure === undefined) return steps.keep()
    try {
      steps.undo()
    } catch {
      // What made the work fail has undone the others too, so it is what they are told.
      throw transaction.failure.error
    }
  }

  async function joined<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      transaction.failure ??= { error }
      throw error
    }
  }

  return {
    inTransaction: () => current() !== undefined,
    transaction<T>(work: () => Promise<T>) {
      const transaction = current()
      if (transaction !== undefined) return joined(transaction, work)
      return new Promise<T>((resolve, reject) => {
        waiting.push({
          enter: AsyncLocalStorage.snapshot(),
          work,
          succeed: (result) => resolve(result as T),
          fail: reject,
          effects: [],
          open: false,
          failure: undefined,
          result: undefined,
        })
        if (isRunning) return
        isRunning = true
        queueMicrotask(() => void runWaiting())
      })
    },
    afterCommit(effect) {
      const transaction = current()
      if (transaction === undefined) effect()
      else transaction.effects.push(effect)
    },
  }
}

function answer({ enter, effects, failure, result, succeed, fail }: Transaction): void {
  if (failure !== undefined) return fail(failure.error)
  enter(() => effects.forEach(runEffect))
  succeed(result)
}

/**
 * The change is on disk whatever an effect does, so an effect that throws is a defect: it stops the
 * process, and neither the other effects nor the caller are told that the change failed.
 */
function runEffect(effect: () => void): void {
  try {
    effect()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** A store that can take back what a failed transaction did to it (the in-memory stores). */
export interface Restorable {
  /** Remembers the present state; the returned function restores it. */
  save(): () => void
}

/** Transactions over in-memory stores: what a failed one did is put back. */
export function createMemoryUnitOfWork(stores: readonly Restorable[]): UnitOfWork {
  const save = () => {
    const restore = stores.map((store) => store.save())
    return () => restore.forEach((undo) => undo())
  }
  let undo = () => {}
  return createTransactionScope({
    begin: () => {},
    mark: () => {
      undo = save()
    },
    keep: () => {},
    undo: () => undo(),
    commit: () => {},
    // Nothing above fails, so nothing is ever taken back but the work that ran last.
    rollback: () => {},
  })
}
