// The features room: the live operator, backfills against DuckDB's SQL, graph features, memory, lift
// over the handbook's features, and Feast where it is installed. Every part runs in a process of its
// own, so that no part's garbage or compiled code weighs on another's figures; `--only live,backfill`
// runs some. On the handbook's payments, as bench/handbook.ts finds them.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { loadProject } from '../src/projects/index.ts'
import { allFigures, handbookSource, readStream, windowFeatures } from './features-stream.ts'
import { measureBackfill } from './features-backfill.ts'
import { measureEngines } from './features-engines.ts'
import { measureFeast } from './features-feast.ts'
import { measureGraph } from './features-graph.ts'
import { measureLift } from './features-lift.ts'
import { measureLive } from './features-live.ts'
import { measureMemory } from './features-memory.ts'
import { richerFeatures } from './features-richer.ts'
import type { BenchOptions, Figures } from './run.ts'

type Say = (line: string) => void

const parts: Readonly<Record<string, (options: BenchOptions, say: Say) => Promise<Figures>>> = {
  /** 84 features: seven windows, six figures, two entities. */
  live: async (options, say) =>
    measureLive(await readStream(options), windowFeatures(allFigures), '', say),
  /** 28 features whose figures need no look at the window: counts and sums. */
  sums: async (options, say) =>
    measureLive(await readStream(options), windowFeatures(['count', 'sum']), '_sums', say),
  /** 42 columns over all events, against DuckDB's SQL. */
  backfill: async (options, say) => {
    const set = windowFeatures(['count', 'sum', 'std'])
    return measureBackfill(await readStream(options), set, Number(options['rounds'] ?? 2), say)
  },
  /** What the engines for history take, function by function. */
  engines: async (options, say) => measureEngines(await readStream(options), say),
  /** Fan and vertex statistics, and the full set, over generated transfers. */
  graph: async (options, say) => measureGraph(Number(options['events'] ?? 500_000), say),
  /** A declared limit of memory, and a stream that needs ten times as much. */
  memory: async (options, say) => {
    const set = windowFeatures(['count', 'sum', 'distinct'])
    return measureMemory(handbookSource, set, Number(options['events'] ?? 2_000_000), say)
  },
  /** Average precision with more features than the handbook's fifteen. */
  lift: async (options, say) => {
    const { compiled } = await loadProject(join(import.meta.dirname, '../examples/card-fraud'))
    const [fifteen, behaviour] = compiled.featureSets
    const lists = [
      { name: 'fifteen', sets: [fifteen] },
      { name: 'example', sets: [fifteen, behaviour] },
      { name: 'richer', sets: [fifteen, behaviour, richerFeatures()] },
    ]
    return measureLift(await readStream(options), compiled, lists, say)
  },
  /** Feast's point-in-time join, where `--python` or ASSAY_PYTHON has Feast; `--rows` entity rows. */
  feast: async (options, say) => {
    const python = options['python'] ?? process.env['ASSAY_PYTHON'] ?? 'python3'
    const asked = { python, rows: Number(options['rows'] ?? 20_000) }
    return measureFeast(await readStream(options), windowFeatures(['count', 'sum']), asked, say)
  },
}

/** Parts that run only when they are named: they measure nothing that is promised. */
const onDemand = ['engines']

export async function run(options: BenchOptions, say: Say): Promise<Figures> {
  const all = Object.keys(parts).filter((name) => !onDemand.includes(name))
  const wanted = options['only']?.split(',') ?? all
  const unknown = wanted.filter((name) => parts[name] === undefined)
  if (unknown.length > 0) {
    say(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`)
    return {}
  }
  if (wanted.length === 1) return await parts[wanted[0]](options, say)
  const figures: Record<string, number | string> = {}
  for (const part of wanted) Object.assign(figures, await inOwnProcess(part, options, say))
  return figures
}

/** Runs this measurement's command again for one part. What it says goes on to `say`'s reader. */
async function inOwnProcess(part: string, options: BenchOptions, say: Say): Promise<Figures> {
  say(`${part}:`)
  const named = Object.entries({ ...options, only: part }).map(
    ([name, value]) => `--${name}=${value}`,
  )
  const runner = join(import.meta.dirname, 'run.ts')
  const args = ['--conditions=assay-source', runner, 'features', '--json', ...named]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes))
  const code = await new Promise<number | null>((resolve) => void child.on('close', resolve))
  if (code !== 0) return { [`${part}_failed`]: code ?? 'killed' }
  return JSON.parse(Buffer.concat(output).toString('utf8')) as Figures
}
