/**
 * What every governance store must do. An adapter's test calls `governanceStoreCases` with a way to
 * open an empty store together with its unit of work.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contentHash } from '../lib/hash.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { compileGatePolicy, gatePolicy } from './policy.ts'
import type { GovernanceStore } from './ports.ts'
import { sampleEvidence } from './evidence.cases.ts'
import type { Approval, GateRun, InventoryEntry } from './types.ts'

export interface OpenedGovernanceStore {
  readonly store: GovernanceStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

export function governanceStoreCases(
  name: string,
  open: () => Promise<OpenedGovernanceStore>,
): void {
  describe(`${name} as a governance store`, () => {
    let opened: OpenedGovernanceStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened.close?.()
    })

    const gate = compileGatePolicy(
      gatePolicy('gate', { minimum: { roc_auc: 0.8 }, card: 'complete', approvals: 2 }),
    )
    const entry = (model: string): InventoryEntry => {
      return {
        model,
        project: 'bank',
        example: false,
        owner: 'Fraud analytics',
        purpose: 'Stop fraud',
        tier: 'high',
        tierRationale: 'It stops payments',
        gate: 'gate',
        gateHash: gate.version,
        updatedAtUs: 1,
      }
    }
    const run = (id: string, version: number): GateRun => {
      const evidence = { ...sampleEvidence(), version }
      return {
        id,
        model: evidence.model,
        version,
        versionHash: evidence.versionHash,
        gate: 'gate',
        gateHash: gate.version,
        evidenceHash: contentHash(evidence),
        passed: true,
        checks: [],
        evidence,
        ranAtUs: 3,
        ranBy: 'i1',
      }
    }
    const approval = (id: string): Approval => {
      return {
        id,
        model: 'card-fraud',
        version: 1,
        verdict: 'approve',
        reason: 'Good',
        identityId: 'i2',
        identityName: 'Bob',
        identityKind: 'person',
        atUs: 4,
        binds: 'b',
      }
    }

    test('keeps a gate once, by its content', async () => {
      const { store } = opened
      await store.putGate(gate)
      await store.putGate(gate)
      expect(await store.gate(gate.version)).toEqual(gate)
      expect(await store.gate('other')).toBeUndefined()
    })

    test('replaces inventory entries and lists them by model', async () => {
      const { store } = opened
      await store.putInventory(entry('b'))
      await store.putInventory(entry('a'))
      await store.putInventory({ ...entry('b'), owner: 'Someone else' })
      expect(await store.inventory()).toEqual([
        entry('a'),
        { ...entry('b'), owner: 'Someone else' },
      ])
      expect(await store.inventoryEntry('c')).toBeUndefined()
    })

    test('keeps every gate run with evidence whose hash is unchanged', async () => {
      const { store } = opened
      for (const [id, version] of [
        ['g1', 1],
        ['g2', 1],
        ['g3', 2],
      ] as const) {
        await store.insertGateRun(run(id, version))
      }
      const ids = async (version?: number) =>
        (await store.gateRuns('card-fraud', version)).map((r) => r.id)
      expect(await ids()).toEqual(['g3', 'g2', 'g1'])
      expect(await ids(1)).toEqual(['g2', 'g1'])
      const latest = await store.latestGateRun('card-fraud', 1)
      expect(latest).toEqual(run('g2', 1))
      expect(contentHash(latest?.evidence)).toBe(latest?.evidenceHash)
      expect(await store.latestGateRun('card-fraud', 9)).toBeUndefined()
    })

    test('keeps approvals in order, of their version alone', async () => {
      const { store } = opened
      await store.insertApproval(approval('a1'))
      await store.insertApproval({ ...approval('a3'), version: 2 })
      await store.insertApproval(approval('a2'))
      expect(await store.approvals('card-fraud', 1)).toEqual([approval('a1'), approval('a2')])
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      const work = unit.transaction(async () => {
        await store.putInventory(entry('a'))
        await store.insertApproval(approval('a1'))
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.inventory()).toEqual([])
      expect(await store.approvals('card-fraud', 1)).toEqual([])
    })
  })
}
