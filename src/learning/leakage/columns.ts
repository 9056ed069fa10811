/** Warnings about single columns, and about the order of the rows. */
import { selectValues } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { type AloneFigure, aloneFigure, binColumn, orderFigure, type Labels } from './alone.ts'
import type { LeakageInput, LeakageWarning } from './leakage.ts'

/** Areas and R² from which a column alone is suspicious, or surely wrong. */
const BARS = {
  area: {
    /** Credit scores made of dozens of columns reach 0.87; one column alone does not reach this. */
    likely: 0.95,
    /** Together with `apart`. */
    possible: 0.75,
    /** So many times as far from chance (0.5) as the next best column. */
    apart: 1.75,
    /** Of whether a column is missing. */
    missing: 0.7,
    /** Of the order of the rows. */
    order: 0.6,
  },
  explained: { likely: 0.999, possible: 0.9, missing: 0.5, order: 0.2 },
} as const

/** Fewer columns have no next best to be told from. */
const OTHERS_TO_COMPARE = 2
/** Fewer rows may all differ by chance. */
const ROWS_FOR_IDS = 100
/** A text column is like an id from this share of values of their own on. */
const OWN_VALUES = 0.99
const CELLS_MAX = 20_000_000
const ROWS_MAX = 50_000
const ROWS_MIN = 5_000

/** Judges every column by itself, by a sample of the rows where there are many. */
export function columnWarnings(input: LeakageInput): LeakageWarning[] {
  const { x, target, seed = 0 } = input
  const rows = sampleRows(target.y, rowsFor(x.columns.length), seed)
  const sampled: Labels = { ...target, y: selectValues(target.y, rows) }
  const isCategory = new Set(input.categorical)
  const columns = x.names.map((name, i) => {
    const whole = x.columns[i]
    const facts = { name, isCategory: isCategory.has(name), whole, of: selectValues(whole, rows) }
    return { ...facts, alone: figureAlone(facts, sampled, seed) }
  })
  return columns.flatMap((column) => {
    const { name, whole } = column
    const constant = constantWarning(name, whole)
    if (constant !== undefined) return [constant]
    const copy = copyWarning(name, whole, target)
    if (copy !== undefined) return [copy]
    const others = columns.filter((other) => other !== column && !isGivenAway(other.alone))
    return [
      idWarning(name, whole, column.isCategory),
      goodWarning(
        name,
        column.alone,
        others.map(({ alone }) => alone),
        target.task,
      ),
      missingWarning(name, column.of, sampled, seed),
    ].filter((warning) => warning !== undefined)
  })
}

/** Whether the target depends on where, or when, a row stands. */
export function orderWarnings(input: LeakageInput): LeakageWarning[] {
  const { target, eventTimeUs, seed = 0 } = input
  const place = Float64Array.from(target.y, (_, row) => eventTimeUs?.[row] ?? row)
  const rows = sampleRows(target.y, ROWS_MAX, seed)
  const sampled: Labels = { ...target, y: selectValues(target.y, rows) }
  const figure = aloneFigure(binColumn(selectValues(place, rows), false), sampled, seed)
  const bar = target.task === 'regression' ? BARS.explained.order : BARS.area.order
  if (figure.atLeast < bar) return []
  const has = `alone has ${inWords(figure.value, target)}`
  const words =
    eventTimeUs === undefined
      ? `The target follows the order of the rows, which ${has}. If that is their order in time, ` +
        'name the time and part them by it, as folds by chance test on the past; if the file was ' +
        'sorted by its target, nothing is wrong.'
      : `The target follows time, which ${has}. Folds by chance test on the past; part the rows ` +
        'by time instead.'
  return [{ code: 'target_follows_order', level: 'possible', figure: figure.value, words }]
}

/** A column that surely leaks is no measure of what the others can tell. */
function isGivenAway({ atLeast }: AloneFigure): boolean {
  return atLeast >= BARS.area.likely
}

type ColumnFacts = { readonly isCategory: boolean; readonly of: Float64Array }

function figureAlone({ of, isCategory }: ColumnFacts, target: Labels, seed: number | string) {
  const binned = aloneFigure(binColumn(of, isCategory), target, seed)
  if (isCategory || target.task !== 'binary') return binned
  const ordered = orderFigure(of, target.y)
  return ordered.atLeast > binned.atLeast ? ordered : binned
}

function constantWarning(column: string, values: Float64Array): LeakageWarning | undefined {
  if (!values.every((value) => Object.is(value, values[0]) || value === values[0])) return undefined
  const what = Number.isNaN(values[0]) ? 'is missing in every row' : 'has one value in every row'
  return {
    code: 'constant',
    column,
    level: 'note',
    figure: 1,
    words: `"${column}" ${what} and tells nothing; drop it, or check how it was loaded.`,
  }
}

/** One value for one label and the other way round; of numbers, a straight line through all. */
function copyWarning(
  column: string,
  values: Float64Array,
  target: Labels,
): LeakageWarning | undefined {
  const isCopy =
    target.task === 'regression' ? isLine(values, target.y) : isRenaming(values, target.y)
  if (!isCopy) return undefined
  return {
    code: 'target_copy',
    column,
    level: 'likely',
    figure: 1,
    words: `"${column}" is the target under another name; drop it.`,
  }
}

function isRenaming(values: Float64Array, y: Float64Array): boolean {
  const labels = new Set(y).size
  const labelOf = new Map<number, number>()
  for (let row = 0; row < y.length; row++) {
    const label = labelOf.get(values[row])
    if (label === undefined) labelOf.set(values[row], y[row])
    else if (label !== y[row]) return false
    if (labelOf.size > labels) return false
  }
  // As many values as labels, and each label has one.
  return labelOf.size === labels && new Set(labelOf.values()).size === labels
}

/** Whether y = a + b·x to nine digits; a missing value breaks the line. */
function isLine(values: Float64Array, y: Float64Array): boolean {
  const [cx, cy] = [values, y].map((list) => list.reduce((sum, v) => sum + v, 0) / list.length)
  let xx = 0
  let xy = 0
  let yy = 0
  for (let row = 0; row < y.length; row++) {
    xx += (values[row] - cx) * (values[row] - cx)
    xy += (values[row] - cx) * (y[row] - cy)
    yy += (y[row] - cy) * (y[row] - cy)
  }
  return (xy / xx) * (xy / yy) > 1 - 1e-9
}

function idWarning(
  column: string,
  values: Float64Array,
  isCategory: boolean,
): LeakageWarning | undefined {
  if (values.length < ROWS_FOR_IDS) return undefined
  if (!isCategory && !values.every((value) => Number.isInteger(value))) return undefined
  const repeatsMax = isCategory ? (1 - OWN_VALUES) * values.length : 0
  const seen = new Set<number>()
  let repeats = 0
  for (const value of values) {
    if (seen.has(value) && ++repeats > repeatsMax) return undefined
    seen.add(value)
  }
  const share = seen.size / values.length
  return {
    code: 'id_like',
    column,
    level: 'possible',
    figure: share,
    words:
      `"${column}" has a value of its own in ${percent(share)} of the rows, like an id: a model ` +
      'can only learn it by heart. Drop it, or name it as the group or the time.',
  }
}

function goodWarning(
  column: string,
  figure: AloneFigure,
  others: readonly AloneFigure[],
  task: Labels['task'],
): LeakageWarning | undefined {
  const level = suspicion(figure, others, task)
  if (level === undefined) return undefined
  const also = level === 'possible' && task !== 'regression' ? ', far beyond any other column' : ''
  return {
    code: 'too_good',
    column,
    level,
    figure: figure.value,
    words:
      `"${column}" alone has ${inWords(figure.value, { task })}${also}. Make sure that its value ` +
      'is known before the target is; if it is not, drop it.',
  }
}

function suspicion(
  { value, atLeast }: AloneFigure,
  others: readonly AloneFigure[],
  task: Labels['task'],
): 'likely' | 'possible' | undefined {
  if (task === 'regression') {
    if (atLeast >= BARS.explained.likely) return 'likely'
    return atLeast >= BARS.explained.possible ? 'possible' : undefined
  }
  const { likely, possible, apart } = BARS.area
  if (atLeast >= likely) return 'likely'
  if (atLeast < possible || others.length < OTHERS_TO_COMPARE) return undefined
  const next = others.reduce((best, other) => Math.max(best, other.value), 0.5)
  return value - 0.5 >= apart * (next - 0.5) ? 'possible' : undefined
}

function missingWarning(
  column: string,
  values: Float64Array,
  target: Labels,
  seed: number | string,
): LeakageWarning | undefined {
  const of = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0))
  if (!of.includes(0) || !of.includes(1)) return undefined
  const { value, atLeast } = aloneFigure({ of, count: 2 }, target, seed)
  const bars = target.task === 'regression' ? BARS.explained : BARS.area
  if (atLeast < bars.missing) return undefined
  return {
    code: 'missing_too_good',
    column,
    level: atLeast >= bars.likely ? 'likely' : 'possible',
    figure: value,
    words:
      `Whether "${column}" is missing has, alone, ${inWords(value, target)}. It may be filled in ` +
      'only after the target is known; if so, drop it.',
  }
}

function inWords(figure: number, { task }: Pick<Labels, 'task'>): string {
  if (task === 'regression') return `an R² of ${figure.toFixed(3)}`
  return `an area under the ROC curve of ${figure.toFixed(3)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 0)} %`
}

function rowsFor(columns: number): number {
  return Math.min(ROWS_MAX, Math.max(ROWS_MIN, Math.floor(CELLS_MAX / Math.max(columns, 1))))
}

/** Rows drawn without repetition, in ascending order; of two values as many of the rare as can be. */
function sampleRows(y: Float64Array, max: number, seed: number | string): Uint32Array {
  const order = Uint32Array.from(y.keys())
  if (y.length <= max) return order
  createRandom(seed).fork('leakage rows').shuffle(order)
  const ones = y.reduce((sum, value) => (value === 1 ? sum + 1 : sum), 0)
  const rare = 2 * ones < y.length ? 1 : 0
  const isTwo = y.every((value) => value === 0 || value === 1)
  const kept = isTwo ? order.filter((row) => y[row] === rare).slice(0, max / 2) : order.slice(0, 0)
  const others = order.filter((row) => !isTwo || y[row] !== rare).slice(0, max - kept.length)
  return Uint32Array.from([...kept, ...others]).sort()
}
