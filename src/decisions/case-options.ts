// How a policy's alerts become cases; absent from a policy that declares nothing of it.
import type { CompiledSource } from '../data/index.ts'
import { HOUR_US } from '../lib/time.ts'

export interface CaseOptions {
  /** The key column whose alerts are worked together; the first of the source unless stated. */
  readonly entity?: string | undefined
  /** An alert joins the open case of its entity that was opened at most so long ago; default 72. */
  readonly windowHours?: number | undefined
  /** A case is due so long after its first alert; default 24. */
  readonly dueHours?: number | undefined
  /** Whether a verdict waits for the yes of a second person; default false. */
  readonly fourEyes?: boolean | undefined
}

export interface CaseSettings {
  readonly entity: string | undefined
  readonly windowUs: number
  readonly dueUs: number
  readonly fourEyes: boolean
}

export function caseSettings(declared: CaseOptions | undefined): CaseSettings {
  const { entity, windowHours = 72, dueHours = 24, fourEyes = false } = declared ?? {}
  return { entity, windowUs: windowHours * HOUR_US, dueUs: dueHours * HOUR_US, fourEyes }
}

const HOURS_MAX = 24 * 366

export function* caseMistakes(
  { entity, windowHours = 72, dueHours = 24 }: CaseOptions,
  source: CompiledSource,
): Generator<string> {
  const keys = source.columns.filter(({ kind }) => kind === 'key').map(({ name }) => name)
  if (entity !== undefined && !keys.includes(entity)) {
    yield `cases are of "${entity}", which is no key of source "${source.name}"; keys: ${keys.join(', ') || 'none'}`
  }
  for (const [name, hours] of Object.entries({ windowHours, dueHours })) {
    if (!Number.isSafeInteger(hours) || hours < 1 || hours > HOURS_MAX) {
      yield `${name} of cases must be 1 to ${HOURS_MAX} hours`
    }
  }
}
