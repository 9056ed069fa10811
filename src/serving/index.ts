/**
 * serving: what answers each decision policy, now and at any time before.
 *
 * What always holds: only an approved version goes live, with exactly the decision policy and
 * thresholds that were approved with it; a roll-back brings back an earlier deployment as it was
 * approved then; at every instant at most one deployment answers a policy, and none is forgotten.
 */
export { createDeployments } from './deployments.ts'
export type { Deployments, DeploymentsDependencies } from './deployments.ts'
export { createMemoryDeploymentStore } from './memory.ts'
export { servingErrors } from './errors.ts'
export type { DeploymentStore } from './ports.ts'
export type { Deployment, DeploymentChanged, DeployRequest, RollbackRequest } from './types.ts'
