import { expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { collectEntries } from './opened.cases.ts'
import { createRunViews, runViewLimits, type RunViewStore } from './views.ts'

const ada = { actor: { id: 'id_ada', name: 'Ada', kind: 'person' as const }, reason: 'A test' }
const bea = { actor: { id: 'id_bea', name: 'Bea', kind: 'person' as const }, reason: 'A test' }

/** What every store of saved views does, under the service that uses it. */
export function runViewCases(
  name: string,
  open: () => Promise<{ store: RunViewStore; unit: UnitOfWork }>,
): void {
  async function opened() {
    const { store, unit } = await open()
    const { entries, audit } = collectEntries()
    let made = 0
    const ids = (prefix: string) => `${prefix}_${String((made += 1)).padStart(4, '0')}`
    const clock = manualClock(1_000_000)
    return { views: createRunViews({ store, unit, audit, clock, ids }), store, entries }
  }

  test(`${name}: a view is seen by its owner, and by others once it is shared`, async () => {
    const { views } = await opened()
    await views.save({ name: 'mine', view: 'order=a', shared: false }, ada)
    await views.save({ name: 'all', view: 'filter=b', shared: true }, ada)
    expect((await views.viewsFor('id_ada')).map((one) => one.name)).toEqual(['all', 'mine'])
    expect((await views.viewsFor('id_bea')).map((one) => one.name)).toEqual(['all'])
    expect((await views.viewsFor('id_bea'))[0]).toMatchObject({
      view: 'filter=b',
      shared: true,
      ownerId: 'id_ada',
      savedAtUs: 1_000_000,
    })
  })

  test(`${name}: only its owner removes a view, and both changes are audited`, async () => {
    const { views, entries } = await opened()
    const { id } = await views.save({ name: 'all', view: '', shared: true }, ada)
    await expect(views.remove(id, bea)).rejects.toMatchObject({ code: 'view_not_found' })
    await views.remove(id, ada)
    await expect(views.remove(id, ada)).rejects.toMatchObject({ code: 'view_not_found' })
    expect(await views.viewsFor('id_ada')).toEqual([])
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
      ['tracking.view-saved', 'id_ada'],
      ['tracking.view-removed', 'id_ada'],
    ])
  })

  test(`${name}: texts and numbers of views are bounded`, async () => {
    const { views, store } = await opened()
    const bad = [
      { name: ' ', view: '' },
      { name: 'a'.repeat(runViewLimits.name + 1), view: '' },
      { name: 'a', view: 'a'.repeat(runViewLimits.view + 1) },
    ]
    for (const view of bad) {
      const saving = views.save({ ...view, shared: false }, ada)
      await expect(saving).rejects.toMatchObject({ code: 'view_invalid' })
    }
    for (let i = 0; i < runViewLimits.perOwner; i += 1) {
      await store.insert({
        id: `v${i}`,
        name: `v${i}`,
        view: '',
        shared: false,
        savedAtUs: 0,
        ownerId: 'id_ada',
      })
    }
    const one = { name: 'one more', view: '', shared: false }
    await expect(views.save(one, ada)).rejects.toMatchObject({ code: 'views_full' })
    await views.save(one, { actor: systemActor, reason: 'Another owner' })
  })
}
