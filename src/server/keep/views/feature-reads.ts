// What a feature's expression looks at: keys whose past it needs, and columns of the event itself.
import type { CompiledColumn } from '../../../data/index.ts'
import { isRow, type Aggregate, type Expression } from '../../../features/index.ts'
import type { LookupField } from '../../contract/index.ts'
import type { Rooms } from '../rooms.ts'

export interface Reads {
  /** Columns of the current event that say whose past is looked at. */
  readonly keys: readonly string[]
  /** Other columns of the current event. */
  readonly columns: readonly string[]
  /** Whether rows are looked up. */
  readonly rows: boolean
  /** The shortest time after which something looked up counts as stale, µs; null where nothing can. */
  readonly staleUs: number | null
}

/**
 * Reads the columns from any operator by the members that name them, so that one that is added needs
 * no edit here: `column`, or a text as `left` or `right`; `per` or `by` and a graph's ends are keys.
 */
export function readsOf(expression: Expression): Reads {
  const keys = new Set<string>()
  const columns = new Set<string>()
  let rows = false
  let staleUs: number | null = null
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const members = node as Readonly<Record<string, unknown>>
    if (members.op === 'aggregate' && isRow(members.aggregate as Aggregate)) rows = true
    const { staleUs: stale, by, per, from, to, aggregate } = members
    if (typeof stale === 'number') staleUs = Math.min(staleUs ?? Infinity, stale)
    for (const key of textsOf(by ?? per)) keys.add(key)
    for (const key of textsOf([from, to])) keys.add(key)
    // What else an aggregate names is of past events, not of the current one.
    if (per !== undefined) return
    for (const column of textsOf([members.column, members.left, members.right])) columns.add(column)
    for (const part of aggregate === undefined ? Object.values(members) : [aggregate]) visit(part)
  }
  visit(expression)
  return {
    keys: [...keys].sort(),
    columns: [...columns].filter((column) => !keys.has(column)).sort(),
    rows,
    staleUs,
  }
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

/** The columns that a look-up of these features takes, in contract order; only keys are needed. */
export function lookupOf(rooms: Rooms, source: string, all: readonly Reads[]): LookupField[] {
  const keys = new Set(all.flatMap((reads) => reads.keys))
  const columns = new Set(all.flatMap((reads) => reads.columns))
  const declared = rooms.project()?.sources.find(({ name }) => name === source)?.columns ?? []
  return declared
    .filter(({ name }) => keys.has(name) || columns.has(name))
    .map((column) => ({
      column: column.name,
      role: keys.has(column.name) ? ('key' as const) : ('event' as const),
      kind: column.kind,
      sentAs: sentAs(column),
      description: column.description,
      optional: !keys.has(column.name),
    }))
}

function sentAs(column: CompiledColumn): LookupField['sentAs'] {
  if (column.kind === 'key') return column.type === 'integer' ? 'number' : 'text'
  if (column.kind === 'boolean') return 'boolean'
  return column.kind === 'integer' || column.kind === 'number' ? 'number' : 'text'
}
