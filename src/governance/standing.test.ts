import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentHash } from '../lib/hash.ts'
import { versionHash, type ModelVersion } from '../registry/index.ts'
import { sampleEvidence } from './evidence.cases.ts'
import { bindingOf, compileGatePolicy, gatePolicy, runGate } from './index.ts'
import { standingOf, type StandingFacts } from './standing.ts'
import type { Approval } from './types.ts'

const gate = compileGatePolicy(
  gatePolicy('gate', { minimum: { roc_auc: 0.8 }, card: 'complete', approvals: 2 }),
)

/** A version that two people approved. */
function approvedFacts(): StandingFacts {
  const immutable = {
    model: 'card-fraud',
    project: 'bank',
    kind: 'boosted-trees',
    version: 1,
    modelHash: 'm1',
    build: {
      declaration: 'trees',
      runId: 'run_1',
      snapshots: { transactions: 's1' },
      featureSets: [{ name: 'handbook', version: 'f1' }],
      label: 'fraud',
      learner: { trees: 100 },
      split: { train: [1, 2] },
      codeRevision: 'c1',
      seed: 42,
    },
    thresholds: { decline: 0.8 },
    metrics: { roc_auc: { value: 0.9 } },
    trainedBy: ['i1'],
    registeredBy: 'i1',
    registeredAtUs: 5,
  }
  const hash = versionHash(immutable)
  const version: ModelVersion = { ...immutable, hash, status: 'approved', statusReason: '' }
  const evidence = { ...sampleEvidence(), versionHash: hash }
  const result = runGate(gate, evidence)
  const run = {
    ...result,
    id: 'g1',
    model: 'card-fraud',
    version: 1,
    versionHash: hash,
    evidence,
    ranAtUs: 6,
    ranBy: 'i1',
  }
  const binds = bindingOf(run)
  const approvals = ['i2', 'i3'].map((identityId): Approval => {
    return {
      id: `approval-${identityId}`,
      model: 'card-fraud',
      version: 1,
      verdict: 'approve',
      reason: 'Sound',
      identityId,
      identityName: identityId,
      identityKind: 'person',
      atUs: 7,
      binds,
    }
  })
  const entry = {
    model: 'card-fraud',
    project: 'bank',
    example: false,
    owner: 'o',
    purpose: 'p',
    tier: 'high' as const,
    tierRationale: 't',
    gate: gate.name,
    gateHash: gate.version,
    updatedAtUs: 1,
  }
  return { version, entry, gate, run, approvals, champion: undefined }
}

type Path = readonly (string | number)[]

function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]))
}

/** A copy with the leaf at a path changed to another value of its type. */
function changed<T>(value: T, [name, ...rest]: Path): T {
  if (name === undefined) {
    if (typeof value === 'number') return (value + 1) as T
    if (typeof value === 'boolean') return !value as T
    return `${String(value)}x` as T
  }
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<
    string | number,
    unknown
  >
  copy[name] = changed(copy[name], rest)
  return copy as T
}

describe('where a version stands', () => {
  test('approved: two people approved exactly this', () => {
    expect(standingOf(approvedFacts())).toMatchObject({
      state: 'approved',
      given: 2,
      message: 'Approved by i2 and i3.',
    })
  })

  test('any change of version, gate or evidence voids every approval', () => {
    const facts = approvedFacts()
    const { hash: _, status: __, statusReason: ___, ...immutable } = facts.version
    const run = facts.run!
    const changes = [
      ...leaves(immutable).map((path) => ({ ...facts, version: changed(facts.version, path) })),
      ...leaves(run.evidence).map((path) => {
        return { ...facts, run: { ...run, evidence: changed(run.evidence, path) } }
      }),
      ...leaves(run.evidence).map((path) => {
        // As above, with the kept hash made to fit: what was approved is still another evidence.
        const evidence = changed(run.evidence, path)
        return { ...facts, run: { ...run, evidence, evidenceHash: contentHash(evidence) } }
      }),
      { ...facts, gate: { ...gate, version: 'other' } },
      { ...facts, entry: { ...facts.entry, gateHash: 'other' } },
      { ...facts, run: { ...run, gateHash: 'other' } },
    ]
    expect(changes.length).toBeGreaterThan(80)
    for (const change of changes) {
      const { state, given } = standingOf(change)
      expect(state).not.toBe('approved')
      expect(given).toBe(0)
    }
  })

  test('approvals count by different people who did not make it, whatever else is in the list', () => {
    const facts = approvedFacts()
    const person = fc.constantFrom('i1', 'i2', 'i3', 'i4')
    const kind = fc.constantFrom('person', 'script', 'system')
    const binding = fc.constantFrom(facts.approvals[0].binds, 'other')
    const given = fc.record({ identityId: person, identityKind: kind, binds: binding })
    fc.assert(
      fc.property(fc.array(given, { maxLength: 12 }), (list) => {
        const approvals = list.map((each, i): Approval => {
          return { ...facts.approvals[0], ...each, id: `a${i}` }
        })
        // The last verdict of each identity on the present binding is the one that counts.
        const last = new Map(
          approvals.filter((a) => a.binds !== 'other').map((a) => [a.identityId, a]),
        )
        const expected = [...last.values()].filter(
          (a) => a.identityKind === 'person' && a.identityId !== 'i1',
        ).length
        const standing = standingOf({ ...facts, approvals })
        expect(standing.given).toBe(expected)
        expect(standing.state === 'approved').toBe(expected >= 2)
      }),
    )
  })
})
