import type { CompiledGatePolicy } from './policy.ts'
import type { AfterReview, AfterSignature, Approval, GateRun, InventoryEntry } from './types.ts'

/** Inventory, compiled gates, gate runs and approvals. Runs and approvals are only ever added. */
export interface GovernanceStore {
  /** Gates are content: storing one twice is one row. */
  putGate(gate: CompiledGatePolicy): Promise<void>
  gate(hash: string): Promise<CompiledGatePolicy | undefined>

  putInventory(entry: InventoryEntry): Promise<void>
  inventoryEntry(model: string): Promise<InventoryEntry | undefined>
  /** By model name. */
  inventory(): Promise<InventoryEntry[]>

  insertGateRun(run: GateRun): Promise<void>
  latestGateRun(model: string, version: number): Promise<GateRun | undefined>
  /** Newest first. */
  gateRuns(model: string, version?: number): Promise<GateRun[]>

  insertApproval(approval: Approval): Promise<void>
  /** In order of time. */
  approvals(model: string, version: number): Promise<Approval[]>

  insertAfterReview(review: AfterReview): Promise<void>
  afterReview(id: string): Promise<AfterReview | undefined>
  /** Newest first; those without a signature when `open`. */
  afterReviews(query: { readonly open: boolean; readonly limit: number }): Promise<AfterReview[]>
  signAfterReview(id: string, signed: AfterSignature): Promise<void>
}
