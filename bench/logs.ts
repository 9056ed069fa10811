// Logs: how well parsers find the statements behind the lines of ten systems, how fast, and beside drain3.
// The labels are Loghub's; the published accuracies and settings lie beside them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  CONTENT,
  createBrook,
  createDrain,
  createTemplates,
  groupingAccuracy,
  groupNow,
  LineSplitter,
  memorySource,
  parseDrainSettings,
  parseHeaderFormat,
  parseLog,
  createParsedCsv,
  type BrookSettings,
  type LogParser,
  type ParserChoice,
} from '../src/logs/index.ts'
import { significant, spent } from './features-measure.ts'
import { measureVisitors } from './logs-visitors.ts'
import type { BenchOptions, Figures } from './run.ts'

const systems = [
  'Android',
  'Apache',
  'BGL',
  'HDFS',
  'HPC',
  'Hadoop',
  'OpenSSH',
  'Spark',
  'Windows',
  'Zookeeper',
] as const

interface System {
  readonly name: string
  readonly bytes: Buffer
  readonly format: string
  readonly header: ReturnType<typeof parseHeaderFormat>
  readonly masks: readonly string[]
  readonly similarity: number
  readonly depth: number
  readonly messages: readonly string[]
  readonly labels: readonly string[]
  readonly published: { readonly drain: number; readonly brain: number }
}

/**
 * `--data FOLDER` of Loghub's 2k sets, `--rounds 40` of all lines in what is timed, `--peer-rounds 1` of drain3,
 * `--python PATH` of an environment that has drain3, `--only parsing,visitors`.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const only = (options['only'] ?? 'parsing,visitors').split(',')
  const figures: Record<string, number | string | null> = {}
  if (only.includes('parsing')) Object.assign(figures, await measureParsing(options, say))
  if (only.includes('visitors')) Object.assign(figures, await measureVisitors(say))
  return figures
}

async function measureParsing(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Figures> {
  const folder = options.data ?? join(import.meta.dirname, '../../shared/data/loghub_2k')
  const all = systems.map((name) => readSystem(folder, name))
  const figures: Record<string, number | string | null> = {
    ...accuracies(all),
    ...leaveOneOut(all),
  }
  say(`best_mean ${figures['best_mean']}, drain_mean ${figures['drain_mean']}`)
  const rounds = Number(options['rounds'] ?? 40)
  const brook = await speed(all, rounds, () => ({ parser: 'brook' }))
  const drain = await speed(all, rounds, (system) => ({ parser: 'drain', settings: system }))
  const whole = await wholeSpeed(all, Math.max(1, Math.round(rounds / 4)))
  say(`${brook} lines a second and core, Drain ${drain}`)
  Object.assign(figures, {
    lines_per_s_core: brook,
    drain_lines_per_s_core: drain,
    csv_lines_per_s_core: whole,
  })
  return { ...figures, ...beside(all, options, brook, drain, say) }
}

function readSystem(folder: string, name: string): System {
  const json = readFileSync(join(folder, 'drain_benchmark_settings.json'), 'utf8')
  const { drain, format } = parseDrainSettings(json, { system: name, file: name })
  const header = parseHeaderFormat(format!)
  const content = header.fields.indexOf(CONTENT)
  const bytes = gunzipSync(readFileSync(join(folder, `${name}_2k.log.gz`)))
  const messages = bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line) => header.read(line.trim())?.[content] ?? [])
  const rows = gunzipSync(readFileSync(join(folder, `${name}_2k.log_structured.csv.gz`)))
  const labels = rows
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((row) => /,(E\d+),/.exec(row)![1])
  const published = readFileSync(join(folder, 'published_parser_benchmark.csv'), 'utf8')
    .split('\n')
    .map((line) => line.trim().split(','))
  const accuracyOf = (parser: string) =>
    Number(published.find(([by, of]) => by === parser && of === name)![3])
  return {
    name,
    bytes,
    format: format!,
    header,
    masks: drain.masks!,
    similarity: drain.similarity!,
    depth: drain.depth!,
    messages,
    labels,
    published: { drain: accuracyOf('Drain'), brain: accuracyOf('Brain') },
  }
}

function accuracyOf(parser: LogParser, { messages, labels }: System): number {
  const groups = messages.map((message) => parser.add(message))
  return groupingAccuracy(
    groups.map((group) => groupNow(group).text),
    labels,
  )
}

function accuracies(all: readonly System[]): Figures {
  const figures: Record<string, number> = {}
  const [drain, best] = [[] as number[], [] as number[]]
  let equal = 0
  for (const system of all) {
    const key = system.name.toLowerCase()
    const ofDrain = accuracyOf(createDrain(system), system)
    const ours = accuracyOf(createBrook(), system)
    drain.push(ofDrain)
    best.push(ours)
    // The published table has four decimal places.
    if (ofDrain.toFixed(4) === system.published.drain.toFixed(4)) equal++
    figures[`drain_${key}`] = significant(ofDrain)
    figures[`best_${key}`] = significant(ours)
    figures[`brain_published_${key}`] = system.published.brain
  }
  return {
    ...figures,
    drain_equal: equal,
    drain_mean: significant(mean(drain)),
    brain_published_mean: significant(mean(all.map(({ published }) => published.brain))),
    best_mean: significant(mean(best)),
  }
}

/** What the accuracy of a system is where the settings were chosen on the nine others alone. */
function leaveOneOut(all: readonly System[]): Figures {
  const choices: BrookSettings[] = [4, 5, 6, 8].flatMap((wordsMin) =>
    [2, 3, 4].flatMap((sharedMin) =>
      [0.3, 0.4, 0.5, 0.6].map((support) => ({ wordsMin, sharedMin, support })),
    ),
  )
  const found = choices.map((choice) =>
    all.map((system) => accuracyOf(createBrook(choice), system)),
  )
  const held = all.map((_, out) => {
    const others = found.map((of) => mean(of.filter((__, i) => i !== out)))
    return found[others.indexOf(Math.max(...others))][out]
  })
  const means = found.map(mean)
  return {
    best_left_out_mean: significant(mean(held)),
    best_mean_over_settings_min: significant(Math.min(...means)),
    best_mean_over_settings_max: significant(Math.max(...means)),
  }
}

/** Lines a second of processor: bytes, lines, header, template and its id, over all systems as often. */
async function speed(
  all: readonly System[],
  rounds: number,
  choiceOf: (system: System) => ParserChoice,
): Promise<number> {
  let [lines, seconds] = [0, 0]
  for (const system of all) {
    const templates = createTemplates(choiceOf(system))
    const content = system.header.fields.indexOf(CONTENT)
    const pass = () => {
      const splitter = new LineSplitter()
      const read = [...splitter.push(system.bytes).lines, ...splitter.end().lines]
      for (const line of read) {
        const fields = system.header.read(line.trim())
        if (fields !== undefined) void templates.templateOf(templates.add(fields[content])).id
      }
      return read.length
    }
    pass()
    const { cpuS } = await spent(() => {
      for (let round = 0; round < rounds; round++) lines += pass()
    })
    seconds += cpuS
  }
  return significant(lines / seconds)
}

/** The same with parameters, their types, and the text of the CSV. */
async function wholeSpeed(all: readonly System[], rounds: number): Promise<number> {
  let [lines, seconds] = [0, 0]
  for (const { bytes, format, header } of all) {
    const once = bytes.toString('utf8').split('\n')
    const source = memorySource(Array.from({ length: rounds }, () => once).flat())
    const templates = createTemplates()
    const csv = createParsedCsv([], header.fields)
    const { result, cpuS } = await spent(() =>
      parseLog(source, {
        templates,
        format,
        windowMax: 1000,
        write: (parsed) => void parsed.map(csv.row).join(''),
        reject: () => {},
      }),
    )
    lines += result.lines
    seconds += cpuS
  }
  return significant(lines / seconds)
}

interface PeerAnswer {
  readonly lines: number
  readonly s: number
  readonly clusters: readonly number[]
}

function beside(
  all: readonly System[],
  options: BenchOptions,
  brook: number,
  drain: number,
  say: (line: string) => void,
): Figures {
  const interpreter = options['python'] ?? join(import.meta.dirname, '.venv/bin/python')
  const answers = existsSync(interpreter) ? askDrain3(all, options, interpreter) : undefined
  if (answers === undefined) {
    say('drain3 is not there: bench/peers/install.sh, or --python PATH')
    return { drain3: 'absent' }
  }
  const lines = answers.reduce((sum, answer) => sum + answer.lines, 0)
  const rate = lines / answers.reduce((sum, { s }) => sum + s, 0)
  const accuracy = answers.map(({ clusters }, i) => groupingAccuracy(clusters, all[i].labels))
  return {
    drain3_mean: significant(mean(accuracy)),
    drain3_lines_per_s_core: significant(rate),
    drain3_ratio: significant(brook / rate),
    drain3_ratio_of_drain: significant(drain / rate),
  }
}

function askDrain3(
  all: readonly System[],
  options: BenchOptions,
  interpreter: string,
): PeerAnswer[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    const asked = all.map(({ name, bytes, header, masks, similarity, depth }) => {
      const file = join(folder, name)
      writeFileSync(file, bytes)
      const content = header.fields.indexOf(CONTENT)
      return { file, header: header.pattern, content, masks, similarity, depth }
    })
    const script = join(import.meta.dirname, 'peers/drain3_parse.py')
    const rounds = Number(options['peer-rounds'] ?? 1)
    const answer = spawnSync(interpreter, [script], {
      input: JSON.stringify({ rounds, systems: asked }),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    return answer.status === 0 ? (JSON.parse(answer.stdout) as PeerAnswer[]) : undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
