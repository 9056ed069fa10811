import type { Deployment } from './types.ts'

/** The history of what answered each decision policy. */
export interface DeploymentStore {
  insert(deployment: Deployment): Promise<void>
  close(id: string, toUs: number): Promise<void>
  deployment(id: string): Promise<Deployment | undefined>
  /** The live one of a policy. */
  current(policy: string): Promise<Deployment | undefined>
  /** Newest first; of every policy when none is given. */
  history(policy?: string): Promise<Deployment[]>
  /** The one that was live at an instant (µs UTC). */
  at(policy: string, atUs: number): Promise<Deployment | undefined>
}
