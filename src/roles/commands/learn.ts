// `assay learn`: any table in; a comparison, a model, a run and a report out.
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  exitCodes,
  printTable,
  stageLines,
  type LearnOptions,
  type Terminal,
} from '../../cli/index.ts'
import { monotonicUs, systemClock } from '../../lib/clock.ts'
import { contentHash } from '../../lib/hash.ts'
import { systemIds } from '../../lib/ids.ts'
import {
  digits,
  interval,
  learnFileFlow,
  learnVerdict,
  runPipeline,
  type LearnFileOutcome,
  type LearnReport,
} from '../../pipelines/index.ts'
import { codeEnvironment, codeRevision } from '../../projects/index.ts'
import { version } from '../config.ts'
import { byCommand, withTracked } from './connection.ts'
import { commandErrors } from './errors.ts'
import { namedFile } from './named-file.ts'

export async function learn(
  path: string,
  options: LearnOptions,
  terminal: Terminal,
): Promise<number> {
  const file = await namedFile(path)
  const test = options.test === undefined ? undefined : await namedFile(options.test)
  const report =
    options.report ?? `${plainName(file.name)}-${plainName(options.target)}.report.html`
  await checkReport(report, [path, options.test ?? path])
  const id = systemIds('pipe')
  const learnt = await withTracked(options.home, async ({ tracking, registry, pipelines }) => {
    const { steps, outcome } = learnFileFlow(
      {
        file,
        test,
        question: {
          target: options.target,
          positive: options.positive,
          task: options.task,
          drop: namesIn(options.drop ?? ''),
          group: options.group,
          time: options.time,
        },
        goal: options.goal,
        seed: options.seed,
        register: options.register,
        by: byCommand('learn'),
        codeRevision: codeRevision('.', version),
        environment: codeEnvironment('.'),
        pipelineRun: id,
      },
      { tracking, registry, monotonicMs: () => monotonicUs() / 1000 },
    )
    const { json: _, home: __, ...asked } = options
    const key = contentHash(['learn-file', file.hash, asked as object])
    const progress = options.json ? terminal.err : terminal.out
    const about = `${options.target} from ${file.name}`
    const run = { name: 'learn-file', key, actor: byCommand('learn').actor.id, about }
    await runPipeline(run, steps, {
      store: pipelines,
      clock: systemClock,
      ids: () => id,
      onProgress: stageLines(progress),
    })
    return outcome()
  })
  await writeReport(report, learnt.html)
  if (options.json) terminal.out.line(JSON.stringify(summaryOf(learnt, report)))
  else print(learnt, report, terminal)
  return exitCodes.ok
}

/** Names between commas; in double quotes where a name has a comma. */
function namesIn(list: string): string[] {
  const found = list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)
  const names = [...found].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain.trim())
  return names.filter((name) => name !== '')
}

/**
 * Refuses, before any work is done, a report that cannot be written, or that would replace a file
 * that is read. Errors: `output_unwritable`, `option_invalid`.
 */
async function checkReport(path: string, inputs: readonly string[]): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) {
    throw commandErrors.output_unwritable(`${path} is a folder, not a file.`)
  }
  for (const input of inputs) {
    const read = await stat(input).catch(() => undefined)
    if (found === undefined || read?.ino !== found.ino || read.dev !== found.dev) continue
    throw commandErrors.option_invalid(
      `--report ${path} is the file that is learnt from; name another, so that it stays.`,
    )
  }
  await access(found === undefined ? dirname(path) : path, constants.W_OK).catch(unwritable(path))
}

/** The report appears under its name once it is complete; a device or pipe is written to. */
async function writeReport(path: string, html: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  const whole = found === undefined || found.isFile()
  const target = whole ? `${path}.${process.pid}.part` : path
  try {
    await writeFile(target, html)
    if (whole) await rename(target, path)
  } catch (error) {
    if (whole) await rm(target, { force: true })
    unwritable(path)(error)
  }
}

function unwritable(path: string): (error: unknown) => never {
  return (error) => {
    const { message } = error as Error
    throw commandErrors.output_unwritable(`${path}: ${message}`, { cause: error })
  }
}

/** A file's name is no longer than file systems take. */
const NAME_MAX = 60

/** A name without what a file system or a shell might not like. */
function plainName(text: string): string {
  return text
    .replace(/\.(csv|tsv|data|txt|parquet|gz)\b/gi, '')
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .slice(0, NAME_MAX)
}

function print(
  { report, runId, version: number }: LearnFileOutcome,
  path: string,
  { out }: Terminal,
) {
  const { contenders, measures, warnings, leftOut, threshold, importance } = report
  const [goal, second] = measures
  out.line()
  out.line(out.style('bold', learnVerdict(report)))
  out.line(out.style('dim', report.judged))
  out.line()
  printTable(
    out,
    ['estimator', goal.title, '95 % interval', 'to the best', second.title, 'seconds'],
    contenders.map(({ title, figures, toBest, seconds, problem }) =>
      problem === null
        ? [
            title,
            digits(figures[goal.name].value),
            interval(figures[goal.name]),
            toBest === null ? '' : `${digits(toBest.value)} (${interval(toBest)})`,
            figures[second.name] === undefined ? '–' : digits(figures[second.name].value),
            seconds.toFixed(1),
          ]
        : [title, '–', problem, '', '', ''],
    ),
  )
  out.line()
  if (threshold !== null) {
    const { precision, recall } = threshold
    out.line(
      `Threshold ${digits(threshold.threshold)}, ${threshold.rule}: precision ${digits(precision.value)} (${interval(precision)}), recall ${digits(recall.value)} (${interval(recall)}).`,
    )
  }
  if (report.unmetRule !== null) out.line(out.style('yellow', `There is ${report.unmetRule}.`))
  out.line(
    `It goes most by ${importance
      .slice(0, 5)
      .map(({ column }) => column)
      .join(', ')}.`,
  )
  for (const { column, why } of leftOut) out.line(out.style('dim', `${column}: ${why}.`))
  for (const { level, words } of warnings) {
    out.line(`${out.style('yellow', `${level}:`)} ${words}`)
  }
  out.line()
  out.line(`report    ${path}`)
  out.line(`run       ${runId}`)
  if (number !== null) out.line(`version   ${number}`)
}

/** The last line with `--json`. */
function summaryOf({ report, runId, version: number }: LearnFileOutcome, path: string) {
  const [best] = report.contenders
  return {
    best: {
      name: best.name,
      ...shortFigures(report, best.name),
      figures: best.figures,
    },
    threshold: report.threshold?.threshold ?? null,
    threshold_effect: report.threshold,
    unmet_rule: report.unmetRule,
    warnings: report.warnings,
    contenders: report.contenders.map(({ name, figures, toBest, seconds, problem }) => ({
      name,
      ...shortFigures(report, name),
      figures,
      to_best: toBest,
      seconds,
      problem,
    })),
    task: report.task,
    classes: report.classes,
    judged: report.judged,
    left_out: report.leftOut,
    importance: report.importance,
    report: path,
    run: runId,
    version: number,
  }
}

/** Values under the short names that people look for. */
function shortFigures({ contenders, task }: LearnReport, name: string): Record<string, number> {
  const { figures } = contenders.find((one) => one.name === name)!
  const short = {
    auc: task === 'multiclass' ? 'roc_auc_ovr' : 'roc_auc',
    ap: 'average_precision',
    brier: 'brier',
    log_loss: 'log_loss',
    accuracy: 'accuracy',
    rmse: 'rmse',
    mae: 'mae',
    r2: 'r2',
  }
  return Object.fromEntries(
    Object.entries(short).flatMap(([to, from]) =>
      figures[from] === undefined ? [] : [[to, figures[from].value]],
    ),
  )
}
