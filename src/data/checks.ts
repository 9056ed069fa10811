// Checks of a table that a step made: of quality, and of what would make a model unfair. Pure: columns
// in, evidence out. A check that cannot be made (no such column) has not passed.
import {
  isMissing,
  spreadOf,
  stabilityIndex,
  type CheckCell,
  type ColumnSpread,
} from './column-spread.ts'

/** What must hold of a table. Shares are 0 to 1. */
export type TableCheck =
  | { readonly check: 'rows'; readonly min?: number; readonly max?: number }
  | { readonly check: 'missing'; readonly column: string; readonly maxShare: number }
  | { readonly check: 'unique'; readonly columns: readonly string[] }
  | {
      readonly check: 'range'
      readonly column: string
      readonly min?: number
      readonly max?: number
    }
  | {
      readonly check: 'allowed'
      readonly column: string
      readonly values: readonly (string | number | boolean)[]
    }
  | { readonly check: 'drift'; readonly column: string; readonly maxPsi: number }
  | {
      readonly check: 'coverage'
      readonly by: string
      readonly minRows: number
      /** Groups that must be there; by default those that are. */
      readonly groups?: readonly (string | number | boolean)[]
    }
  | {
      readonly check: 'label-rate'
      readonly label: string
      readonly positive: string | number | boolean
      readonly by: string
      readonly maxDifference: number
      readonly minRows: number
    }
  | {
      readonly check: 'missing-by-group'
      readonly column: string
      readonly by: string
      readonly maxDifference: number
      readonly minRows: number
    }

/** Declares checks of a step's table. */
export const check = {
  rows: (bounds: { readonly min?: number; readonly max?: number }): TableCheck => ({
    check: 'rows',
    ...bounds,
  }),
  /** At most this share of a column is null or an empty text. */
  missing: (column: string, { maxShare }: { readonly maxShare: number }): TableCheck => ({
    check: 'missing',
    column,
    maxShare,
  }),
  /** No two rows have the same values in these columns together; rows with a missing one are left out. */
  unique: (...columns: readonly string[]): TableCheck => ({ check: 'unique', columns }),
  /** Numbers lie in [min, max]; missing ones are left out, and a text is outside. */
  range: (
    column: string,
    bounds: { readonly min?: number; readonly max?: number },
  ): TableCheck => ({ check: 'range', column, ...bounds }),
  allowed: (column: string, values: readonly (string | number | boolean)[]): TableCheck => ({
    check: 'allowed',
    column,
    values,
  }),
  /**
   * The population stability index against the last version that passed; the first has nothing to
   * differ from. 0.1 is called a small shift and 0.25 a large one.
   */
  drift: (column: string, { maxPsi }: { readonly maxPsi: number }): TableCheck => ({
    check: 'drift',
    column,
    maxPsi,
  }),
  /** Bias: every group has at least so many rows. */
  coverage: (
    by: string,
    options: { readonly minRows: number; readonly groups?: readonly (string | number | boolean)[] },
  ): TableCheck => ({ check: 'coverage', by, ...options }),
  /**
   * Bias: rates of the positive label differ by at most so much between groups of `minRows` rows
   * (default 30) with a label; smaller groups are named and not judged.
   */
  labelRate: (
    label: string,
    options: {
      readonly positive: string | number | boolean
      readonly by: string
      readonly maxDifference: number
      readonly minRows?: number
    },
  ): TableCheck => ({ check: 'label-rate', label, minRows: GROUP_ROWS_MIN, ...options }),
  /** Bias: shares of missing values differ by at most so much between groups of `minRows` rows. */
  missingByGroup: (
    column: string,
    options: { readonly by: string; readonly maxDifference: number; readonly minRows?: number },
  ): TableCheck => ({ check: 'missing-by-group', column, minRows: GROUP_ROWS_MIN, ...options }),
}

const GROUP_ROWS_MIN = 30

/** What one check found. */
export interface CheckEvidence {
  readonly check: TableCheck
  readonly passed: boolean
  /** One sentence with the figures. */
  readonly said: string
  readonly figures: Readonly<Record<string, number>>
  /** Of a drift check: what the next version is compared with once this one has passed. */
  readonly spread?: ColumnSpread
}

/** A table as the checks see it. */
export interface CheckedTable {
  readonly rows: number
  /** Undefined where there is no such column. */
  column(name: string): readonly CheckCell[] | undefined
}

/** The columns that checks look at. */
export function checkedColumns(checks: readonly TableCheck[]): string[] {
  const names = checks.flatMap((each) => columnsOf(each))
  return [...new Set(names)]
}

/**
 * Makes each check. `before` gives the spread of a column in the last version that passed.
 * Rows are looked at once for each check; memory is that of the columns.
 */
export function runChecks(
  checks: readonly TableCheck[],
  table: CheckedTable,
  before: (column: string) => ColumnSpread | undefined = () => undefined,
): CheckEvidence[] {
  return checks.map((each) => {
    const absent = columnsOf(each).find((name) => table.column(name) === undefined)
    if (absent !== undefined) {
      return evidence(each, false, `There is no column ${absent}.`, {})
    }
    return run(each, table, before)
  })
}

function run(
  each: TableCheck,
  table: CheckedTable,
  before: (column: string) => ColumnSpread | undefined,
): CheckEvidence {
  const cells = (name: string) => table.column(name) ?? []
  switch (each.check) {
    case 'rows': {
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = each
      const said = `${table.rows} rows; ${bounds(each.min, each.max)}.`
      return evidence(each, table.rows >= min && table.rows <= max, said, { rows: table.rows })
    }
    case 'missing': {
      const missing = cells(each.column).filter(isMissing).length
      const share = table.rows === 0 ? 0 : missing / table.rows
      const said = `${missing} of ${table.rows} values of ${each.column} are missing (${percent(share)}; at most ${percent(each.maxShare)}).`
      return evidence(each, share <= each.maxShare, said, { missing, share })
    }
    case 'unique':
      return unique(each, table)
    case 'range':
      return range(each, cells(each.column))
    case 'allowed': {
      const allowed = new Set<CheckCell>(each.values)
      const outside = cells(each.column).filter((cell) => !isMissing(cell) && !allowed.has(cell))
      const others = [...new Set(outside)].slice(0, NAMED_MAX).map(String).join(', ')
      const said = `${outside.length} values of ${each.column} are not allowed${others === '' ? '' : `: ${others}`}.`
      return evidence(each, outside.length === 0, said, { outside: outside.length })
    }
    case 'drift':
      return drift(each, cells(each.column), before(each.column))
    case 'coverage':
      return coverage(each, cells(each.by))
    case 'label-rate': {
      const { label, positive } = each
      const rates = shares(cells(each.by), cells(label), (cell) => cell === positive, true)
      return between(each, rates, `rates of ${label} = ${String(positive)}`)
    }
    case 'missing-by-group': {
      const rates = shares(cells(each.by), cells(each.column), isMissing, false)
      return between(each, rates, `shares of missing ${each.column}`)
    }
  }
}

const NAMED_MAX = 5

function unique(
  each: TableCheck & { readonly check: 'unique' },
  table: CheckedTable,
): CheckEvidence {
  const columns = each.columns.map((name) => table.column(name) ?? [])
  const seen = new Set<string>()
  let twice = 0
  for (let row = 0; row < table.rows; row++) {
    const values = columns.map((cells) => cells[row])
    if (values.some(isMissing)) continue
    const key = JSON.stringify(values)
    if (seen.has(key)) twice++
    else seen.add(key)
  }
  const said = `${twice} rows repeat ${each.columns.join(', ')} of an earlier row.`
  return evidence(each, twice === 0, said, { repeated: twice })
}

function range(
  each: TableCheck & { readonly check: 'range' },
  cells: readonly CheckCell[],
): CheckEvidence {
  const { min = -Infinity, max = Infinity } = each
  let outside = 0
  let low = Infinity
  let high = -Infinity
  for (const cell of cells) {
    if (isMissing(cell)) continue
    const value = typeof cell === 'number' ? cell : Number.NaN
    if (!(value >= min && value <= max)) outside++
    if (value < low) low = value
    if (value > high) high = value
  }
  const found = low > high ? 'no numbers' : `${low} to ${high}`
  const said = `${outside} values of ${each.column} lie outside (${found}; ${bounds(each.min, each.max)}).`
  return evidence(each, outside === 0, said, {
    outside,
    ...(low <= high && { min: low, max: high }),
  })
}

function coverage(
  each: TableCheck & { readonly check: 'coverage' },
  groups: readonly CheckCell[],
): CheckEvidence {
  const rows = new Map<string, number>((each.groups ?? []).map((group) => [String(group), 0]))
  for (const group of groups) {
    const name = isMissing(group) ? 'missing' : String(group)
    if (each.groups !== undefined && !rows.has(name)) continue
    rows.set(name, (rows.get(name) ?? 0) + 1)
  }
  const small = [...rows].filter(([, count]) => count < each.minRows)
  const named = small
    .slice(0, NAMED_MAX)
    .map(([group, count]) => `${group} has ${count}`)
    .join(', ')
  const said =
    rows.size === 0
      ? `There is no group of ${each.by}.`
      : `${small.length} of ${rows.size} groups of ${each.by} have fewer than ${each.minRows} rows${named === '' ? '' : `: ${named}`}.`
  const least = rows.size === 0 ? 0 : [...rows.values()].reduce((a, b) => Math.min(a, b))
  return evidence(each, rows.size > 0 && small.length === 0, said, {
    groups: rows.size,
    smallGroups: small.length,
    leastRows: least,
  })
}

interface GroupShare {
  readonly group: string
  readonly rows: number
  readonly share: number
}

function shares(
  groups: readonly CheckCell[],
  cells: readonly CheckCell[],
  counts: (cell: CheckCell) => boolean,
  skipMissing: boolean,
): GroupShare[] {
  const found = new Map<string, { rows: number; counted: number }>()
  for (const [row, group] of groups.entries()) {
    const cell = cells[row] ?? null
    if (skipMissing && isMissing(cell)) continue
    const name = isMissing(group) ? 'missing' : String(group)
    const of = found.get(name) ?? { rows: 0, counted: 0 }
    of.rows++
    if (counts(cell)) of.counted++
    found.set(name, of)
  }
  return [...found].map(([group, { rows, counted }]) => ({ group, rows, share: counted / rows }))
}

function between(
  each: TableCheck & { readonly check: 'label-rate' | 'missing-by-group' },
  all: readonly GroupShare[],
  what: string,
): CheckEvidence {
  const judged = all.filter(({ rows }) => rows >= each.minRows)
  const small = all.length - judged.length
  const left =
    small === 0 ? '' : ` ${small} groups of fewer than ${each.minRows} rows are left out.`
  if (judged.length < 2) {
    const said = `Fewer than two groups of ${each.by} have ${each.minRows} rows, so ${what} cannot be compared.`
    return evidence(each, false, said, { groups: judged.length, smallGroups: small })
  }
  const sorted = judged.toSorted((a, b) => a.share - b.share || (a.group < b.group ? -1 : 1))
  const low = sorted[0]
  const high = sorted[sorted.length - 1]
  const difference = high.share - low.share
  const said = `By ${each.by}, ${what} differ by ${percent(difference)} (at most ${percent(each.maxDifference)}): ${low.group} ${percent(low.share)} of ${low.rows}, ${high.group} ${percent(high.share)} of ${high.rows}.${left}`
  return evidence(each, difference <= each.maxDifference, said, {
    difference,
    low: low.share,
    high: high.share,
    groups: judged.length,
    smallGroups: small,
  })
}

function drift(
  each: TableCheck & { readonly check: 'drift' },
  cells: readonly CheckCell[],
  before: ColumnSpread | undefined,
): CheckEvidence {
  const spread = spreadOf(cells)
  if (before === undefined) {
    const said = `There is no earlier version of ${each.column} that passed.`
    return { ...evidence(each, true, said, {}), spread }
  }
  if (before.kind !== spread.kind) {
    const said = `${each.column} was of kind ${before.kind} and is ${spread.kind}.`
    return { ...evidence(each, false, said, {}), spread }
  }
  const psi = stabilityIndex(before, cells)
  const said = `The stability index of ${each.column} against the last version that passed is ${psi.toFixed(3)} (at most ${each.maxPsi}).`
  return { ...evidence(each, psi <= each.maxPsi, said, { psi }), spread }
}

function columnsOf(each: TableCheck): readonly string[] {
  switch (each.check) {
    case 'rows':
      return []
    case 'unique':
      return each.columns
    case 'coverage':
      return [each.by]
    case 'label-rate':
      return [each.label, each.by]
    case 'missing-by-group':
      return [each.column, each.by]
    default:
      return [each.column]
  }
}

/** What makes a check one that can never hold or never fail; undefined where nothing does. */
export function mistakeInCheck(each: TableCheck): string | undefined {
  const share = (value: number) => value >= 0 && value <= 1
  switch (each.check) {
    case 'rows':
    case 'range':
      if (each.min === undefined && each.max === undefined) return 'give min, max or both'
      return (each.min ?? -Infinity) <= (each.max ?? Infinity) ? undefined : 'min is above max'
    case 'missing':
      return share(each.maxShare) ? undefined : 'maxShare lies from 0 to 1'
    case 'unique':
      return each.columns.length > 0 ? undefined : 'name a column'
    case 'allowed':
      return each.values.length > 0 ? undefined : 'name the values that are allowed'
    case 'drift':
      return each.maxPsi > 0 ? undefined : 'maxPsi is above 0'
    case 'coverage':
      return each.minRows >= 1 ? undefined : 'minRows is at least 1'
    case 'label-rate':
    case 'missing-by-group':
      if (!share(each.maxDifference)) return 'maxDifference lies from 0 to 1'
      return each.minRows >= 1 ? undefined : 'minRows is at least 1'
  }
}

function evidence(
  each: TableCheck,
  passed: boolean,
  said: string,
  figures: Readonly<Record<string, number>>,
): CheckEvidence {
  return { check: each, passed, said, figures }
}

function bounds(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `at most ${max}`
  return max === undefined ? `at least ${min}` : `${min} to ${max}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}
