/**
 * What every deployment store must do. An adapter's test calls `deploymentStoreCases` with a way to
 * open an empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { DeploymentStore } from './ports.ts'
import type { Deployment } from './types.ts'

export interface OpenedDeploymentStore {
  readonly store: DeploymentStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function deploymentStoreCases(
  name: string,
  open: () => Promise<OpenedDeploymentStore>,
): void {
  describe(`${name} as a deployment store`, () => {
    let opened: OpenedDeploymentStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened.close?.()
    })

    const deployment = (id: string, fromUs: number, policy = 'card-fraud'): Deployment => {
      return {
        id,
        policy,
        policyHash: 'p1',
        document: `d-${id}`,
        model: 'card-fraud',
        version: 1,
        modelHash: 'm1',
        thresholds: { decline: 0.1 + 0.2, review: 0.25 },
        action: 'deploy',
        actorId: 'i1',
        actorName: 'Ada',
        reason: 'Better',
        fromUs,
        binding: 'b1',
      }
    }

    test('knows the live one, the history, and what was live at any instant', async () => {
      const { store } = opened
      await store.insert(deployment('1', 10))
      await store.close('1', 20)
      await store.insert(deployment('2', 20))
      await store.insert(deployment('3', 15, 'other'))
      const first = { ...deployment('1', 10), toUs: 20 }
      expect(await store.current('card-fraud')).toEqual(deployment('2', 20))
      expect(await store.history('card-fraud')).toEqual([deployment('2', 20), first])
      expect((await store.history()).map((d) => d.id)).toEqual(['3', '2', '1'])
      const idAt = async (us: number) => (await store.at('card-fraud', us))?.id
      expect([
        await idAt(9),
        await idAt(10),
        await idAt(19),
        await idAt(20),
        await idAt(99),
      ]).toEqual([undefined, '1', '1', '2', '2'])
      expect(await store.current('unknown')).toBeUndefined()
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      await store.insert(deployment('1', 10))
      const work = unit.transaction(async () => {
        await store.close('1', 20)
        await store.insert(deployment('2', 20))
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.history()).toEqual([deployment('1', 10)])
    })
  })
}
