// The flow behind `assay learn`: from a file of any shape to an honest comparison, the best model,
// a tracked run and, if wanted, a version.
import type { ChangeBy } from '../../../access/index.ts'
import type { TableFile } from '../../../data/index.ts'
import {
  fitPrepared,
  type LeakageWarning,
  type PreparedModel,
  type PreparedSpec,
} from '../../../learning/index.ts'
import type { Remote } from '../../../lib/rpc.ts'
import type { Registry } from '../../../registry/index.ts'
import type { Tracking } from '../../../tracking/index.ts'
import { pipelineErrors } from '../../errors.ts'
import type { Step } from '../../run.ts'
import { entrantsFor, settled } from './contenders.ts'
import { columnFacts, curvesOf, otherCurvesOf, thresholdFacts } from './facts.ts'
import { goalOf, ruleInWords, type Goal } from './goal.ts'
import { learnReportHtml } from './html.ts'
import { contributionsOf, dependenceOf, importanceOf, type Unseen } from './influence.ts'
import {
  compare,
  groundOf,
  judge,
  judgeOnTest,
  leakageOf,
  withValidationLearnt,
  type Ground,
  type Judged,
  type JudgedFold,
} from './judge.ts'
import { keepRun, keepVersion } from './keep.ts'
import { learnable, rowsOf, type FileQuestion, type Learnable, type LeftOut } from './question.ts'
import { digits, interval } from './html.ts'
import type {
  ColumnFacts,
  Contender,
  Dependence,
  FileFacts,
  Importance,
  LearnReport,
  ThresholdFacts,
} from './report.ts'
import type { LearnableRows } from './question.ts'
import { likeTheFirst, textColumns } from './test-file.ts'
import type { Contributions } from '../plan.ts'

/** A file to learn from or to judge on. */
export interface NamedFile {
  readonly name: string
  /** SHA-256 of its bytes. */
  readonly hash: string
  /** Its columns; those named as text, whatever they hold. */
  read(texts?: readonly string[]): Promise<TableFile>
}

export interface LearnFileRequest {
  readonly file: NamedFile
  readonly test?: NamedFile | undefined
  readonly question: FileQuestion
  /** As `assay learn --goal` takes it. */
  readonly goal?: string | undefined
  readonly seed: number
  /** Register the best as the next version of this model. */
  readonly register?: string | undefined
  readonly by: ChangeBy
  readonly codeRevision: string
  readonly environment: string
  /** The pipeline run that this is; the tracked run names it. */
  readonly pipelineRun?: string | undefined
}

export interface LearnFilePorts {
  readonly tracking: Remote<Tracking>
  readonly registry: Pick<Remote<Registry>, 'registerVersion'>
  readonly monotonicMs: () => number
}

export interface LearnFileOutcome {
  readonly report: LearnReport
  readonly html: string
  readonly model: PreparedModel
  readonly runId: string
  readonly version: number | null
}

/** How many columns the report shows the dependence on. */
const DEPENDENCES = 6

/** What is done, in order. */
export const learnFileSteps = [
  { name: 'read', title: 'Read' },
  { name: 'check', title: 'Check' },
  { name: 'compare', title: 'Compare' },
  { name: 'fit', title: 'Fit' },
  { name: 'explain', title: 'Explain' },
  { name: 'keep', title: 'Keep' },
] as const

/** The steps, for `runPipeline`, and what they came to once all are done. */
export function learnFileFlow(
  request: LearnFileRequest,
  ports: LearnFilePorts,
): { readonly steps: readonly Step[]; readonly outcome: () => LearnFileOutcome } {
  const { seed } = request
  let rows!: Learnable
  let test: LearnableRows | undefined
  let testOnly: readonly LeftOut[] = []
  let columns!: ColumnFacts[]
  let goal!: Goal
  let ground!: Ground
  let warnings!: LeakageWarning[]
  let judged!: Judged[]
  let contenders!: Contender[]
  let best!: Judged
  let spec!: PreparedSpec
  let model!: PreparedModel
  let threshold!: ThresholdFacts | null
  let importance!: Importance[]
  let dependence!: Dependence[]
  let contributions!: Contributions | null
  let outcome!: LearnFileOutcome

  async function read(): Promise<string> {
    const file = await request.file.read()
    rows = learnable(file, request.question)
    goal = goalOf(request.goal, rows.task)
    columns = columnFacts(file, request.question.target)
    ground = groundOf(rows, seed)
    if (request.test !== undefined) {
      if (request.test.hash === request.file.hash) {
        throw pipelineErrors.learn_request_invalid(
          `${request.test.name} is the file that is learnt from; figures of it would say nothing. Leave --test out to judge out of fold.`,
        )
      }
      const read = await request.test.read(textColumns(file))
      const asFirst = likeTheFirst(read, request.test.name, file, request.question, rows)
      testOnly = asFirst.testOnly
      test = rowsOf(asFirst.file, asFirst.question, rows)
    }
    const { target } = request.question
    return `${count(rows.y.length)} rows, ${rows.table.columns.length} columns to tell ${target} by (${rows.task})`
  }

  async function check(): Promise<string> {
    warnings = leakageOf(ground, seed)
    const named = warnings.flatMap(({ column }) => (column === undefined ? [] : [column]))
    if (warnings.length === 0) return 'no sign of leakage'
    const about = named.length === 0 ? '' : `: ${[...new Set(named)].slice(0, 5).join(', ')}`
    return `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}${about}`
  }

  async function competeAll(report: (figure: string) => void): Promise<string> {
    judged = []
    const entrants = entrantsFor(rows.task, rows.y.length)
    for (const [index, entrant] of entrants.entries()) {
      report(`${entrant.title}, ${index + 1} of ${entrants.length}`)
      // What was reported gets its place, and other work of the process its turn.
      await new Promise((resolve) => setImmediate(resolve))
      judged.push(judge(entrant, ground, seed, ports.monotonicMs))
    }
    contenders = compare(judged, goal.measures, seed)
    best = judged.find(({ entrant }) => entrant.name === contenders[0].name)!
    const [measure] = goal.measures
    const figure = contenders[0].figures[measure.text]
    return `${best.entrant.title}: ${measure.info.title} ${digits(figure.value)} (${interval(figure)})`
  }

  async function fitBest(): Promise<string> {
    spec = settled(best.entrant, best.rounds)
    let judgedOn = best.results[0]
    otherCurves = otherCurvesOf(judged, best)
    bestResults = best.results
    if (test === undefined) {
      const all = Uint32Array.from(rows.y.keys())
      model = fitPrepared(spec, rows.table, all, ground.target, { seed, ...grouped() })
    } else {
      const tested = judgeOnTest(judged, ground, test, seed)
      otherCurves = otherCurvesOf(tested, best)
      contenders = compare(tested, goal.measures, seed, best.entrant.name)
      const own = tested.find(({ entrant }) => entrant === best.entrant)!
      model = own.model!
      bestResults = own.results
      judgedOn = own.results[0]
    }
    threshold = thresholdFacts(goal.threshold, best.results[0], test && judgedOn, seed)
    curves = curvesOf(judgedOn)
    const said = threshold && `, ${threshold.rule}: from ${digits(threshold.threshold)} on`
    const unmet = unmetRule()
    return `${best.entrant.title} on all ${count(rows.y.length)} rows${said ?? ''}${unmet && `; ${unmet}`}`
  }

  function unmetRule(): string {
    if (goal.threshold === null || threshold !== null) return ''
    return `no threshold by the rule: ${ruleInWords(goal.threshold)}`
  }

  let curves!: ReturnType<typeof curvesOf>
  let bestResults!: Judged['results']
  let otherCurves!: ReturnType<typeof otherCurvesOf>

  async function explain(): Promise<string> {
    const unseen = unseenRows()
    importance = importanceOf(unseen, goal.measures[0], seed)
    const strongest = importance.slice(0, DEPENDENCES).map(({ column }) => column)
    const all = Uint32Array.from(rows.y.keys())
    const whole = { model, table: rows.table, target: ground.target, rows: all }
    dependence = dependenceOf(whole, strongest, seed)
    contributions = contributionsOf(whole, seed)
    return `it goes by ${strongest.slice(0, 3).join(', ')}`
  }

  /** Rows that the model which is asked about them did not learn from. */
  function unseenRows(): Unseen {
    if (test !== undefined) {
      const target = { ...ground.target, y: test.y }
      const all = Uint32Array.from(test.y.keys())
      return { model, table: test.table, target, rows: all }
    }
    // A fold that tests one class alone, as a last period may, tells nothing of importance.
    const varied = ({ test: of }: JudgedFold) => of.some((row) => rows.y[row] !== rows.y[of[0]])
    const fold = ground.folds.findLast(varied) ?? ground.folds.at(-1)!
    const learnt = withValidationLearnt(fold).train
    const inner = fitPrepared(spec, rows.table, learnt, ground.target, { seed, ...grouped() })
    const tested = Uint32Array.from(fold.test)
    const { table } = rows
    return { model: inner, table, target: ground.target, rows: tested }
  }

  function grouped() {
    return rows.group && { groups: rows.group }
  }

  async function keep(): Promise<string> {
    const report = reportOf()
    const html = learnReportHtml(report)
    const kept = { report, html, model, spec, request, results: bestResults }
    const run = await keepRun(kept, ports.tracking)
    const version = await keepVersion(kept, run, ports.registry)
    outcome = { report, html, model, runId: run.id, version }
    const registered = version === null ? '' : `; ${request.register} version ${version}`
    return `${run.id}${registered}`
  }

  function reportOf(): LearnReport {
    const { classes, task, y } = rows
    return {
      format: 'assay-learn-report/1',
      file: factsOf(request.file, rows),
      test: test && request.test ? factsOf(request.test, test) : null,
      target: request.question.target,
      question: request.question,
      task,
      classes,
      shares: classes.map((_, label) => y.filter((each) => each === label).length / y.length),
      goal: goal.text,
      seed,
      judged:
        test === undefined
          ? `Measured ${ground.words}.`
          : `The best was chosen ${ground.words}; the figures are of ${request.test!.name}, which no estimator has seen.`,
      measures: goal.measures.map(({ text, info }) => ({
        name: text,
        title: info.title,
        higherIsBetter: info.better === 'higher',
      })),
      columns,
      leftOut: [...rows.leftOut, ...testOnly],
      warnings,
      contenders,
      best: best.entrant.name,
      threshold,
      unmetRule: unmetRule() || null,
      ...curves,
      otherCurves,
      importance,
      dependence,
      contributions,
    }
  }

  const acts = { read, check, compare: competeAll, fit: fitBest, explain, keep }
  const steps = learnFileSteps.map((step): Step => ({ ...step, run: acts[step.name] }))
  return { steps, outcome: () => outcome }
}

function factsOf({ name }: NamedFile, { y, unlabelled }: LearnableRows): FileFacts {
  return { name, rows: y.length, unlabelled }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
