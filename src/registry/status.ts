import type { VersionStatus } from './types.ts'

/**
 * The steps a version may take. `live` is entered from `approved` alone, so nothing reaches traffic
 * but through governance; leaving traffic returns it to `approved`, where a roll-back finds it. A
 * voided approval returns `approved` to `candidate`. A new gate run may revive a refused version.
 */
const steps: Readonly<Record<VersionStatus, readonly VersionStatus[]>> = {
  candidate: ['refused', 'approved', 'retired'],
  refused: ['candidate', 'retired'],
  approved: ['live', 'candidate', 'refused', 'retired'],
  live: ['approved'],
  retired: [],
}

/** Whether a version stands or may come to stand before traffic, and so cannot be deleted. */
export function isKept(status: VersionStatus): boolean {
  return status === 'approved' || status === 'live'
}

export function mayStep(from: VersionStatus, to: VersionStatus): boolean {
  return steps[from].includes(to)
}
