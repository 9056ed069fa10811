// What a back-test found, for a person at a terminal: first what would change, then rule by rule.
import { count, printTable, type TextOutput } from '../../cli/index.ts'
import type { CompiledSource } from '../../data/index.ts'
import { sayBacktest, type CompiledPolicy } from '../../decisions/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { KeptBacktest } from '../../pipelines/index.ts'

type Report = KeptBacktest['evidence']['report']
type Tally = Report['events']
type Rate = Report['draft']['precision']

export function printBacktest(
  { hash, evidence, seconds }: KeptBacktest,
  source: CompiledSource,
  draft: CompiledPolicy,
  out: TextOutput,
): void {
  const { report, over, before, namespace } = evidence
  const money = moneyOf(source)
  const bold = (text: string) => out.style('bold', text)
  out.line(bold(sayBacktest(report, money)))
  const where =
    over.kind === 'records'
      ? 'decisions as they were recorded'
      : 'known events, with features as they were'
  const { n, positives, negatives } = report.events
  out.line(
    `${count(n, 'event')} from ${day(report.fromUs)} to ${day(report.toUs)}: ${where}` +
      `${namespace === undefined ? '' : `, in namespace ${namespace}`}; ` +
      `${count(positives)} known as positive, ${count(negatives)} as not, ` +
      `${count(n - positives - negatives)} without a label`,
  )
  out.line()
  printTable(
    out,
    ['', before === null ? 'was answered' : 'policy as live', 'draft'],
    [
      ...(['allow', 'review', 'decline'] as const).map((outcome) => [
        outcome,
        tally(report.before.outcomes[outcome], money),
        tally(report.draft.outcomes[outcome], money),
      ]),
      ['stopped and positive', rate(report.before.precision), rate(report.draft.precision)],
      ['positives stopped', rate(report.before.recall), rate(report.draft.recall)],
      ['reviews a day', load(report.before, draft), load(report.draft, draft)],
    ],
  )
  out.line()
  out.line(bold('Rules of the draft'))
  if (report.rules.length === 0) out.line('It has none.')
  if (report.rules.length > 0)
    printTable(
      out,
      [
        '',
        'asks for',
        'fired',
        'caught',
        'false',
        'caught money',
        'precision',
        'it alone adds',
        'notes',
      ],
      report.rules.map((rule) => [
        rule.name,
        `${rule.then ?? 'signal'}${rule.mode === 'shadow' ? ', in shadow' : ''}`,
        count(rule.fired.n),
        count(rule.fired.positives),
        count(rule.fired.negatives),
        money(rule.fired.positiveAmountMinor),
        rate(rule.precision),
        `${count(rule.adds.n)} (${count(rule.adds.positives)} caught, ${count(rule.adds.negatives)} false)`,
        notesOf(rule).join('; '),
      ]),
    )
  if (report.unscored > 0) out.line(`${count(report.unscored, 'event')} had no score.`)
  out.line()
  out.line(
    out.style('dim', `Kept as back-test ${hash.slice(0, 12)}; took ${seconds.toFixed(1)} s.`),
  )
}

function tally({ n, positives, positiveAmountMinor }: Tally, money: (minor: number) => string) {
  return `${count(n)} (${count(positives)} positive, ${money(positiveAmountMinor)})`
}

function rate({ value, lower, upper, n }: Rate): string {
  if (value === null) return 'no label'
  const percent = (share: number) => (share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)
  return `${percent(value)} % (${percent(lower)} to ${percent(upper)}, n ${count(n)})`
}

function load(
  { reviewsPerDay: { mean, max, daysAboveCapacity } }: Report['draft'],
  { reviewCapacityPerDay: capacity }: CompiledPolicy,
): string {
  const most = `${mean.toFixed(1)}, at most ${count(max)}`
  if (capacity === null) return most
  return `${most}; ${daysAboveCapacity === 1 ? '1 day' : `${count(daysAboveCapacity)} days`} above ${count(capacity)}`
}

function notesOf(rule: Report['rules'][number]): string[] {
  const notes: string[] = []
  const [name, n] = Object.entries(rule.overlap).toSorted((a, b) => b[1] - a[1])[0] ?? []
  if (n !== undefined) notes.push(`${Math.round((n / rule.fired.n) * 100)} % with ${name}`)
  if (rule.hoursOverCap > 0) notes.push(`${count(rule.hoursOverCap, 'hour')} over its cap`)
  if (rule.failed > 0) {
    const why = rule.failedFirst === undefined ? '' : ` (${rule.failedFirst.why})`
    notes.push(`could not be calculated on ${count(rule.failed, 'event')}${why}`)
  }
  return notes
}

function moneyOf({ columns }: CompiledSource): (minor: number) => string {
  const column = columns.find(({ kind }) => kind === 'money')
  if (column?.kind !== 'money') return () => 'no money'
  return (minor) =>
    `${(minor / 10 ** column.exponent).toLocaleString('en-US', { maximumFractionDigits: 0 })} ${column.currency}`
}

function day(us: number | null): string {
  return us === null ? 'the beginning' : formatTimestamp(us).slice(0, 10)
}
