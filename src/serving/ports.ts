import type { Deployment, Proposal, Suspension } from './types.ts'

/** The history of what answered each decision policy. */
export interface DeploymentStore {
  insert(deployment: Deployment): Promise<void>
  /** Says when one ended (µs UTC): it is the live one no more. */
  close(id: string, toUs: number): Promise<void>
  /** The live one of a policy. */
  current(policy: string): Promise<Deployment | undefined>
  /** Newest first; of every policy when none is given. */
  history(policy?: string): Promise<Deployment[]>
  /** The one that was live at an instant (µs UTC). */
  at(policy: string, atUs: number): Promise<Deployment | undefined>

  /** Adds a proposal, or puts it in the place of the one of the same id. */
  putProposal(proposal: Proposal): Promise<void>
  proposal(id: string): Promise<Proposal | undefined>
  /** Newest first, at most `limit`. */
  proposals(policy: string, limit: number): Promise<Proposal[]>
  /** One of each policy: the last state counts. */
  putSuspension(suspension: Suspension): Promise<void>
  suspensions(): Promise<Suspension[]>
}
