// The report as one HTML file: no script, no font, no picture from elsewhere; light and dark; to be
// read on a screen, printed, or sent to a validator.
import type { Contender, Figure, LearnReport, MeasureFacts } from './report.ts'
import { bar, escaped, lineChart, number, whisker, type Line } from './svg.ts'

export function learnReportHtml(report: LearnReport): string {
  const title = `${report.target} from ${report.file.name}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<main>
<p class="kicker">Assay · learnt from a file</p>
<h1>${escaped(title)}</h1>
${answer(report)}
${warnings(report)}
${comparison(report)}
${report.threshold === null ? unmet(report) : threshold(report)}
${curves(report)}
${importance(report)}
${dependence(report)}
${columns(report)}
${making(report)}
</main>
</html>
`
}

function answer(report: LearnReport): string {
  const [best] = report.contenders
  const [first, ...others] = report.measures
  const tiles = [first, ...others.slice(0, 3)].map(
    (measure) =>
      `<div class="tile"><span>${escaped(measure.title)}</span>` +
      `<b>${digits(best.figures[measure.name].value)}</b><i>${interval(best.figures[measure.name])}</i></div>`,
  )
  return `<p class="lead">${escaped(verdict(report))}</p><div class="tiles">${tiles.join('')}</div>`
}

/** What a person should remember, in one or two sentences. */
export function verdict({ contenders, measures }: LearnReport): string {
  const [best, second] = contenders.filter(({ problem }) => problem === null)
  const measure = measures[0]
  const figure = best.figures[measure.name]
  const said = `${best.title} does best: ${measure.title} ${digits(figure.value)} (${interval(figure)}).`
  if (second?.toBest === null || second === undefined) return said
  const { lower, upper } = second.toBest
  return lower <= 0 && upper >= 0
    ? `${said} ${second.title} is not measurably worse.`
    : `${said} ${second.title} comes next, measurably behind.`
}

function warnings({ warnings: found, leftOut }: LearnReport): string {
  const items = found.map(({ level, words }) => `<li><b>${level}</b>: ${escaped(words)}</li>`)
  const out = leftOut.map(({ column, why }) => `<li><b>${escaped(column)}</b> ${escaped(why)}</li>`)
  const warned =
    items.length === 0
      ? '<p class="ok">No sign of leakage was found: no column that is too good to be true, no group or time on both sides of a split.</p>'
      : `<ul class="warnings">${items.join('')}</ul>`
  const left = out.length === 0 ? '' : `<h3>Not learnt from</h3><ul>${out.join('')}</ul>`
  return section('Warnings', warned + left)
}

function comparison({ contenders, measures, judged }: LearnReport): string {
  const first = measures[0]
  const able = contenders.filter(({ problem }) => problem === null)
  const all = able.flatMap(({ figures }) => [figures[first.name].lower, figures[first.name].upper])
  const [from, to] = [Math.min(...all), Math.max(...all)]
  const head = [
    'Estimator',
    first.title,
    '',
    'to the best',
    ...measures.slice(1).map(({ title }) => title),
    'seconds',
  ]
  const rows = contenders.map((one) =>
    one.problem === null
      ? [
          escaped(one.title),
          `<b>${digits(one.figures[first.name].value)}</b> <i>${interval(one.figures[first.name])}</i>`,
          whisker(one.figures[first.name], from, to),
          behind(one),
          ...measures.slice(1).map((measure) => cell(one, measure)),
          number(one.seconds),
        ]
      : [escaped(one.title), `could not compete: ${escaped(one.problem)}`],
  )
  return section('Comparison', `<p>${escaped(judged)}</p>${table(head, rows)}`)
}

function cell({ figures }: Contender, { name }: MeasureFacts): string {
  const figure = figures[name]
  return figure === undefined ? '–' : `${digits(figure.value)} <i>${interval(figure)}</i>`
}

function behind({ toBest }: Contender): string {
  if (toBest === null) return 'the best'
  return `${signed(toBest.value)} <i>${signed(toBest.lower)} to ${signed(toBest.upper)}</i>`
}

function unmet({ unmetRule }: LearnReport): string {
  return unmetRule === null ? '' : section('Threshold', `<p>There is ${escaped(unmetRule)}.</p>`)
}

function threshold({ threshold: chosen, classes }: LearnReport): string {
  const { threshold: at, rule, alerts, rows, precision, recall } = chosen!
  const share = rows === 0 ? 0 : (10_000 * alerts) / rows
  return section(
    'Threshold',
    `<p>A row is taken for <b>${escaped(classes[1])}</b> from a score of <b>${digits(at)}</b> on (${escaped(rule)}).</p>` +
      table(
        ['', 'value', '95 % interval'],
        [
          ['precision', digits(precision.value), interval(precision)],
          ['recall', digits(recall.value), interval(recall)],
          ['alerts in 10,000 rows', number(share), ''],
        ],
      ) +
      '<p class="note">Measured on rows that had no part in choosing the threshold.</p>',
  )
}

function curves({ roc, precisionRecall, calibration, classes, shares }: LearnReport): string {
  if (roc === null || precisionRecall === null || calibration === null) return ''
  const unit = { from: 0, to: 1 }
  const zip = ({ x, y }: { x: readonly number[]; y: readonly number[] }) =>
    x.map((at, i) => [at, y[i]] as const)
  const guide = (points: Line['points']): Line => ({ kind: 'guide', points })
  const diagonal = guide([
    [0, 0],
    [1, 1],
  ])
  const charts = [
    lineChart(
      'ROC curve',
      { title: 'false positive rate', ...unit },
      { title: 'true positive rate', ...unit },
      [diagonal, { kind: 'line', points: zip(roc) }],
    ),
    lineChart(
      'Precision against recall',
      { title: 'recall', ...unit },
      { title: 'precision', ...unit },
      [
        guide([
          [0, shares[1]],
          [1, shares[1]],
        ]),
        { kind: 'line', points: zip(precisionRecall) },
      ],
    ),
    lineChart(
      'Calibration',
      { title: 'predicted', ...unit },
      { title: `share of ${classes[1]}`, ...unit },
      [
        diagonal,
        { kind: 'dots', points: calibration.map((b) => [b.predicted, b.observed] as const) },
      ],
    ),
  ]
  return section('Curves of the best', `<div class="charts">${charts.join('')}</div>`)
}

function importance({ importance: all, measures }: LearnReport): string {
  if (all.length === 0) return ''
  const longest = Math.max(...all.map(({ loss }) => loss.value), Number.MIN_VALUE)
  const rows = all
    .slice(0, 20)
    .map(({ column, loss }) => [
      escaped(column),
      bar(loss.value / longest),
      `${digits(loss.value)} <i>${interval(loss)}</i>`,
    ])
  return section(
    'What matters',
    `<p>How much the ${escaped(measures[0].title)} of the best loses when a column’s values are shuffled among the rows. What columns share is counted in none of them.</p>` +
      table(['Column', '', 'loss'], rows),
  )
}

function dependence({ dependence: all, classes, task, target }: LearnReport): string {
  if (all.length === 0) return ''
  const values = all.flatMap(({ points }) => points.map(({ prediction }) => prediction))
  const [from, to] = [Math.min(...values), Math.max(...values)]
  const what = task === 'regression' ? target : `likelihood of ${classes.at(-1)}`
  const charts = all.map(({ column, points, numeric }) =>
    numeric
      ? lineChart(
          `${what} by ${column}`,
          { title: column, from: Number(points[0].at), to: Number(points.at(-1)!.at) },
          { title: what, from, to },
          [{ kind: 'line', points: points.map((p) => [Number(p.at), p.prediction] as const) }],
        )
      : `<div>${table(
          [escaped(column), '', escaped(what)],
          points.map((p) => [
            escaped(p.at),
            bar((p.prediction - Math.min(0, from)) / (to - Math.min(0, from) || 1)),
            digits(p.prediction),
          ]),
        )}</div>`,
  )
  return section(
    'How the prediction moves',
    `<p>The mean prediction when a column has this value in every row and the others stay as they are.</p><div class="charts">${charts.join('')}</div>`,
  )
}

function columns({ columns: all, file }: LearnReport): string {
  const rows = all.map(({ name, kind, missing, distinct, summary }) => [
    escaped(name),
    kind,
    missing === 0 ? '–' : `${number((100 * missing) / file.rows)} %`,
    distinct.toLocaleString('en-US'),
    escaped(summary),
  ])
  return section(
    'Columns',
    table(['Column', 'kind', 'missing', 'different values', 'values'], rows),
  )
}

function making({ file, test, seed, goal, task, classes, shares }: LearnReport): string {
  const rows = [
    ['file', `${escaped(file.name)}, ${file.rows.toLocaleString('en-US')} rows`],
    ...(test === null
      ? []
      : [['test file', `${escaped(test.name)}, ${test.rows.toLocaleString('en-US')} rows`]]),
    ['rows without a label', String(file.unlabelled)],
    ['task', task],
    ...(classes.length === 0
      ? []
      : [
          [
            'classes',
            classes.map((name, i) => `${escaped(name)} ${percent(shares[i])}`).join(', '),
          ],
        ]),
    ['goal', escaped(goal)],
    ['seed', String(seed)],
  ]
  return section('How it was made', table(['', ''], rows))
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    `<tr>${row.map((text, i) => `<${tag}${tag === 'td' && row.length === 2 && head.length > 2 && i === 1 ? ` colspan="${head.length - 1}"` : ''}>${text}</${tag}>`).join('')}</tr>`
  const named = head.some((title) => title !== '')
  return `<div class="scroll"><table>${named ? `<thead>${cells('th', head)}</thead>` : ''}<tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`
}

export function digits(value: number): string {
  return Number.isFinite(value) ? (Math.abs(value) >= 100 ? number(value) : value.toFixed(4)) : '–'
}

export function interval({ lower, upper }: Figure): string {
  return `${digits(lower)} to ${digits(upper)}`
}

function signed(value: number): string {
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${digits(Math.abs(value))}`
}

function percent(share: number): string {
  return `${number(100 * share)} %`
}

const STYLE = `
:root{--ink:#171b24;--soft:#5f6777;--surface:#fff;--line:#e1e4ea;--accent:#2f4bb8;--bar:#9dabdf;--warning:#8a5300;--warning-soft:#fcf0d9;--ok:#1a6f45}
@media (prefers-color-scheme:dark){:root{--ink:#e7e9ee;--soft:#a3abba;--surface:#14161c;--line:#2a2f3a;--accent:#93a7f5;--bar:#48579d;--warning:#f0b95e;--warning-soft:#33270f;--ok:#6fcf9b}}
*{box-sizing:border-box}body{margin:0;background:var(--surface);color:var(--ink);font:15px/1.5 -apple-system,BlinkMacSystemFont,'Segoe UI',Inter,Roboto,'Helvetica Neue',Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 12px;overflow-wrap:anywhere}h2{font-size:18px;margin:36px 0 8px}h3{font-size:14px;margin:16px 0 4px}
.kicker,.note,i{color:var(--soft);font-style:normal}.kicker{margin:0 0 4px}.lead{font-size:17px;max-width:70ch}.ok{color:var(--ok)}i{font-size:.86em;white-space:nowrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px}.tile{border:1px solid var(--line);border-radius:7px;padding:12px 14px;display:grid}.tile span{color:var(--soft);font-size:13px}.tile b{font-size:26px;font-variant-numeric:tabular-nums}
.warnings{background:var(--warning-soft);border-radius:7px;padding:12px 14px 12px 32px}.warnings b{color:var(--warning)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}td:last-child{min-width:14ch}th{color:var(--soft);font-weight:500;font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:20px}svg{display:block;width:100%;height:auto}svg text{font-size:10.5px;fill:var(--soft)}svg .title{font-size:11.5px}
.whisker{width:180px;height:16px;margin-top:4px}.line{fill:none;stroke:var(--accent);stroke-width:2}.guide{fill:none;stroke:var(--soft);stroke-dasharray:3 4}.grid{stroke:var(--line)}.dot{fill:var(--accent)}.bar{fill:var(--bar)}
@media print{main{max-width:none;padding:0}section{break-inside:avoid}}
`
