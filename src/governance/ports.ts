import type { CompiledGatePolicy } from './policy.ts'
import type { Approval, GateRun, InventoryEntry } from './types.ts'

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
}
