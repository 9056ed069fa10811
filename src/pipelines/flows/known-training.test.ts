import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bank,
  bankProject,
  by,
  FIRST_US,
  paymentsTable,
  where,
  type Bank,
} from '../../../test/trained-bank.ts'
import { trainOrFind, type LookUpPorts } from './known-training.ts'
import type { FlowProject } from './plan.ts'
import { approveAsScripts, enrol, registerAndExamine } from './promote.ts'
import { fitDeclared, filesOf, measured, type Candidate, type TrainingTable } from './train.ts'

const table = paymentsTable({ seed: 5 })
const [trees] = bankProject().models
let home: Bank

beforeEach(() => {
  home = bank()
})

const silent = () => undefined
const look = (
  project: FlowProject = bankProject(),
  data: TrainingTable = table,
  ports: Partial<LookUpPorts> = {},
) =>
  trainOrFind(
    project.models[0],
    project,
    data,
    { ...home, ...where, by, noCache: false, ...ports },
    silent,
  )

const promote = (candidate: Candidate, project = bankProject()) =>
  registerAndExamine(candidate, project, table, { ...home, ...where, by })

/** Trains, registers and examines, as the flow does. */
async function learned(project = bankProject()) {
  await enrol(project, { ...home, ...where, by })
  const { candidate } = await look(project)
  return { candidate, ...(await promote(candidate, project)) }
}

describe('training again', () => {
  test('what was found in a run is in every part what training it anew gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ seed: fc.integer({ min: 1, max: 1000 }), projectSeed: fc.nat(100) }),
        fc.constantFrom('trees', 'logistic'),
        fc.boolean(),
        async ({ seed, projectSeed }, name, withCustomers) => {
          home = bank()
          const project = bankProject({ seed: projectSeed }, withCustomers)
          const declaration = project.models.find((each) => each.name === name)!
          const own = { ...project, models: [declaration] }
          const data = paymentsTable({ seed, withCustomers })
          await enrol(own, { ...home, ...where, by })
          const first = await look(own, data)
          expect(first).toMatchObject({ foundOfUs: null, why: '' })
          await registerAndExamine(first.candidate, own, data, { ...home, ...where, by })
          const again = await look(own, data)
          expect(again.foundOfUs).toBe(FIRST_US)

          // The oracle is the training itself, which knows nothing of runs.
          const fitted = fitDeclared(declaration, own, data, silent)
          const fresh = measured(fitted, declaration, own, data)
          const { runId } = first.candidate
          expect(again.candidate).toEqual({ ...fresh, declaration, runId })
          expect(filesOf(again.candidate)).toEqual(filesOf(fresh))
        },
      ),
      { numRuns: 12 },
    )
  })

  test('says when it was trained, and keeps no second run', async () => {
    const { candidate } = await learned()
    home.clock.advance(180_000_000)
    const again = await look()
    expect(again).toMatchObject({ foundOfUs: FIRST_US, why: '' })
    expect(again.candidate.runId).toBe(candidate.runId)
    expect(await home.tracking.runs()).toHaveLength(1)
  })

  test('is done where it is asked for', async () => {
    await learned()
    const again = await look(bankProject(), table, { noCache: true })
    expect(again).toMatchObject({ foundOfUs: null, why: 'asked for anew' })
    expect(await home.tracking.runs()).toHaveLength(2)
  })

  const changed: readonly (readonly [string, () => ReturnType<typeof look>])[] = [
    ['other seed', () => look(bankProject({ seed: 8 }))],
    ['other code', () => look(bankProject(), table, { codeRevision: 'another' })],
    ['other environment', () => look(bankProject(), table, { environment: 'node 99' })],
    [
      'other snapshots',
      () => look(bankProject(), { ...table, snapshots: [{ dataset: 'payments', hash: 'b' }] }),
    ],
    [
      'other model declaration',
      () => {
        const { kind, params } = trees.learner
        const learner = { kind, params: { ...params, depth: 2 } } as typeof trees.learner
        return look(bankProject({ models: [{ ...trees, learner }] }))
      },
    ],
    [
      'other split, other code',
      () => {
        const { split } = bankProject()
        const train = { ...split.train, fromUs: split.train.fromUs + 86_400_000_000 }
        const project = bankProject({ split: { ...split, train } })
        return look(project, table, { codeRevision: 'another' })
      },
    ],
    [
      'other threshold rules',
      () => {
        const [policy] = bankProject().policies
        const thresholds = { ...policy.thresholds, review: 0.25 }
        return look(bankProject({ policies: [{ ...policy, thresholds }] }))
      },
    ],
    [
      'other features',
      () => {
        const [set] = bankProject().featureSets
        return look(bankProject({ featureSets: [{ ...set, version: 'b' }] }))
      },
    ],
    [
      'other sources',
      () => {
        const [source] = bankProject().sources
        return look(bankProject({ sources: [{ ...source, lateUs: 1 }] }))
      },
    ],
  ]
  test.each(changed)('is done, and explained, for %s', async (why, train) => {
    await learned()
    expect(await train()).toMatchObject({ foundOfUs: null, why })
  })

  test('is compared with the earlier training that differs least', async () => {
    await learned(bankProject({ seed: 8 }))
    await learned()
    await learned(bankProject({ seed: 9 }))
    const { why } = await look(bankProject(), table, { codeRevision: 'another' })
    expect(why).toBe('other code')
  })

  test('is not done for what a description says', async () => {
    await learned()
    const said = { ...trees, description: 'Said otherwise' }
    const { foundOfUs, candidate } = await look(bankProject({ models: [said] }))
    expect(foundOfUs).toBe(FIRST_US)
    expect(candidate.declaration.description).toBe('Said otherwise')
  })
})

describe('a run is not used again', () => {
  const json = (name: string, content: string) => ({
    name,
    contentType: 'application/json',
    content,
  })
  const again = async (why: string | RegExp) => {
    const found = await look()
    expect(found.foundOfUs).toBeNull()
    expect(found.why).toMatch(why)
    // What was trained in its place is found from then on.
    await promote(found.candidate)
    expect((await look()).foundOfUs).toBe(home.clock.nowUs())
  }

  test('where it was deleted', async () => {
    const { candidate } = await learned()
    await home.tracking.deleteRun(candidate.runId, by)
    await again(`run ${candidate.runId} was deleted`)
  })

  test('where nothing was registered from it, because nobody then vouches for its model', async () => {
    await enrol(bankProject(), { ...home, ...where, by })
    const { candidate } = await look()
    await again(`no version is registered from run ${candidate.runId}`)
  })

  test('where its version was registered of other code, whatever its tags say', async () => {
    const project = bankProject()
    await enrol(project, { ...home, ...where, by })
    const other = { ...where, codeRevision: 'another' }
    const { candidate } = await look(project, table, other)
    await registerAndExamine(candidate, project, table, { ...home, ...other, by })
    home.clock.advance(1)
    const { candidate: wanted } = await look()
    const { tags } = await home.tracking.run(wanted.runId)
    await home.tracking.deleteRun(wanted.runId, by)
    await home.tracking.logTags(candidate.runId, { cache_key: tags['cache_key'] })
    await again(`run ${wanted.runId} was deleted`)
  })

  test.each(['model.json', 'report.json', 'predictions.json'])(
    'where somebody replaced its %s',
    async (name) => {
      const { candidate } = await learned()
      const { bytes } = await home.tracking.artifact(candidate.runId, name)
      const forged = new TextDecoder().decode(bytes).replace(/(\d)\.(\d)/, '$1.9$2')
      await home.tracking.logArtifact(candidate.runId, json(name, forged))
      await again(`${name} of run ${candidate.runId} is not what was trained`)
    },
  )

  test.each(['model.json', 'report.json'])('where the bytes of its %s are gone', async (name) => {
    const { candidate } = await learned()
    await home.tracking.files.remove({ kind: 'run', id: candidate.runId }, name, by)
    await again(new RegExp(`run ${candidate.runId}: .*${name}`))
  })

  test('where it failed', async () => {
    const broken = { ...table, label: table.label.map(() => 0) }
    await expect(look(bankProject(), broken)).rejects.toThrow()
    const { foundOfUs, why } = await look()
    expect([foundOfUs, why]).toEqual([null, ''])
  })

  test('and tags that people wrote into it are no obstacle and no help', async () => {
    const { candidate } = await learned()
    await home.tracking.logTags(candidate.runId, { note: 'a good one', cache_parts: 'no JSON' })
    expect((await look()).foundOfUs).toBe(FIRST_US)
    const other = await look(bankProject(), table, { codeRevision: 'another' })
    expect(other).toMatchObject({ foundOfUs: null, why: '' })
  })
})

describe('a version', () => {
  test('of the same run is used again with its gate run', async () => {
    const { candidate, version, gate } = await learned()
    home.clock.advance(60_000_000)
    const { candidate: found } = await look()
    const second = await promote(found)
    expect(second).toMatchObject({ isFound: true, version: { version: 1 } })
    expect(second.gate).toEqual(gate)
    expect(second.version.hash).toBe(version.hash)
    expect(await home.registry.versions('card-fraud')).toHaveLength(1)
    expect(await home.governance.gateRuns(version.model)).toHaveLength(1)
    expect(found.runId).toBe(candidate.runId)
  })

  test('keeps its approvals, and scripts that approved do not do so twice', async () => {
    const project = bankProject({ approvers: ['One (script)', 'Two (script)'] })
    const first = await learned(project)
    const ports = { ...home, ...where, by }
    await approveAsScripts(first, { ...project, approvers: ['One (script)'] }, ports)
    const half = await promote(first.candidate, project)
    expect(half.standing).toMatchObject({ state: 'awaiting-approval', given: 1 })
    await approveAsScripts(half, project, ports)
    const whole = await promote(first.candidate, project)
    expect(whole.standing).toMatchObject({ state: 'approved', given: 2 })
    expect(whole.version.status).toBe('approved')
  })

  test('that is live is not compared with itself, so that what was approved stays so', async () => {
    const project = bankProject({ approvers: ['One (script)', 'Two (script)'] })
    const first = await learned(project)
    await approveAsScripts(first, project, { ...home, ...where, by })
    await home.registry.goLive(first.version.model, 1, 'card', by)
    const second = await promote((await look(project)).candidate, project)
    expect(second.gate).toEqual(first.gate)
    expect(second.version.status).toBe('live')
    expect(second.standing.state).toBe('approved')
  })

  test('is examined again where its gate has changed', async () => {
    const { candidate, gate } = await learned()
    const [declared] = bankProject().gates
    const stricter = { ...declared, minimum: { roc_auc: 0.9999 }, version: 'stricter' }
    const project = bankProject({ gates: [stricter] })
    await enrol(project, { ...home, ...where, by })
    const second = await promote(candidate, project)
    expect(second).toMatchObject({ isFound: true, version: { version: 1, status: 'refused' } })
    expect(second.gate.id).not.toBe(gate.id)
  })

  test('is examined again where another answers traffic by now', async () => {
    const first = await learned()
    const other = await look(bankProject({ seed: 8 }))
    const better = await promote(other.candidate, bankProject({ seed: 8 }))
    await home.registry.changeStatus(better.version.model, 2, 'approved', by)
    await home.registry.goLive(better.version.model, 2, 'card', by)
    const second = await promote(first.candidate)
    expect(second).toMatchObject({ isFound: true, version: { version: 1 } })
    expect(second.gate.evidence.champion).toMatchObject({ version: 2 })
  })

  test('is registered anew from a run that trained it anew', async () => {
    await learned()
    const { candidate } = await look(bankProject(), table, { noCache: true })
    expect(await promote(candidate)).toMatchObject({ isFound: false, version: { version: 2 } })
  })
})
