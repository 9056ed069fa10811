import { Type, type Static } from '@sinclair/typebox'
import {
  Estimate,
  Identity,
  Nullable,
  ObjectRef,
  OneOf,
  Permission,
  Time,
  Verdict,
} from './shapes.ts'
import { RunMetric } from './experiments.ts'
import { Param, RunModel } from './run.ts'

export const versionStatuses = ['candidate', 'approved', 'live', 'refused', 'retired'] as const
export const VersionSummary = Type.Object({
  model: Type.String(),
  version: Type.Integer({ minimum: 1 }),
  hash: Type.String(),
  name: Type.String({ description: 'The declared model: boosted-trees' }),
  learner: Type.String(),
  status: OneOf(versionStatuses),
  statusSentence: Type.String({ description: 'For example "refused by card-fraud-gate: …"' }),
  createdAt: Time,
  registeredBy: Identity,
  run: Nullable(ObjectRef),
  metrics: Type.Array(RunMetric),
  verdict: Verdict,
  origin: OneOf(['built', 'brought'], 'Trained here, or brought by a client from elsewhere'),
  aliases: Type.Array(Type.String()),
  stage: OneOf(['none', 'staging', 'production', 'archived']),
  description: Type.String(),
})
export type VersionSummary = Static<typeof VersionSummary>

export const ModelSummary = Type.Object({
  name: Type.String(),
  title: Type.String(),
  purpose: Type.String(),
  owner: Type.String(),
  versions: Type.Integer(),
  live: Nullable(VersionSummary),
  latest: Nullable(VersionSummary),
  verdict: Verdict,
})
export const Models = Type.Object({
  items: Type.Array(ModelSummary),
  deleted: Type.Array(
    Type.Object({
      name: Type.String(),
      versions: Type.Integer({ description: 'That come back with it' }),
      deletedAt: Time,
      restore: Permission,
    }),
    { description: 'Those that can be restored until they are purged, newest first' },
  ),
})
export type Models = Static<typeof Models>
export type ModelSummary = Static<typeof ModelSummary>

export const deploymentActions = [
  'deploy',
  'rollback',
  'challenge',
  'advance',
  'end',
  'withdraw',
  'shadow',
  'unshadow',
] as const
export const DeploymentEntry = Type.Object({
  at: Time,
  action: OneOf(deploymentActions),
  from: Nullable(ObjectRef),
  to: ObjectRef,
  by: Identity,
  reason: Type.String(),
})
export const historyKinds = [
  'registered',
  'live-from',
  'live-to',
  'alias-set',
  'alias-ended',
] as const
/** What happened to a model and when: registrations, periods of traffic, aliases. */
export const HistoryEntry = Type.Object({
  at: Time,
  kind: OneOf(historyKinds),
  version: ObjectRef,
  subject: Type.String({ description: 'The alias or the policy; else empty' }),
  by: Identity,
  reason: Type.String(),
})
export type HistoryEntry = Static<typeof HistoryEntry>

export const Model = Type.Composite([
  ModelSummary,
  Type.Object({
    items: Type.Array(VersionSummary),
    deployments: Type.Array(DeploymentEntry),
    policies: Type.Array(ObjectRef),
    rollback: Permission,
    rollbackTo: Nullable(ObjectRef),
    history: Type.Array(HistoryEntry, { description: 'Newest first' }),
    aliasing: Permission,
    deletedAt: Nullable(Time),
    deleted: Type.Array(
      Type.Object({
        version: Type.Integer(),
        learner: Type.String(),
        deletedAt: Time,
        restore: Permission,
      }),
      { description: 'Versions that can be restored until they are purged, newest first' },
    ),
    may: Type.Object({ rename: Permission, remove: Permission, restore: Permission }),
  }),
])
export type Model = Static<typeof Model>
export const ModelParams = Type.Object({ model: Type.String() })
export const VersionParams = Type.Object({ model: Type.String(), version: Type.Integer() })

export const GateCheck = Type.Object({
  name: Type.String(),
  title: Type.String(),
  required: Type.String({ description: 'For example "at least 0.500"' }),
  actual: Type.String({ description: 'For example "0.681 (0.640 to 0.719, n 58,264)"' }),
  passed: Type.Boolean(),
  message: Type.String(),
})
export const GateResult = Type.Object({
  gate: ObjectRef,
  gateVersion: Type.String(),
  passed: Type.Boolean(),
  evaluatedAt: Time,
  checks: Type.Array(GateCheck),
  evidenceHash: Type.String(),
  sentence: Type.String(),
})
export type GateResult = Static<typeof GateResult>

export const Approval = Type.Object({
  by: Identity,
  decision: OneOf(['approve', 'refuse']),
  reason: Type.String(),
  at: Time,
  binds: Type.String({ description: 'SHA-256 of version, gate policy and evidence together' }),
  valid: Type.Boolean({ description: 'False once any of those three changed' }),
  note: Nullable(Type.String()),
})
export const Approvals = Type.Object({
  required: Type.Integer(),
  given: Type.Array(Approval),
  binds: Type.String(),
  verdict: Verdict,
})

/** Sections of the Model Card Toolkit's schema, each a list of paragraphs or named values. */
export const CardSection = Type.Object({
  title: Type.String(),
  entries: Type.Array(
    Type.Object({ name: Type.String(), text: Type.String(), missing: Type.Boolean() }),
  ),
})
export const Card = Type.Object({
  complete: Type.Boolean(),
  watermark: Nullable(Type.String({ description: 'For example "Example: approved by a script"' })),
  sections: Type.Array(CardSection),
})

export const Version = Type.Composite([
  VersionSummary,
  Type.Object({
    bytes: Nullable(Type.Integer({ description: 'Null where the files are not kept here' })),
    format: Type.String(),
    source: Nullable(Type.String({ description: 'Where a client says its files lie' })),
    tags: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
    deletedAt: Nullable(Time),
    trainedBy: Identity,
    card: Card,
    gate: Nullable(GateResult),
    approvals: Approvals,
    lineage: Type.Array(
      Type.Object({
        title: Type.String({ description: 'data snapshot, feature set, run, code, seed…' }),
        text: Type.String(),
        target: Nullable(ObjectRef),
      }),
    ),
    deployments: Type.Array(DeploymentEntry),
    brought: Nullable(
      Type.Object(
        {
          sentence: Type.String({ description: 'What it is and where its files lie' }),
          model: Nullable(RunModel),
          run: Nullable(ObjectRef),
          metrics: Type.Array(RunMetric, { description: 'Of the run, as they are now' }),
          params: Type.Array(Param, { description: 'Of the run' }),
        },
        { description: 'Of a version that a client brought; its model where its files are here' },
      ),
    ),
    may: Type.Object({
      approve: Permission,
      refuse: Permission,
      deploy: Permission,
      remove: Permission,
      restore: Permission,
    }),
  }),
])
export type Version = Static<typeof Version>

/** `binds` is what the person saw; if it changed meanwhile the answer is 409. */
export const GiveApproval = Type.Object(
  {
    decision: OneOf(['approve', 'refuse']),
    reason: Type.String({ minLength: 3, maxLength: 2000 }),
    binds: Type.String(),
  },
  { additionalProperties: false },
)
export const WithReason = Type.Object(
  { reason: Type.String({ minLength: 3, maxLength: 2000 }) },
  { additionalProperties: false },
)
/** A deletion can be taken back until a purge; `undoUntil` is how long a page offers it at once. */
export const Deleted = Type.Object({ sentence: Type.String(), undoUntil: Time })
export const RenameModel = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 250 }),
    reason: Type.String({ minLength: 3, maxLength: 2000 }),
  },
  { additionalProperties: false },
)
export const RollBack = Type.Object(
  { to: Type.Integer(), reason: Type.String({ minLength: 3, maxLength: 2000 }) },
  { additionalProperties: false },
)

export const DifferenceQuery = Type.Object({
  from: Type.Integer({ minimum: 1 }),
  to: Type.Integer({ minimum: 1 }),
  other: Type.Optional(Type.String({ description: 'The model of `to`, where it is another one' })),
})
const MetricValue = Nullable(Estimate)
export const DifferenceRow = Type.Object({
  name: Type.String(),
  title: Type.String(),
  from: Nullable(Type.String()),
  to: Nullable(Type.String()),
  change: OneOf(['same', 'added', 'removed', 'changed']),
  metrics: Nullable(Type.Object({ from: MetricValue, to: MetricValue })),
})
export type DifferenceRow = Static<typeof DifferenceRow>
export const Difference = Type.Object({
  from: ObjectRef,
  to: ObjectRef,
  changed: Type.Integer(),
  sentence: Type.String({ description: 'For example "4 values differ: parameters 3, code 1."' }),
  groups: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      changed: Type.Integer(),
      rows: Type.Array(DifferenceRow),
    }),
  ),
})
export type Difference = Static<typeof Difference>

export const ChampionsQuery = Type.Object({
  at: Type.Optional(Time),
})
const Held = { version: ObjectRef, from: Time, to: Nullable(Time), by: Identity }
export const Champions = Type.Object({
  model: Type.String({ description: 'The present name, where a former one was asked for' }),
  at: Time,
  sentence: Type.String(),
  live: Type.Array(Type.Object({ policy: ObjectRef, ...Held })),
  aliases: Type.Array(Type.Object({ alias: Type.String(), reason: Type.String(), ...Held })),
})
export type Champions = Static<typeof Champions>

export const AliasParams = Type.Object({ model: Type.String(), alias: Type.String() })
/** `version` null takes the alias away. */
export const SetAlias = Type.Object(
  {
    version: Nullable(Type.Integer({ minimum: 1 })),
    reason: Type.String({ minLength: 3, maxLength: 2000 }),
  },
  { additionalProperties: false },
)

/** A system outside that is told of changes, and how that goes. Secrets are never shown. */
export const WebhookState = Type.Object({
  id: Type.String(),
  name: Type.String(),
  url: Type.String(),
  events: Type.Array(Type.String()),
  active: Type.Boolean(),
  hasSecret: Type.Boolean(),
  waiting: Type.Integer(),
  delivered: Type.Integer({ description: 'Of those that are still on record' }),
  dead: Type.Integer({ description: 'Given up; of those that are still on record' }),
  verdict: Verdict,
  deliveries: Type.Array(
    Type.Object({
      id: Type.String(),
      event: Type.String(),
      state: OneOf(['waiting', 'delivered', 'dead']),
      attempts: Type.Integer(),
      at: Time,
      nextAt: Nullable(Time),
      answer: Type.String({ description: 'Status of the last answer, or why there was none' }),
    }),
    { description: 'The newest twenty' },
  ),
})
export const WebhookStates = Type.Object({ items: Type.Array(WebhookState) })
export type WebhookState = Static<typeof WebhookState>
