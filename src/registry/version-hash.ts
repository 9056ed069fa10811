import { contentHash } from '../lib/hash.ts'
import type { ModelVersion } from './types.ts'

/**
 * The content hash of a version's immutable record: everything but its status. Recomputed from what
 * a store returns, it shows whether the record is still the one that was registered.
 */
export function versionHash(
  version: Omit<ModelVersion, 'hash' | 'status' | 'statusReason'>,
): string {
  const { hash: _, status: __, statusReason: ___, ...immutable } = version as ModelVersion
  return contentHash(immutable)
}
