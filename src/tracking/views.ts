// Saved views: a name for a way of looking at the table of runs. A view is a person's own, seen by
// that person alone or by all; only its owner removes it.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Restorable, UnitOfWork } from '../lib/unit-of-work.ts'
import { trackingErrors } from './errors.ts'

export interface RunView {
  readonly id: string
  readonly name: string
  /** What the page writes into its address; to Assay a text. */
  readonly view: string
  readonly shared: boolean
  readonly ownerId: string
  readonly savedAtUs: number
}

export interface RunViewStore {
  insert(view: RunView): Promise<void>
  view(id: string): Promise<RunView | undefined>
  /** Those of an owner and those that are shared, by name. */
  viewsFor(ownerId: string): Promise<RunView[]>
  remove(id: string): Promise<void>
}

export interface RunViews {
  viewsFor(ownerId: string): Promise<RunView[]>
  /** Errors: `view_invalid`, `views_full`. */
  save(view: Pick<RunView, 'name' | 'view' | 'shared'>, by: ChangeBy): Promise<RunView>
  /** Errors: `view_not_found`, also where it is somebody else's. */
  remove(id: string, by: ChangeBy): Promise<void>
}

/** Texts in characters. */
export const runViewLimits = { name: 100, view: 16_000, perOwner: 200 }

export function createRunViews(dependencies: {
  readonly store: RunViewStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}): RunViews {
  const { store, unit, audit, clock, ids } = dependencies

  const record = (by: ChangeBy, action: string, { id, name, shared }: RunView) =>
    audit.append({
      actor: by.actor.id,
      action: `tracking.${action}`,
      object: { kind: 'run-view', id },
      reason: requireReason(by),
      details: { name, shared },
    })

  return {
    viewsFor: (ownerId) => store.viewsFor(ownerId),

    async save({ name, view, shared }, by) {
      check('name', name.trim(), 1, runViewLimits.name)
      check('view', view, 0, runViewLimits.view)
      return unit.transaction(async () => {
        const own = (await store.viewsFor(by.actor.id)).filter(
          ({ ownerId }) => ownerId === by.actor.id,
        )
        if (own.length >= runViewLimits.perOwner) {
          throw trackingErrors.views_full(`${by.actor.name} has ${own.length} saved views.`)
        }
        const saved: RunView = {
          id: ids('view'),
          name: name.trim(),
          view,
          shared,
          ownerId: by.actor.id,
          savedAtUs: clock.nowUs(),
        }
        await store.insert(saved)
        await record(by, 'view-saved', saved)
        return saved
      })
    },

    async remove(id, by) {
      await unit.transaction(async () => {
        const known = await store.view(id)
        if (known === undefined || known.ownerId !== by.actor.id) {
          throw trackingErrors.view_not_found(`${by.actor.name} has no saved view ${id}.`)
        }
        await store.remove(id)
        await record(by, 'view-removed', known)
      })
    },
  }
}

function check(what: string, text: string, from: number, to: number): void {
  if (text.length >= from && text.length <= to) return
  throw trackingErrors.view_invalid(
    `The ${what} of a saved view has ${from} to ${to} characters, not ${text.length}.`,
  )
}

/** The simplest right store. */
export function createMemoryRunViews(): RunViewStore & Restorable {
  let views = new Map<string, RunView>()
  return {
    save() {
      const saved = new Map(views)
      return () => {
        views = saved
      }
    },
    async insert(view) {
      views.set(view.id, view)
    },
    view: async (id) => views.get(id),
    viewsFor: async (ownerId) =>
      [...views.values()]
        .filter((view) => view.shared || view.ownerId === ownerId)
        .sort((a, b) => order(a.name, b.name) || order(a.id, b.id)),
    async remove(id) {
      views.delete(id)
    },
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
