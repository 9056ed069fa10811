/** What the operations on models and versions take and give. */
import {
  AliasParams,
  Champions,
  ChampionsQuery,
  Difference,
  DifferenceQuery,
  GiveApproval,
  Model,
  ModelParams,
  Models,
  RollBack,
  SetAlias,
  Version,
  VersionParams,
  WebhookStates,
  WithReason,
} from './models.ts'

export const modelRoutes = {
  models: { summary: 'Registered models', response: Models },
  model: { summary: 'A model and its versions', params: ModelParams, response: Model },
  version: {
    summary: 'A version with card, gate result, approvals and lineage',
    params: VersionParams,
    response: Version,
  },
  giveApproval: {
    summary: 'Approve or refuse a version',
    params: VersionParams,
    body: GiveApproval,
    response: Version,
  },
  deploy: {
    summary: 'Send traffic to an approved version',
    params: VersionParams,
    body: WithReason,
    response: Model,
  },
  rollBack: {
    summary: 'Back to a version already approved',
    params: ModelParams,
    body: RollBack,
    response: Model,
  },
  versionDifference: {
    summary: 'What changed between two versions',
    params: ModelParams,
    query: DifferenceQuery,
    response: Difference,
  },
  champions: {
    summary: 'What a model’s name meant at a time: versions in traffic, and aliases',
    params: ModelParams,
    query: ChampionsQuery,
    response: Champions,
  },
  setAlias: {
    summary: 'Point an alias at a version, or take it away',
    params: AliasParams,
    body: SetAlias,
    response: Model,
  },
  webhooks: {
    summary: 'Systems outside that are told of changes, and how that goes',
    response: WebhookStates,
  },
} as const
