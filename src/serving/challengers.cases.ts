/** What holds of challengers, suspensions and their two people, whatever keeps them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ModelVersion } from '../registry/index.ts'
import { openBank, comparisonWith, type ReleaseStores } from './bank.cases.ts'
import { usualGuards } from './challenger-spec.ts'
import { documentsOf, type Compose } from './challengers.ts'
import { championOf } from './deployments.ts'
import type { ChallengerSpec, Deployment } from './types.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })
const steps = [
  { share: 0.1, holdMinutes: 10, minDecisions: 5 },
  { share: 0.5, holdMinutes: 10, minDecisions: 5 },
]
/** Names what stands in the document, as its hash would. */
const compose: Compose = async (current, traffic) =>
  [championOf(current), ...traffic.map(({ name, share }) => `${name}:${share}`)].join(' ')

export function challengerCases(name: string, open: () => Promise<ReleaseStores>): void {
  describe(`challengers over ${name}`, () => {
    let stores: ReleaseStores
    let bank: Awaited<ReturnType<typeof openBank>>
    let champion: ModelVersion
    let better: ModelVersion
    beforeEach(async () => {
      stores = await open()
      bank = await openBank(stores)
      champion = await bank.approved('logistic')
      await bank.deploy(champion)
      better = await bank.approved('trees', champion)
    })
    afterEach(async () => {
      await stores.close?.()
    })

    const spec = (version: ModelVersion, over: Partial<ChallengerSpec> = {}): ChallengerSpec => ({
      name: `v${version.version}`,
      model: version.model,
      version: version.version,
      mode: 'live',
      share: 0.2,
      guards: usualGuards,
      ...over,
    })
    const propose = (challenger: ChallengerSpec, by = bank.people.operator) =>
      bank.challengers.propose(
        { policy: 'card-fraud', challenger, sticky: 'customer' },
        by.id,
        'Worth a try',
      )
    const confirm = (id: string, by = bank.people.first) =>
      bank.challengers.confirm(id, by.id, 'I agree', compose)
    const started = async (challenger: ChallengerSpec) =>
      (await confirm((await propose(challenger)).id))!
    const current = () => bank.deployments.current('card-fraud')

    test('begin only once a second person confirms', async () => {
      const proposal = await propose(spec(better))
      expect((await current())?.challengers).toBeUndefined()
      await expect(confirm(proposal.id, bank.people.operator)).rejects.toEqual(
        code('proposal_self'),
      )
      for (const own of [bank.people.trainer, bank.people.registrar]) {
        await expect(confirm(proposal.id, own)).rejects.toEqual(code('proposal_self'))
      }
      await expect(confirm(proposal.id, bank.people.reader)).rejects.toEqual(code('forbidden'))
      await expect(confirm(proposal.id, bank.people.script)).rejects.toEqual(
        code('proposal_by_script'),
      )
      const deployment = await confirm(proposal.id)
      expect(deployment).toMatchObject({
        action: 'challenge',
        version: champion.version,
        document: 'doc-1 v2:0.2',
        base: 'doc-1',
        sticky: 'customer',
        actorName: 'Ann',
        challengers: [{ name: 'v2', version: 2, modelHash: better.modelHash }],
      })
      expect(await current()).toEqual(deployment)
      await expect(confirm(proposal.id, bank.people.second)).rejects.toEqual(
        code('proposal_closed'),
      )
      const [closed] = await bank.challengers.proposals('card-fraud')
      expect(closed).toMatchObject({ state: 'confirmed', closed: { identityName: 'Ann' } })
    })

    test('are proposed by a person, whatever a script may do beside', async () => {
      const { access, system } = bank
      const program = await access.createIdentity(
        { name: 'CI', kind: 'script', roles: ['administrator'] },
        system,
      )
      await expect(propose(spec(better), program)).rejects.toEqual(code('proposal_by_script'))
    })

    test('take live traffic only when approved, and shadow once the gate holds', async () => {
      const examined = await bank.register('examined')
      await bank.examine(bank.evidenceOf(examined, { champion: comparisonWith(champion, 0.01) }))
      await expect(propose(spec(examined))).rejects.toEqual(code('challenger_unready'))
      const shadow = spec(examined, { mode: 'shadow', share: 1 })
      expect((await started(shadow)).challengers).toHaveLength(1)
      const unexamined = await bank.register('unexamined')
      await expect(propose(spec(unexamined, { mode: 'shadow' }))).rejects.toEqual(
        code('challenger_unready'),
      )
    })

    test.each<readonly [string, Partial<ChallengerSpec>]>([
      ['the champion itself', { version: 1 }],
      ['a share of nothing', { share: 0 }],
      ['more than all', { share: 1.5 }],
      ['a reserved name', { name: 'champion' }],
      ['steps in shadow', { mode: 'shadow', steps }],
      ['steps that shrink', { steps: steps.toReversed() }],
      ['no steps', { steps: [] }],
      ['a guard that is no number', { guards: { ...usualGuards, psiMax: Number.NaN } }],
    ])('are refused with %s', async (_what, over) => {
      await expect(propose(spec(better, over))).rejects.toEqual(code('challenger_invalid'))
    })

    test('are ended by one person at once, which another looks at afterwards', async () => {
      await started(spec(better))
      const by = { actor: bank.people.operator, reason: 'Complaints' }
      const request = { policy: 'card-fraud', name: 'v2', action: 'end' } as const
      const ended = await bank.challengers.end(request, by, compose)
      expect(ended).toMatchObject({ action: 'end', document: 'doc-1', reason: 'Complaints' })
      expect(ended.challengers).toBeUndefined()
      await expect(bank.challengers.end(request, by, compose)).rejects.toEqual(
        code('challenger_unknown'),
      )
      const [review] = await bank.afterReviews.list({ open: true, limit: 10 })
      expect(review).toMatchObject({ act: 'challenger-ended', actorName: 'Ada' })
      const sign = (by: { id: string }) =>
        bank.afterReviews.sign({ id: review.id, verdict: 'right', note: 'Seen the cases' }, by.id)
      await expect(sign(bank.people.operator)).rejects.toEqual(code('after_review_self'))
      await sign(bank.people.first)
      await expect(sign(bank.people.second)).rejects.toEqual(code('after_review_signed'))
      expect(await bank.afterReviews.list({ open: true, limit: 10 })).toEqual([])
      const [signed] = await bank.afterReviews.list({ open: false, limit: 10 })
      expect(signed.signed).toMatchObject({ identityName: 'Ann', verdict: 'right' })
    })

    test('go up a canary’s steps, and no further', async () => {
      const first = await started(spec(better, { steps }))
      expect(first.challengers).toMatchObject([{ share: 0.1, step: 0 }])
      bank.clock.advance(600_000_000)
      const next = () => bank.challengers.advance('card-fraud', 'v2', bank.system, compose)
      const second = await next()
      expect(second).toMatchObject({ action: 'advance', document: 'doc-1 v2:0.5' })
      const stepFromUs = bank.clock.nowUs()
      expect(second.challengers).toMatchObject([{ share: 0.5, step: 1, stepFromUs }])
      await expect(next()).rejects.toEqual(code('challenger_invalid'))
    })

    test('end with their champion; what was proposed against it is outdated', async () => {
      await started(spec(better, { mode: 'shadow', share: 1 }))
      const late = await propose(spec(better, { name: 'again' }))
      const deployed = await bank.deploy(better)
      expect(deployed.challengers).toBeUndefined()
      const ended = (await bank.log.list({ limit: 10 })).find(
        ({ entry }) => entry.action === 'serving.challenger-ended',
      )
      expect(ended?.entry).toMatchObject({
        reason: "card-fraud version 2 took the champion's place: Approved",
        details: { name: 'v2', version: 2 },
      })
      await expect(confirm(late.id)).rejects.toEqual(code('proposal_outdated'))
      const back = await bank.rollback()
      expect(back).toMatchObject({ version: 1, document: 'doc-1', action: 'rollback' })
      const [review] = await bank.afterReviews.list({ open: true, limit: 10 })
      expect(review).toMatchObject({ act: 'rolled-back' })
    })

    test('stay beside another policy of the same model, and it can be gone back to', async () => {
      const before = await started(spec(better, { steps }))
      const policy = { policyHash: 'p1', document: 'doc-1-stricter' }
      const keepChallengers = async ({ challengers: kept = [] }: Deployment) =>
        `doc-1-stricter ${kept.map(({ name: of }) => of).join(' ')}`
      const deployed = await bank.deploy(champion, { ...policy, keepChallengers })
      expect(deployed).toMatchObject({
        action: 'deploy',
        document: 'doc-1-stricter v2',
        base: 'doc-1-stricter',
        challengers: before.challengers,
        sticky: 'customer',
      })
      const documents = documentsOf(
        await bank.deployments.history('card-fraud'),
        deployed.challengers![0],
      )
      expect(documents).toEqual(['doc-1-stricter v2', 'doc-1 v2:0.1'])
      await bank.deploy(better)
      expect(await bank.rollback()).toMatchObject({ version: 1, document: 'doc-1-stricter' })
      expect(await bank.rollback()).toMatchObject({ version: 1, document: 'doc-1' })
    })

    test('and a draft in shadow stand beside the champion without one another', async () => {
      const compose = async ({ challengers: kept = [] }: Deployment) =>
        ['doc-1', ...kept.map(({ name: of }) => of), 'with rules in shadow'].join(' ')
      const by = { actor: bank.people.operator, reason: 'How often would it fire' }
      const shadowed = { draft: 'draft_1', policyHash: 'p1-shadow' }
      await started(spec(better))
      const run = (what: typeof shadowed | undefined) =>
        bank.deployments.runShadow('card-fraud', what, by, compose)
      expect(await run(shadowed)).toMatchObject({
        action: 'shadow',
        document: 'doc-1 v2 with rules in shadow',
        base: 'doc-1',
        shadowed,
        challengers: [{ name: 'v2' }],
      })
      expect(await run(shadowed)).toBeUndefined()
      expect(await bank.deployments.rollbackTarget({ policy: 'card-fraud' })).toBeUndefined()
      const request = { policy: 'card-fraud', name: 'v2', action: 'end' } as const
      const alone = await bank.challengers.end(
        request,
        by,
        async () => 'doc-1 with rules in shadow',
      )
      expect(alone).toMatchObject({ base: 'doc-1', shadowed })
      const ended = await bank.deployments.runShadow(
        'card-fraud',
        undefined,
        by,
        async () => 'doc-1',
      )
      expect(ended).toMatchObject({ action: 'unshadow', document: 'doc-1' })
      expect(ended).not.toHaveProperty('base')
      expect(ended).not.toHaveProperty('shadowed')
    })

    test('leave nothing behind where the audit entry fails', async () => {
      const proposal = await propose(spec(better))
      bank.failAuditAt('serving.challenger-started')
      await expect(confirm(proposal.id)).rejects.toThrow('the audit log failed')
      expect((await current())?.document).toBe('doc-1')
      expect((await bank.challengers.proposals('card-fraud'))[0].state).toBe('open')
    })

    test('a model is suspended by one person, and asked again by two', async () => {
      const by = { actor: bank.people.operator, reason: 'It declines everyone' }
      await bank.challengers.suspend('card-fraud', by)
      await expect(bank.challengers.suspend('card-fraud', by)).rejects.toEqual(
        code('suspension_unchanged'),
      )
      expect(await bank.challengers.suspensions()).toMatchObject([
        { policy: 'card-fraud', suspended: true, actorName: 'Ada' },
      ])
      expect((await bank.afterReviews.list({ open: true, limit: 1 }))[0].act).toBe(
        'model-suspended',
      )
      const { operator, first } = bank.people
      const resume = await bank.challengers.proposeResume('card-fraud', operator.id, 'Mended')
      const twice = bank.challengers.proposeResume('card-fraud', operator.id, 'Mended')
      await expect(twice).rejects.toEqual(code('proposal_waits'))
      expect(await confirm(resume.id, first)).toBeUndefined()
      expect(await bank.challengers.suspensions()).toMatchObject([{ suspended: false }])
      const again = bank.challengers.proposeResume('card-fraud', operator.id, 'Mended')
      await expect(again).rejects.toEqual(code('suspension_unchanged'))
    })
  })
}
