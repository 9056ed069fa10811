import { psiOfCounts } from '../lib/statistics.ts'
import {
  comparedColumns,
  decileEdges,
  differencePlan,
  hasMean,
  hasPsi,
  hasQuantiles,
  quantilePlace,
  quantilesShown,
  shownCells,
  shownId,
  textBinsMax,
  type ColumnDifference,
  type ColumnFigures,
  type ContractColumn,
  type DatasetDifference,
  type DifferenceCell,
  type DifferenceEngine,
  type DifferencePlan,
  type DifferenceRequest,
  type DifferenceSide,
  type RowDifference,
} from './difference.ts'
import { textAt, type Frame } from './frame.ts'
import type { SnapshotStore } from './ports.ts'

interface Row {
  readonly id: string | null
  readonly atUs: number | null
  /** Of the columns that are compared, in their order. */
  readonly cells: readonly DifferenceCell[]
}

/** The plainest statement of a difference: every row of both sides, in arrays. For tests. */
export function createMemoryDifferences(
  snapshots: Pick<SnapshotStore, 'read' | 'describe'>,
): DifferenceEngine {
  return {
    async compare(request) {
      const plan = differencePlan(request)
      const before = await rowsOf(request.before, plan, plan.before)
      const after = await rowsOf(request.after, plan, plan.after)
      return differenceOf(request, plan, before, after)
    },
  }

  async function rowsOf(
    { snapshots: hashes }: DifferenceSide,
    { compared }: DifferencePlan,
    { id, time }: DifferencePlan['before'],
  ): Promise<Row[]> {
    const rows: Row[] = []
    for (const hash of hashes) {
      const frame = await snapshots.read(hash)
      for (let row = 0; row < frame.rows; row++) {
        rows.push({
          id: textAt(frame.columns[id], row) ?? null,
          atUs: cellAt(frame, time, row) as number | null,
          cells: compared.map(({ name }) => cellAt(frame, name, row)),
        })
      }
    }
    return rows
  }
}

function cellAt(frame: Frame, name: string, row: number): DifferenceCell {
  const value = frame.columns[name]?.[row]
  return value === undefined || Number.isNaN(value) ? null : value
}

function differenceOf(
  request: DifferenceRequest,
  plan: DifferencePlan,
  before: readonly Row[],
  after: readonly Row[],
): DatasetDifference {
  const { compared, rowsMax } = plan
  const gone = byId(withoutEqual(before, after))
  const come = byId(withoutEqual(after, before))
  const pairs: { readonly before?: Row; readonly after?: Row }[] = []
  for (const id of new Set([...gone.keys(), ...come.keys()])) {
    const [olds, news] = [gone.get(id) ?? [], come.get(id) ?? []]
    const count = Math.max(olds.length, news.length)
    for (let n = 0; n < count; n++) pairs.push({ before: olds[n], after: news[n] })
  }
  const found = pairs.map((pair) => rowDifference(pair, compared))
  found.sort((a, b) => compareCells(a.atUs, b.atUs) || compareCells(a.id, b.id))
  const of = (kind: RowDifference[]) =>
    kind.slice(0, rowsMax).map((row) => ({ ...row, id: shownId(plan, row.id) }))
  const changed = found.filter((row) => row.before !== null && row.after !== null)
  const added = found.filter((row) => row.before === null)
  const removed = found.filter((row) => row.after === null)
  return {
    rows: {
      before: before.length,
      after: after.length,
      added: added.length,
      removed: removed.length,
      changed: changed.length,
    },
    parts: {
      before: request.before.snapshots.length,
      after: request.after.snapshots.length,
      shared: 0,
      rowsRead: before.length + after.length,
    },
    schema: plan.schema,
    compared: comparedColumns(plan),
    columns: compared
      .map(({ name }) => ({
        column: name,
        changed: changed.filter(({ columns }) => columns.includes(name)).length,
      }))
      .filter((column) => column.changed > 0),
    sample: { added: of(added), removed: of(removed), changed: of(changed) },
    profile: request.profile ? profileOf(compared, before, after) : null,
  }
}

/** The rows of one side for which the other has no equal one left. */
function withoutEqual(rows: readonly Row[], others: readonly Row[]): Row[] {
  const keyOf = ({ id, cells }: Row) => JSON.stringify([id, ...cells])
  const left = new Map<string, number>()
  for (const row of others) left.set(keyOf(row), (left.get(keyOf(row)) ?? 0) + 1)
  return rows.filter((row) => {
    const count = left.get(keyOf(row)) ?? 0
    if (count > 0) left.set(keyOf(row), count - 1)
    return count === 0
  })
}

/** Rows by id, those of one id in the order of their values. */
function byId(rows: readonly Row[]): Map<string | null, Row[]> {
  const groups = Map.groupBy(rows, ({ id }) => id)
  for (const group of groups.values()) {
    group.sort((a, b) => {
      for (const [at, cell] of a.cells.entries()) {
        const order = compareCells(cell, b.cells[at])
        if (order !== 0) return order
      }
      return 0
    })
  }
  return groups
}

/** Numbers by size, texts by their UTF-8 bytes, no value last. */
function compareCells(a: DifferenceCell, b: DifferenceCell): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}

function rowDifference(
  { before, after }: { readonly before?: Row; readonly after?: Row },
  compared: readonly ContractColumn[],
): RowDifference {
  const cellsOf = (row: Row | undefined) =>
    row === undefined
      ? null
      : shownCells(compared, (column) => row.cells[compared.indexOf(column)] ?? null)
  const differs = (at: number) => before!.cells[at] !== after!.cells[at]
  const isChanged = before !== undefined && after !== undefined
  const { id, atUs } = after ?? before!
  return {
    id,
    atUs,
    columns: isChanged ? compared.filter((_, at) => differs(at)).map(({ name }) => name) : [],
    before: cellsOf(before),
    after: cellsOf(after),
  }
}

function profileOf(
  compared: readonly ContractColumn[],
  before: readonly Row[],
  after: readonly Row[],
): ColumnDifference[] {
  return compared.map((column, at) => {
    const { name, type, currency, exponent } = column
    const [old, now] = [before, after].map((rows) => rows.map(({ cells }) => cells[at]))
    return {
      column: name,
      type,
      ...(currency !== undefined && { currency }),
      ...(exponent !== undefined && { exponent }),
      before: figuresOf(old, column),
      after: figuresOf(now, column),
      psi: hasPsi(type) ? psiOf(old, now) : null,
    }
  })
}

function figuresOf(cells: readonly DifferenceCell[], column: ContractColumn): ColumnFigures {
  const numbers = cells.filter((cell) => typeof cell === 'number').sort((a, b) => a - b)
  const sum = numbers.reduce((a, b) => a + b, 0)
  return {
    rows: cells.length,
    missing: cells.filter((cell) => cell === null).length,
    distinct: new Set(cells.filter((cell) => cell !== null)).size,
    mean: hasMean(column) && numbers.length > 0 ? sum / numbers.length : null,
    quantiles:
      hasQuantiles(column) && numbers.length > 0
        ? quantilesShown.map((p) => quantileAt(numbers, p))
        : [],
  }
}

function quantileAt(sorted: readonly number[], p: number): number {
  return sorted[quantilePlace(p, sorted.length)]
}

function psiOf(before: readonly DifferenceCell[], after: readonly DifferenceCell[]): number | null {
  const binOf = binsOf(before)
  const countsOf = (cells: readonly DifferenceCell[]) => {
    const counts = new Array<number>(textBinsMax + 2).fill(0)
    for (const cell of cells) counts[binOf(cell)]++
    return counts
  }
  return psiOfCounts(countsOf(before), countsOf(after))
}

/** Bin 0 is of missing values. */
function binsOf(cells: readonly DifferenceCell[]): (cell: DifferenceCell) => number {
  const numbers = cells.filter((cell) => typeof cell === 'number').sort((a, b) => a - b)
  const texts = cells.filter((cell) => typeof cell === 'string')
  if (texts.length > 0 || numbers.length === 0) {
    const counts = Map.groupBy(texts, (text) => text)
    const most = [...counts].sort(([a, m], [b, n]) => n.length - m.length || compareCells(a, b))
    const own = most.slice(0, textBinsMax).map(([text]) => text)
    return (cell) => {
      if (cell === null) return 0
      const at = own.indexOf(String(cell))
      return at < 0 ? 1 : at + 2
    }
  }
  const edges = decileEdges(numbers)
  return (cell) => {
    if (cell === null) return 0
    const at = edges.findIndex((edge) => Number(cell) <= edge)
    return at < 0 ? edges.length + 1 : at + 1
  }
}
