/** What every store of actions must do. */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ActionStore, DeadLetter } from './action-store.ts'

export interface OpenedActionStore {
  readonly store: ActionStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

const tell = { namespace: 'live', policy: 'card', action: 'tell' }
const file = { ...tell, action: 'file' }
const declared = { name: 'tell', to: { webhook: 'https://example.com/', secret: 'desk' } }

const letter = (sequence: number, over: Partial<DeadLetter> = {}): DeadLetter => ({
  ...tell,
  sequence,
  eventId: `e${sequence}`,
  attempts: 10,
  error: 'HTTP 500',
  diedAtUs: 7,
  redrive: false,
  ...over,
})

export function actionStoreCases(name: string, open: () => Promise<OpenedActionStore>): void {
  const opened = async () => {
    const made = await open()
    onTestFinished(() => made.close?.())
    return made
  }

  describe(`${name} as a store of actions`, () => {
    test('begins an action at its deployment, and keeps its place when it is declared anew', async () => {
      const { store } = await opened()
      await store.declare(tell, declared, 5)
      const [cursor] = await store.cursors()
      expect(cursor).toMatchObject({ ...tell, through: 5, delivered: 0, declared })
      await store.move({ ...cursor, through: 9, attempts: 2, nextAtUs: 3, lastError: 'x' })
      const elsewhere = { name: 'tell', to: { topic: 'decided' }, outcomes: ['decline'] as const }
      await store.declare(tell, elsewhere, 20)
      expect(await store.cursors()).toEqual([
        {
          ...tell,
          through: 9,
          attempts: 2,
          nextAtUs: 3,
          lastError: 'x',
          delivered: 0,
          declared: elsewhere,
          declaredAt: 20,
        },
      ])
    })

    test('a move does not bring back what was declared before', async () => {
      const { store } = await opened()
      await store.declare(tell, declared, 5)
      const [before] = await store.cursors()
      await store.declare(tell, { name: 'tell', to: { file: 'told.ndjson' } }, 8)
      await store.move({ ...before, through: 6 })
      const [after] = await store.cursors()
      expect(after).toMatchObject({ through: 6, declared: { to: { file: 'told.ndjson' } } })
    })

    test('keeps dead letters of each action, oldest first, and pages through them', async () => {
      const { store } = await opened()
      await store.declare(tell, declared, 5)
      const [cursor] = await store.cursors()
      for (const sequence of [12, 7, 9]) await store.move(cursor, letter(sequence))
      await store.saveDead(letter(8, file))
      const sequences = async (query: Parameters<ActionStore['dead']>[0]) =>
        (await store.dead(query)).map(({ sequence }) => sequence)
      expect(await sequences({ of: tell, limit: 2 })).toEqual([7, 9])
      expect(await sequences({ of: tell, afterSequence: 9, limit: 2 })).toEqual([12])
      expect(await sequences({ limit: 10 })).toEqual([7, 8, 9, 12])
      expect(await store.deadCount(tell)).toBe(3)
      await store.removeDead(letter(9))
      expect(await store.deadCount(tell)).toBe(2)
      expect(await store.dead({ of: file, limit: 1 })).toEqual([letter(8, file)])
    })

    test('wants all or some delivered once more', async () => {
      const { store } = await opened()
      for (const sequence of [1, 2, 3]) await store.saveDead(letter(sequence))
      await store.saveDead(letter(2, file))
      expect(await store.askRedrive(tell, [2, 99])).toBe(1)
      const wanted = () => store.dead({ of: tell, redrive: true, limit: 9 })
      expect(await wanted()).toEqual([letter(2, { redrive: true })])
      expect(await store.askRedrive(tell, undefined)).toBe(3)
      expect(await wanted()).toHaveLength(3)
      expect(await store.dead({ of: file, redrive: true, limit: 9 })).toEqual([])
    })

    test('remembers what deployments declare', async () => {
      const { store } = await opened()
      expect(await store.actionsOf('d1')).toBeUndefined()
      await store.keepActions('d1', [declared])
      await store.keepActions('d2', [])
      expect(await store.actionsOf('d1')).toEqual([declared])
      expect(await store.actionsOf('d2')).toEqual([])
    })

    test('what is undone leaves no trace', async () => {
      const { store, unit } = await opened()
      await store.saveDead(letter(1))
      await expect(
        unit.transaction(async () => {
          await store.askRedrive(tell, undefined)
          throw new Error('undone')
        }),
      ).rejects.toThrow('undone')
      expect(await store.dead({ redrive: true, limit: 9 })).toEqual([])
    })
  })
}
