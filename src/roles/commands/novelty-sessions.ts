// `assay novelty sessions`: which sessions hold what the normal ones never did.
import { basename } from 'node:path'
import {
  count,
  exitCodes,
  printTable,
  type NoveltySessionsOptions,
  type Terminal,
} from '../../cli/index.ts'
import {
  inWords,
  mainWitness,
  readSessions,
  SequenceKnowledge,
  SequenceModel,
  SequenceTally,
  type SequenceMeasures,
  type SessionsRead,
} from '../../novelty/index.ts'
import { commandErrors } from './errors.ts'
import { checkOutput, writeTable } from './table-file.ts'

/** Errors: `option_invalid`, `sessions_unusable`, those of reading and writing the files. */
export async function noveltySessions(
  options: NoveltySessionsOptions,
  terminal: Terminal,
): Promise<number> {
  const { train, testNormal, testAbnormal, budget, out } = options
  if (out !== undefined) await checkOutput(out, [train, testNormal, testAbnormal])
  const knowledge = new SequenceKnowledge({ budget })
  const learnt = await readSessions(train, (session) => knowledge.learn(session))
  warn(train, learnt, terminal)
  const model = SequenceModel.of(knowledge)
  if (!model.supported) {
    terminal.err.line(
      `${count(model.sessions, 'session')} are too few for a budget of ${budget}: the threshold is drawn out beyond what was seen.`,
    )
  }
  const tally = new SequenceTally(model)
  const scores = new ScoreTable()
  const seen = new Map([[learnt.hash, train]])
  for (const [file, kind] of [
    [testNormal, 'normal'],
    [testAbnormal, 'abnormal'],
  ] as const) {
    const read = await readSessions(file, (session, line) => {
      const verdict = tally.judge(session, kind)
      if (out !== undefined) scores.add(kind, line, verdict)
    })
    warn(file, read, terminal)
    const same = seen.get(read.hash)
    if (same !== undefined) {
      throw commandErrors.option_invalid(
        `${file} holds the same sessions as ${same}: what is found on them says nothing.`,
      )
    }
    seen.set(read.hash, file)
  }
  const measures = tally.measures()
  if (out !== undefined) await writeTable(out, scores.table())
  if (options.json) {
    const { version, sessions, supported } = model
    terminal.out.line(
      JSON.stringify({ ...measures, budget, supported, trainSessions: sessions, version }),
    )
  } else report(measures, model, budget, terminal)
  return exitCodes.ok
}

function warn(file: string, read: SessionsRead, { err }: Terminal): void {
  const { empty, rejected, firstRejected } = read
  const name = basename(file)
  if (empty > 0) err.line(`${name}: ${count(empty, 'empty line')} left out.`)
  if (firstRejected !== undefined) {
    err.line(
      `${name}: ${count(rejected, 'line')} left out; line ${firstRejected.line}: ${firstRejected.reason}`,
    )
  }
}

class ScoreTable {
  private readonly kinds: string[] = []
  private readonly lines: number[] = []
  private readonly scores: number[] = []
  private readonly verdicts: string[] = []
  private readonly found: string[] = []
  private readonly why: string[] = []

  add(kind: string, line: number, verdict: Parameters<typeof inWords>[0]): void {
    this.kinds.push(kind)
    this.lines.push(line)
    this.scores.push(verdict.score)
    this.verdicts.push(verdict.known ? 'known' : 'unknown')
    this.found.push(verdict.score > 0 ? mainWitness(verdict) : '')
    this.why.push(inWords(verdict))
  }

  table() {
    const columns = [
      { name: 'class', values: this.kinds },
      { name: 'line', values: Float64Array.from(this.lines) },
      { name: 'score', values: Float64Array.from(this.scores) },
      { name: 'verdict', values: this.verdicts },
      { name: 'witness', values: this.found },
      { name: 'evidence', values: this.why },
    ]
    return { rows: this.lines.length, columns }
  }
}

function report(
  measures: SequenceMeasures,
  model: SequenceModel,
  budget: number,
  { out }: Terminal,
): void {
  out.line(
    `Learnt ${count(model.sessions, 'normal session')} (version ${model.version.slice(0, 12)}); unknown above ${model.threshold.toFixed(3)}, so that ${percent(budget)} of normal sessions may be.`,
  )
  out.line('')
  printTable(
    out,
    ['sessions', 'judged', 'unknown', 'share'],
    (['normal', 'abnormal'] as const).map((kind) => {
      const { sessions, unknown } = measures[kind]
      return [kind, count(sessions), count(unknown), percent(unknown / sessions)]
    }),
  )
  out.line('')
  const { grams, length, counts } = measures.foundBy
  out.line(
    `Found by n-grams ${count(grams)}, by length ${count(length)}, by counts ${count(counts)}.`,
  )
  out.line(
    `AUC ${measures.auc.toFixed(6)}  F1 ${measures.f1.toFixed(4)}  precision ${measures.precision.toFixed(4)}  recall ${measures.recall.toFixed(4)}`,
  )
}

function percent(share: number): string {
  return `${(100 * share).toLocaleString('en-US', { maximumFractionDigits: 2 })} %`
}
