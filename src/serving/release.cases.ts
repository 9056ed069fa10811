/**
 * The laws of the road from candidate to live, through access, registry, governance and serving
 * together. An adapter's test calls `releaseCases` with a way to open empty stores of one unit.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compileGatePolicy } from '../governance/index.ts'
import { comparisonWith, declared, gate, openBank, type ReleaseStores } from './bank.cases.ts'

export function releaseCases(name: string, open: () => Promise<ReleaseStores>): void {
  describe(`a release over ${name}`, () => {
    let stores: ReleaseStores
    beforeEach(async () => {
      stores = await open()
    })
    afterEach(async () => {
      await stores.close?.()
    })
    const code = (expected: string) => expect.objectContaining({ code: expected })

    test('goes from candidate over gate and two approvals to live', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      expect(await bank.standing(version)).toMatchObject({ state: 'not-gated', given: 0 })
      const run = await bank.examine(bank.evidenceOf(version))
      expect(run.passed).toBe(true)
      expect((await bank.approve(version, bank.people.first)).state).toBe('awaiting-approval')
      expect(await bank.status(version)).toBe('candidate')
      expect((await bank.approve(version, bank.people.second)).message).toBe(
        'Approved by Ann and Ben.',
      )
      expect(await bank.status(version)).toBe('approved')
      const deployment = await bank.deploy(version)
      expect(deployment.thresholds).toEqual({ decline: 0.8, review: 0.4 })
      expect(await bank.status(version)).toBe('live')
      expect(await bank.deployments.current('card-fraud')).toEqual(deployment)
      expect(await bank.registry.liveHistory('card-fraud')).toMatchObject([
        { version: 1, policy: 'card-fraud', fromUs: bank.clock.nowUs() },
      ])
      expect(bank.events).toContain('governance.version-approved')
      expect(bank.events.at(-1)).toBe('serving.deployment-changed')
    })

    test('audits every step, with the hashes that it was about', async () => {
      const bank = await openBank(stores)
      const version = await bank.approved('trees')
      await bank.deploy(version)
      const entries = await bank.log.list({ limit: 100 })
      const actions = entries.map(({ entry }) => entry.action).reverse()
      expect(actions.filter((action) => !action.startsWith('access.'))).toEqual([
        'governance.enrolled',
        'registry.model-created',
        'registry.version-registered',
        'governance.gate-passed',
        'governance.approved',
        'governance.approved',
        'registry.version-status-changed',
        'registry.version-status-changed',
        'serving.deployed',
      ])
      const approval = entries.find(({ entry }) => entry.action === 'governance.approved')
      expect(approval?.entry.details).toMatchObject({
        version: version.hash,
        gateHash: gate.version,
      })
    })

    test('refuses a version whose gate fails, and keeps it with the reason', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('logistic')
      const metrics = { average_precision: { value: 0.41 } }
      await bank.examine(bank.evidenceOf(version, { metrics }))
      expect(await bank.registry.version('card-fraud', 1)).toMatchObject({
        status: 'refused',
        statusReason:
          'card-fraud-gate: average_precision is 0.410; the gate asks for at least 0.5.',
      })
      const verdict = bank.approve(version, bank.people.first)
      await expect(verdict).rejects.toEqual(code('approval_not_awaited'))
      await expect(bank.deploy(version)).rejects.toEqual(code('not_approved'))
    })

    test('takes no evidence with a figure that is no number', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      const metrics = { average_precision: { value: NaN } }
      const run = bank.examine(bank.evidenceOf(version, { metrics }))
      await expect(run).rejects.toEqual(code('evidence_invalid'))
    })

    test('takes no evidence about another version record', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      const run = bank.examine(bank.evidenceOf(version, { versionHash: 'other' }))
      await expect(run).rejects.toEqual(code('evidence_mismatch'))
    })

    test('deploys nothing that lacks an approval, and says what is missing', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      await expect(bank.deploy(version)).rejects.toThrow('Its gate was not run yet.')
      await bank.examine(bank.evidenceOf(version))
      await bank.approve(version, bank.people.first)
      await expect(bank.deploy(version)).rejects.toThrow('1 of 2 approvals are given.')
      expect(await bank.deployments.current('card-fraud')).toBeUndefined()
    })

    test('lets nobody approve their own work, nor twice, nor without the role', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      await bank.examine(bank.evidenceOf(version))
      const { trainer, registrar, first, reader } = bank.people
      await expect(bank.approve(version, trainer)).rejects.toEqual(code('approval_self'))
      await expect(bank.approve(version, registrar)).rejects.toEqual(code('approval_self'))
      await expect(bank.approve(version, reader)).rejects.toEqual(code('forbidden'))
      await bank.approve(version, first)
      await expect(bank.approve(version, first)).rejects.toEqual(code('approval_twice'))
      expect((await bank.standing(version)).given).toBe(1)
      const obstacle = await bank.governance.verdictObstacle('card-fraud', 1, trainer.id)
      expect(obstacle).toBe('Tess trained or registered card-fraud version 1.')
    })

    test('takes a script for an approver in an example alone, and marks it', async () => {
      const real = await openBank(stores)
      const version = await real.register('trees')
      await real.examine(real.evidenceOf(version))
      const verdict = real.approve(version, real.people.script)
      await expect(verdict).rejects.toEqual(code('approval_by_script'))
      await expect(real.enrol(gate, true)).rejects.toEqual(code('example_flag_fixed'))
    })

    test('watermarks what a script approved, and voids it when the project turns real', async () => {
      const bank = await openBank(stores, true)
      const version = await bank.register('trees')
      await bank.examine(bank.evidenceOf(version))
      await bank.approve(version, bank.people.script)
      const standing = await bank.approve(version, bank.people.second)
      expect(standing).toMatchObject({
        state: 'approved',
        watermark: 'Example: approved by a script',
      })
      const card = await bank.governance.card('card-fraud', 1)
      expect(card).toMatchObject({ missing: [], watermark: 'Example: approved by a script' })
      await bank.enrol(gate, false)
      expect(await bank.standing(version)).toMatchObject({ state: 'awaiting-approval', given: 1 })
      expect(await bank.status(version)).toBe('candidate')
    })

    test('voids approvals when the gate changes', async () => {
      const bank = await openBank(stores)
      const version = await bank.approved('trees')
      await bank.enrol(compileGatePolicy({ ...declared, minimum: { average_precision: 0.51 } }))
      const standing = await bank.standing(version)
      expect(standing).toMatchObject({ state: 'not-gated', given: 0 })
      expect(standing.approvals.every((approval) => !approval.counts)).toBe(true)
      expect(await bank.status(version)).toBe('candidate')
      expect(bank.events.at(-1)).toBe('governance.approvals-voided')
      await bank.examine(bank.evidenceOf(version))
      expect(await bank.standing(version)).toMatchObject({ state: 'awaiting-approval', given: 0 })
      await expect(bank.deploy(version)).rejects.toEqual(code('not_approved'))
    })

    test('voids approvals when the evidence changes, and only then', async () => {
      const bank = await openBank(stores)
      const version = await bank.approved('trees')
      await bank.examine(bank.evidenceOf(version))
      expect((await bank.standing(version)).state).toBe('approved')
      const changed = bank.evidenceOf(version, { measuredOn: { transactions: 's2' } })
      await bank.examine(changed)
      expect(await bank.standing(version)).toMatchObject({ state: 'awaiting-approval', given: 0 })
      expect(await bank.status(version)).toBe('candidate')
    })

    test('takes no verdict on what the approver did not see', async () => {
      const bank = await openBank(stores)
      const version = await bank.register('trees')
      await bank.examine(bank.evidenceOf(version))
      const { binding } = await bank.standing(version)
      await bank.examine(bank.evidenceOf(version, { measuredOn: { transactions: 's2' } }))
      const verdict = bank.approve(version, bank.people.first, binding)
      await expect(verdict).rejects.toEqual(code('approval_outdated'))
    })

    test('lets one person refuse, also after others approved', async () => {
      const bank = await openBank(stores)
      const version = await bank.approved('trees')
      const standing = await bank.governance.giveVerdict(
        { model: 'card-fraud', version: 1, verdict: 'refuse', reason: 'Leaks the label' },
        bank.people.second.id,
      )
      expect(standing).toMatchObject({
        state: 'refused',
        message: 'Refused by Ben: Leaks the label',
        given: 1,
      })
      expect(await bank.status(version)).toBe('refused')
      await expect(bank.deploy(version)).rejects.toEqual(code('not_approved'))
    })

    test('deploys only with the decision policy that was approved', async () => {
      const bank = await openBank(stores)
      const version = await bank.approved('trees')
      for (const other of [{ policyHash: 'p2' }, { policy: 'other' }]) {
        await expect(bank.deploy(version, other)).rejects.toEqual(
          code('deployment_policy_unapproved'),
        )
      }
    })

    test('compares a challenger with the live version, and replaces it', async () => {
      const bank = await openBank(stores)
      const champion = await bank.approved('logistic')
      await bank.deploy(champion)
      const worse = await bank.register('worse')
      await bank.examine(bank.evidenceOf(worse))
      expect(await bank.status(worse)).toBe('refused')
      const compared = comparisonWith(champion, -0.02)
      await bank.examine(bank.evidenceOf(worse, { champion: compared }))
      expect((await bank.standing(worse)).state).toBe('gate-failed')
      bank.clock.advance(1_000_000)
      const better = await bank.approved('trees', champion)
      await bank.deploy(better)
      expect([await bank.status(champion), await bank.status(better)]).toEqual(['approved', 'live'])
      const history = await bank.registry.liveHistory('card-fraud')
      expect(history.map(({ version, toUs }) => [version, toUs])).toEqual([
        [1, bank.clock.nowUs()],
        [3, undefined],
      ])
      const at = await bank.deployments.at('card-fraud', bank.clock.nowUs() - 1)
      expect(at?.version).toBe(1)
    })

    test('asks for a new comparison once another version is live', async () => {
      const bank = await openBank(stores)
      const first = await bank.approved('logistic')
      const second = await bank.approved('trees')
      await bank.deploy(first)
      expect(await bank.standing(second)).toMatchObject({
        state: 'not-gated',
        message: 'Version 1 is live now and the gate did not compare with it; run it again.',
      })
      await expect(bank.deploy(second)).rejects.toEqual(code('not_approved'))
    })

    test('rolls back to what was approved before, step by step, and never forward', async () => {
      const bank = await openBank(stores)
      const first = await bank.approved('one')
      const original = await bank.deploy(first)
      const second = await bank.approved('two', first)
      await bank.deploy(second)
      const third = await bank.approved('three', second)
      await bank.deploy(third)
      expect(await bank.rollback()).toMatchObject({ version: 2, action: 'rollback' })
      expect(await bank.rollback()).toMatchObject({
        version: 1,
        document: original.document,
        binding: original.binding,
      })
      await expect(bank.rollback()).rejects.toEqual(code('rollback_impossible'))
      expect(await bank.rollback(3)).toMatchObject({ version: 3 })
      expect([await bank.status(first), await bank.status(third)]).toEqual(['approved', 'live'])
      expect(await bank.deployments.history('card-fraud')).toHaveLength(6)
    })

    test('rolls back to no version that was refused or retired since', async () => {
      const bank = await openBank(stores)
      const first = await bank.approved('one')
      await bank.deploy(first)
      const second = await bank.approved('two', first)
      await bank.deploy(second)
      await bank.registry.changeStatus('card-fraud', 1, 'retired', bank.system)
      await expect(bank.rollback()).rejects.toEqual(code('rollback_impossible'))
      const live = bank.registry.changeStatus('card-fraud', 2, 'retired', bank.system)
      await expect(live).rejects.toEqual(code('version_status_conflict'))
    })

    test.each(['governance.approved', 'registry.version-status-changed', 'serving.deployed'])(
      'changes nothing at all where the audit entry %s fails',
      async (action) => {
        const bank = await openBank(stores)
        const version = await bank.register('trees')
        await bank.examine(bank.evidenceOf(version))
        await bank.approve(version, bank.people.first)
        if (action === 'serving.deployed') await bank.approve(version, bank.people.second)
        const before = [
          await bank.standing(version),
          await bank.registry.versions('card-fraud'),
          bank.log.size,
        ]
        const events = bank.events.length
        bank.failAuditAt(action)
        const step =
          action === 'serving.deployed'
            ? bank.deploy(version)
            : bank.approve(version, bank.people.second)
        await expect(step).rejects.toThrow('the audit log failed')
        expect([
          await bank.standing(version),
          await bank.registry.versions('card-fraud'),
          bank.log.size,
        ]).toEqual(before)
        expect(await bank.deployments.history()).toEqual([])
        expect(await bank.registry.liveHistory('card-fraud')).toEqual([])
        expect(bank.events).toHaveLength(events)
      },
    )
  })
}
