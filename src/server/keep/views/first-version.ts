// One version where a list would do: a model may have thousands.
import type { Filter } from '../../../lib/filter.ts'
import type {
  Registry,
  LabelledVersion,
  VersionField,
  VersionStatus,
} from '../../../registry/index.ts'

export interface VersionsWanted {
  readonly model?: string
  readonly status?: VersionStatus
}

export function versionsWith({ model, status }: VersionsWanted): Filter<VersionField> {
  const is = (name: 'model' | 'status', value: string | undefined) =>
    value === undefined ? [] : [{ field: { of: 'attribute', name }, op: '=', value } as const]
  return { all: [...is('model', model), ...is('status', status)] }
}

/** By model, and then the newest. */
export async function firstVersion(
  registry: Pick<Registry, 'searchVersions'>,
  wanted: VersionsWanted,
): Promise<LabelledVersion | undefined> {
  const filter = versionsWith(wanted)
  const { versions } = await registry.searchVersions({
    filter,
    prompts: 'with',
    order: [],
    limit: 1,
  })
  return versions[0]
}
