import { contentHash } from '../lib/hash.ts'
import type { ModelVersion } from './types.ts'

/**
 * The content hash of a version's immutable record: everything but its status. Recomputed from what
 * a store returns, it shows whether the record is still the one that was registered. The record
 * names the model as it was called then, so that a later renaming changes no hash.
 */
export function versionHash(
  version: Omit<ModelVersion, 'hash' | 'status' | 'statusReason'>,
): string {
  return contentHash(recordOf(version))
}

/** The part of a version that never changes, as it was registered. */
export function recordOf(
  version: Omit<ModelVersion, 'hash' | 'status' | 'statusReason'>,
): Omit<ModelVersion, 'hash' | 'status' | 'statusReason' | 'registeredAs'> {
  const {
    hash: _,
    status: __,
    statusReason: ___,
    registeredAs,
    ...immutable
  } = version as ModelVersion
  return { ...immutable, model: registeredAs ?? immutable.model }
}
