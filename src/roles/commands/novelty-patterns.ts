// `assay novelty patterns`: what a kept memory knows, what a person says of it, and its versions.
import {
  count,
  exitCodes,
  type NoveltyPatternsOptions,
  printTable,
  type Terminal,
} from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import { formatTimestamp } from '../../lib/time.ts'
import {
  type MemoryVersion,
  MemoryVersions,
  NoveltyStream,
  type NoveltyStreamState,
  type StreamPattern,
} from '../../novelty/index.ts'
import { commandErrors } from './errors.ts'

/**
 * Errors: `option_invalid`, `novelty_pattern_not_found`, `novelty_version_not_found`,
 * `novelty_state_damaged`.
 */
export async function noveltyPatterns(
  options: NoveltyPatternsOptions,
  terminal: Terminal,
): Promise<number> {
  const versions = new MemoryVersions(options.state, nodeFiles)
  const current = (await versions.list()).at(-1)
  if (current === undefined) {
    throw commandErrors.option_invalid(
      `--state ${options.state}: nothing is kept there; \`assay novelty stream\` keeps a memory with the same option.`,
    )
  }
  const { rollBack, pattern } = options
  if (rollBack !== undefined) {
    await versions.rollBack(rollBack, { ...by(options), atUs: systemClock.nowUs() })
  } else if (pattern !== undefined) await say(versions, current, pattern, options)
  const all = await versions.list()
  const now = all[all.length - 1]
  const stream = new NoveltyStream((await versions.open(now.version)) as NoveltyStreamState)
  if (options.json) {
    const patterns = stream.memory.patterns()
    terminal.out.line(JSON.stringify({ version: now.version, patterns, versions: all }))
  } else print(stream.memory.patterns(), all, terminal)
  return exitCodes.ok
}

async function say(
  versions: MemoryVersions,
  current: MemoryVersion,
  pattern: string,
  options: NoveltyPatternsOptions,
): Promise<void> {
  const { says, as, label } = options
  if (says === undefined || (says === 'same') !== (as !== undefined)) {
    throw commandErrors.option_invalid(
      'Say what the pattern is with --says, and with --as which one it is the same as.',
    )
  }
  const stream = new NoveltyStream((await versions.open(current.version)) as NoveltyStreamState)
  const atUs = systemClock.nowUs()
  const { actor, reason } = by(options)
  stream.memory.take({ pattern, says, actor, reason, atUs, ...given({ as, label }) })
  const about = { kind: 'feedback' as const, actor, reason, atUs, place: current.place }
  await versions.save(stream.saved(), about)
}

function by({ by: actor, reason }: NoveltyPatternsOptions): { actor: string; reason: string } {
  if (actor !== undefined && reason !== undefined) return { actor, reason }
  throw commandErrors.option_invalid('A change has a person and a reason: give --by and --reason.')
}

/** Without members that are undefined, which JSON does not have. */
function given<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

function print(
  patterns: readonly StreamPattern[],
  versions: readonly MemoryVersion[],
  { out }: Terminal,
): void {
  printTable(
    out,
    ['pattern', 'label', 'origin', 'state', 'news', 'records', 'last seen', 'steps'],
    patterns.map((one) => [
      one.id,
      one.label ?? '',
      one.confirmed ? `${one.origin}, confirmed` : one.origin,
      one.state,
      one.usual ? 'no' : 'yes',
      count(one.records),
      formatTimestamp(one.lastUs),
      String(one.path.length),
    ]),
  )
  out.line('')
  printTable(
    out,
    ['version', 'made', 'how', 'by', 'why'],
    versions.map((one) => [
      one.version.slice(0, 12),
      formatTimestamp(one.atUs),
      one.kind,
      one.actor,
      one.reason,
    ]),
  )
}
