// `assay experiments`: the same answers as the page's, written for a terminal or a program.
import { systemActor, type Identity } from '../../access/index.ts'
import {
  count,
  exitCodes,
  printTable,
  type ExperimentsAct,
  type ExperimentsOptions,
  type Terminal,
} from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { parseDuration } from '../../lib/time.ts'
import { csv, experimentViews, type ExperimentRooms } from '../../server/keep/index.ts'
import type {
  ComparedRuns,
  Experiment,
  Run,
  RunCell,
  RunColumn,
  RunMetrics,
  Runs,
} from '../../server/contract/index.ts'
import { byCommand, withKept, type Kept } from './connection.ts'
import { commandErrors } from './errors.ts'

interface Answer {
  /** What `--json` prints. */
  readonly value: unknown
  /** What people read. */
  readonly lines: () => void
}

/** Does one thing with the home's experiments. Errors: those of tracking, `home_missing`. */
export function experiments(
  act: ExperimentsAct,
  options: ExperimentsOptions,
  terminal: Terminal,
): Promise<number> {
  return withKept(options.home, async (kept) => {
    const { value, lines } = await answer(act, options, kept, terminal)
    if (options.json) terminal.out.line(JSON.stringify(value))
    else lines()
    return exitCodes.ok
  })
}

const identity: Identity = { ...systemActor, roles: [], createdAtUs: 0 }

function answer(
  act: ExperimentsAct,
  options: ExperimentsOptions,
  kept: Kept,
  terminal: Terminal,
): Promise<Answer> {
  switch (act.act) {
    case 'list':
      return list(options, kept, terminal)
    case 'runs':
      return runs(act.experiment, options, kept, terminal)
    case 'show':
      return show(act.run, kept, terminal)
    case 'compare':
      return compare(act.runs, kept, terminal)
    case 'delete':
    case 'restore':
      return change(act.act, act.runs, kept, terminal)
    case 'purge':
      return purge(options, kept, terminal)
  }
}

function viewsOf(kept: Kept) {
  const rooms: ExperimentRooms = {
    ...kept,
    clock: systemClock,
    // Pairs of resamples need the process that trains; the page has them.
    learning: { pairs: async () => [] },
  }
  return experimentViews(rooms)
}

/** What an operation does not take. */
const none = { params: undefined, query: undefined, body: undefined, identity } as const

async function list({ deleted }: ExperimentsOptions, kept: Kept, terminal: Terminal) {
  const items: Experiment[] = []
  for (let cursor: string | undefined; ;) {
    const page = await viewsOf(kept).experiments({
      ...none,
      query: {
        ...(deleted === true && { deleted: 'only' }),
        ...(cursor !== undefined && { cursor }),
        limit: PAGE,
      },
    })
    items.push(...page.items)
    if (page.next === null) break
    cursor = page.next
  }
  const lines = () => {
    if (items.length === 0) {
      terminal.err.line('There are no experiments; a first run makes one.')
      return
    }
    printTable(
      terminal.out,
      ['experiment', 'id', 'runs', 'made', 'by'],
      items.map((one) => [
        one.name,
        one.id,
        count(one.runs),
        one.createdAt.slice(0, 10),
        one.by.name,
      ]),
    )
  }
  return { value: items, lines }
}

const PAGE = 1000

async function runs(
  experiment: string | undefined,
  options: ExperimentsOptions,
  kept: Kept,
  terminal: Terminal,
): Promise<Answer> {
  const { filter, order, deleted, limit = 100 } = options
  const views = viewsOf(kept)
  const asked = {
    ...(experiment !== undefined && { experiment }),
    ...(filter !== undefined && { filter }),
    ...(order !== undefined && { order }),
    ...(deleted === true && { deleted: 'only' as const }),
  }
  const found: Runs['items'] = []
  let columns: readonly RunColumn[] = []
  let keys = options.columns
  let cursor: string | undefined
  do {
    const page = await views.runs({
      ...none,
      query: {
        ...asked,
        limit: Math.min(PAGE, limit - found.length),
        ...(keys !== undefined && { columns: keys }),
        ...(cursor !== undefined && { cursor }),
      },
    })
    columns = page.columns
    keys = page.columns.length === 0 ? 'none' : page.columns.map(keyText).join(',')
    found.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && found.length < limit)
  const value = found.map(({ values, ...run }) => ({
    ...run,
    values: Object.fromEntries(columns.map(({ key }, i) => [key, values[i]])),
  }))
  const lines = () => {
    const headings = ['id', 'run', ...columns.map(({ key }) => key)]
    const rows = found.map((run) => [run.id, run.name, ...run.values])
    if (options.csv === true) terminal.out.raw(csv(headings, rows))
    else if (found.length === 0) terminal.err.line('No run is like that.')
    else printRuns(found, columns, cursor !== undefined, terminal)
  }
  return { value, lines }
}

const keyText = ({ key }: RunColumn) => key.replaceAll('%', '%25').replaceAll(',', '%2C')

function printRuns(
  found: Runs['items'],
  columns: readonly RunColumn[],
  isMore: boolean,
  { out, err }: Terminal,
): void {
  printTable(
    out,
    ['id', 'run', ...columns.map(({ title }) => title)],
    found.map((run) => [
      run.id,
      run.name,
      ...run.values.map((value, i) => cellText(value, columns[i])),
    ]),
  )
  if (isMore) err.line(err.style('dim', 'There are more; ask for them with --limit.'))
}

function cellText(value: RunCell, column: RunColumn): string {
  if (value === null) return '–'
  if (column.name === 'duration' && typeof value === 'number')
    return `${(value / 1000).toFixed(1)} s`
  if (column.name.endsWith('_time')) return String(value).slice(0, 16).replace('T', ' ')
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value
}

async function show(runId: string, kept: Kept, { out }: Terminal): Promise<Answer> {
  const views = viewsOf(kept)
  const run = await views.run({ ...none, params: { runId } })
  const metrics: RunMetrics['items'] = []
  let after: string | undefined
  do {
    const query = after === undefined ? {} : { after }
    const page = await views.runMetrics({ ...none, params: { runId }, query })
    metrics.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined)
  const lines = () => {
    for (const [label, text] of factsOf(run))
      out.line(`${out.style('dim', label.padEnd(12))}  ${text}`)
    if (run.params.length > 0) {
      out.line()
      printTable(
        out,
        ['parameter', 'value'],
        run.params.map(({ name, value }) => [name, value]),
      )
    }
    if (metrics.length > 0) {
      out.line()
      const number = (value: number | null) => (value === null ? '–' : String(value))
      printTable(
        out,
        ['metric', 'last', 'smallest', 'largest', 'step'],
        metrics.map((one) => [
          one.name,
          number(one.last),
          number(one.min),
          number(one.max),
          String(one.step),
        ]),
      )
    }
  }
  return { value: { ...run, metrics }, lines }
}

function factsOf(run: Run): readonly (readonly [string, string])[] {
  const facts: readonly (readonly [string, string | null])[] = [
    ['run', run.name],
    ['id', run.id],
    ['experiment', `${run.experiment} (${run.experimentId})`],
    ['status', run.deletedAt === null ? run.status : `${run.status}, deleted ${run.deletedAt}`],
    ['started', `${run.startedAt} by ${run.by.name}`],
    ['took', run.durationMs === null ? null : `${(run.durationMs / 1000).toFixed(1)} s`],
    ['source', run.source.name],
    ['code', run.codeRevision],
    ['data', run.datasets.map(({ name, digest }) => `${name} ${digest}`).join(', ') || null],
    ['version', run.registeredAs?.title ?? null],
    ['files', run.artifacts.length === 0 ? null : count(run.artifacts.length)],
    ['note', run.note],
  ]
  return facts.flatMap(([label, text]) => (text === null ? [] : [[label, text] as const]))
}

async function compare(runIds: readonly string[], kept: Kept, { out }: Terminal): Promise<Answer> {
  const compared = await viewsOf(kept).compareRuns({ ...none, query: { ids: runIds.join(',') } })
  const lines = () => {
    out.line(compared.verdict.sentence)
    out.line()
    printTable(out, ['', ...compared.runs.map(({ name }) => name)], comparedRows(compared))
  }
  return { value: compared, lines }
}

/** Metrics with the best marked, then the parameters that differ. */
function comparedRows({ metrics, params }: ComparedRuns): string[][] {
  return [
    ...metrics.map(({ name, values, best }) => [
      name,
      ...values.map((one, i) => `${one?.value ?? '–'}${best === i ? ' *' : ''}`),
    ]),
    ...params
      .filter(({ differs }) => differs)
      .map(({ name, values }) => [name, ...values.map((value) => value ?? '–')]),
  ]
}

async function change(
  act: 'delete' | 'restore',
  runIds: readonly string[],
  kept: Kept,
  { err }: Terminal,
): Promise<Answer> {
  const views = viewsOf(kept)
  const call = { ...none, body: { ids: [...runIds] } }
  const done = await (act === 'delete' ? views.deleteRuns(call) : views.restoreRuns(call))
  return { value: done, lines: () => err.line(done.sentence) }
}

async function purge({ olderThan }: ExperimentsOptions, kept: Kept, { err }: Terminal) {
  const before = systemClock.nowUs() - durationOf(olderThan ?? '')
  const gone = await kept.tracking.purge({ before }, byCommand('experiments purge'))
  const lines = () => {
    const parts = [
      count(gone.runs, 'run'),
      count(gone.loggedModels, 'logged model'),
      count(gone.experiments, 'experiment'),
      count(gone.files, 'file'),
    ]
    err.line(`Removed for good: ${parts.join(', ')}.`)
    if (gone.kept > 0) err.line(`${count(gone.kept)} stay, because something refers to them.`)
  }
  return { value: gone, lines }
}

function durationOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw commandErrors.option_invalid(`--older-than: ${(error as Error).message}`)
  }
}
