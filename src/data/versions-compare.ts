import type { DatasetDifference, DifferenceEngine, DifferenceSide } from './difference.ts'
import { refuseRemoved, type DatasetVersion } from './versions.ts'
import type { DatasetVersionDetail, DataVersions } from './versions-service.ts'

/** Two versions of a dataset by their names, and what is asked of their difference. */
export interface CompareVersions {
  readonly dataset: string
  /** Number, `latest`, tag, or eight or more digits of the hash. */
  readonly before: string
  readonly after: string
  /** Rows of each kind that are shown, at most 100. */
  readonly rowsMax: number
  readonly profile: boolean
}

export interface VersionDifference {
  readonly before: DatasetVersion
  readonly after: DatasetVersion
  readonly difference: DatasetDifference
}

/**
 * Finds two versions and compares them. Errors: `dataset_version_not_found`,
 * `dataset_version_removed`, and those of the engine.
 */
export async function compareVersions(
  { dataset, before, after, rowsMax, profile }: CompareVersions,
  ports: { readonly versions: Pick<DataVersions, 'find'>; readonly differences: DifferenceEngine },
): Promise<VersionDifference> {
  const [old, now] = [
    await presentVersion(dataset, before, ports.versions),
    await presentVersion(dataset, after, ports.versions),
  ]
  const request = { before: sideOf(old), after: sideOf(now), rowsMax, profile }
  const difference = await ports.differences.compare(request)
  return { before: old.version, after: now.version, difference }
}

/** A version whose rows can be read. Errors: `dataset_version_not_found`, `dataset_version_removed`. */
export async function presentVersion(
  dataset: string,
  name: string,
  versions: Pick<DataVersions, 'find'>,
): Promise<DatasetVersionDetail> {
  const found = await versions.find(dataset, name)
  refuseRemoved(found.version)
  return found
}

function sideOf({ parts }: DatasetVersionDetail): DifferenceSide {
  return { contract: parts.at(-1)!.contract, snapshots: parts.map(({ hash }) => hash) }
}
