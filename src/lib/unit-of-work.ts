import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * One transaction over every store that shares a database.
 *
 * A change and its audit entry are committed together or not at all. Stores do not hand a
 * transaction around: while `transaction(work)` runs, everything that `work` does to a store of the
 * same unit belongs to it, and an inner `transaction` joins the outer one. So services of several
 * rooms compose without knowing of each other.
 *
 * Transactions run one after another. An error thrown by an inner transaction undoes the outer one
 * too, even where the outer work catches it: half a change is never committed.
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

/** What a database does when the outermost transaction begins and ends. */
export interface TransactionSteps {
  begin(): void | Promise<void>
  commit(): void | Promise<void>
  rollback(): void | Promise<void>
}

export interface TransactionScope extends UnitOfWork {
  /** Whether the calling code runs inside an open transaction. */
  inTransaction(): boolean
}

interface OpenTransaction {
  open: boolean
  failure: { readonly error: unknown } | undefined
  readonly effects: (() => void)[]
}

/** The queue, the joining and the effects; `steps` say what a transaction is in one technology. */
export function createTransactionScope(steps: TransactionSteps): TransactionScope {
  const ambient = new AsyncLocalStorage<OpenTransaction>()
  let last: Promise<unknown> = Promise.resolve()

  function current(): OpenTransaction | undefined {
    const transaction = ambient.getStore()
    return transaction?.open === true ? transaction : undefined
  }

  async function outermost<T>(work: () => Promise<T>): Promise<T> {
    const transaction: OpenTransaction = { open: true, failure: undefined, effects: [] }
    await steps.begin()
    let result: T
    try {
      result = await ambient.run(transaction, work)
      if (transaction.failure !== undefined) throw transaction.failure.error
      transaction.open = false
      await steps.commit()
    } catch (error) {
      transaction.open = false
      await steps.rollback()
      throw error
    }
    ambient.exit(() => transaction.effects.forEach(runEffect))
    return result
  }

  async function joined<T>(transaction: OpenTransaction, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      transaction.failure ??= { error }
      throw error
    }
  }

  return {
    inTransaction: () => current() !== undefined,
    transaction(work) {
      const transaction = current()
      if (transaction !== undefined) return joined(transaction, work)
      const running = last.then(() => ambient.exit(() => outermost(work)))
      last = running.catch(() => {})
      return running
    },
    afterCommit(effect) {
      const transaction = current()
      if (transaction === undefined) effect()
      else transaction.effects.push(effect)
    },
  }
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
  let restore: (() => void)[] = []
  return createTransactionScope({
    begin: () => {
      restore = stores.map((store) => store.save())
    },
    commit: () => {},
    rollback: () => restore.forEach((undo) => undo()),
  })
}
