/** What the operations on models and versions take and give. */
import {
  AliasParams,
  Champions,
  ChampionsQuery,
  Deleted,
  Difference,
  DifferenceQuery,
  GiveApproval,
  Model,
  ModelParams,
  Models,
  RenameModel,
  RollBack,
  SetAlias,
  Version,
  VersionParams,
  WebhookStates,
  WithReason,
} from './models.ts'
import { Done } from './shapes.ts'

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
  deleteModel: {
    summary: 'Hide a model with its versions; it can be restored until it is purged',
    params: ModelParams,
    body: WithReason,
    response: Deleted,
  },
  restoreModel: {
    summary: 'Bring a deleted model back, with the versions that went with it',
    params: ModelParams,
    body: WithReason,
    response: Done,
  },
  renameModel: {
    summary: 'Give a model another name',
    params: ModelParams,
    body: RenameModel,
    response: Done,
  },
  deleteVersion: {
    summary: 'Hide a version; it can be restored until it is purged',
    params: VersionParams,
    body: WithReason,
    response: Deleted,
  },
  restoreVersion: {
    summary: 'Bring a deleted version back',
    params: VersionParams,
    body: WithReason,
    response: Done,
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
