// Small pieces that every view is made of: times, money, estimates, people, references.
import type { Identity as KnownIdentity } from '../../access/index.ts'
import { formatMinor } from '../../lib/decimal.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type {
  Estimate,
  Identity,
  Interval,
  Money,
  ObjectRef,
  Rate,
  Time,
  Verdict,
} from '../contract/index.ts'

export const time = (us: number): Time => formatTimestamp(us)
export const timeOrNull = (us: number | null | undefined): Time | null =>
  us === null || us === undefined ? null : formatTimestamp(us)

export const short = (hash: string): string => hash.slice(0, 12)

export const ref = (kind: ObjectRef['kind'], id: string, title = id): ObjectRef => ({
  kind,
  id,
  title,
})
export const versionRef = (model: string, version: number): ObjectRef =>
  ref('version', `${model}/${version}`, `${model} version ${version}`)

export const verdict = (status: Verdict['status'], sentence: string): Verdict => ({
  status,
  sentence,
})

export const money = (minor: number, currency: string, exponent = 2): Money => ({
  minor,
  currency,
  exponent,
})

/** `EUR 1,234.50`, for sentences. */
export function moneyText(minor: number, currency: string, exponent = 2): string {
  return `${currency} ${formatMinor(minor, exponent).replace(/\B(?=(\d{3})+(?!\d))/g, ',')}`
}

/** `1,234,567`, for sentences. */
export const count = (n: number): string => n.toLocaleString('en-US')

/** `one payment`, `3 payments`: a count with its noun. */
export const plural = (n: number, noun: string): string =>
  `${count(n)} ${noun}${n === 1 ? '' : 's'}`

export function identityView(known: KnownIdentity | undefined, id: string): Identity {
  if (known) return { id: known.id, name: known.name, kind: known.kind }
  if (id === 'system') return { id, name: 'Assay', kind: 'system' }
  return { id, name: id, kind: 'system' }
}

interface Measured {
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  readonly n?: number | undefined
}

export function estimate(metric: Measured | undefined, level = 0.95): Estimate {
  if (metric === undefined) return { value: null, n: 0, interval: null }
  return {
    value: metric.value,
    n: metric.n ?? 0,
    interval: interval(metric.low, metric.high, level),
  }
}

export function interval(
  low: number | undefined,
  high: number | undefined,
  level = 0.95,
): Interval | null {
  return low === undefined || high === undefined ? null : { low, high, level }
}

/** A share with its numerator and n; without cases it is no data and not zero. */
export function rate(numerator: number, n: number, bounds?: { low: number; high: number }): Rate {
  return {
    value: n === 0 ? null : numerator / n,
    n,
    count: numerator,
    interval: bounds && n > 0 ? { ...bounds, level: 0.95 } : null,
  }
}

const metricTitles: Readonly<Record<string, string>> = {
  average_precision: 'Average precision',
  roc_auc: 'ROC AUC',
  card_precision_100: 'Card precision@100',
  log_loss: 'Log loss',
  brier: 'Brier score',
  precision: 'Precision at the threshold',
  recall: 'Recall at the threshold',
  ks: 'Kolmogorov–Smirnov',
  roc_auc_ovr: 'ROC AUC, each class against the rest',
  f1_macro: 'F1, mean over the classes',
  rmse: 'Root mean squared error',
  mae: 'Mean absolute error',
  r2: 'R²',
}

/** What a page calls a metric that we know. Names come from outside: `constructor` is one like others. */
export function metricTitle(name: string): string | undefined {
  return Object.hasOwn(metricTitles, name) ? metricTitles[name] : undefined
}

/** Also as part of a client's own name: `valid_loss`, `val/rmse`, `test_error_rate`. */
const LOWER_IS_BETTER =
  /(^|[^a-z0-9])(\w*loss|brier|rmse|mae|mse|error|mape|pinball|deviance|ece|cost)([^a-z0-9]|$)/i

export function metricView(name: string, metric: Measured) {
  return {
    name,
    title: metricTitle(name) ?? name.replaceAll('_', ' '),
    estimate: estimate(metric),
    higherIsBetter: !LOWER_IS_BETTER.test(name),
  }
}
