// What `assay models` does: models, versions and their history, read and changed by hand.
import { systemActor, type ChangeBy } from '../../access/index.ts'
import {
  count,
  exitCodes,
  printTable,
  type ModelsAct,
  type ModelsOptions,
  type Terminal,
  type TextOutput,
} from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import type { Remote } from '../../lib/rpc.ts'
import { formatTimestamp, parseDuration, parseTimestamp } from '../../lib/time.ts'
import {
  originOf,
  versionDifference,
  type DifferenceRow,
  type LabelledVersion,
  type ModelVersion,
  type Registry,
  type VersionMetric,
} from '../../registry/index.ts'
import { byCommand, withKept } from './connection.ts'
import { commandErrors } from './errors.ts'
import { adopt } from './models-adopt.ts'
import { scoreModel } from './models-score.ts'

type Known = Remote<Registry>

export function models(
  act: ModelsAct,
  options: ModelsOptions,
  terminal: Terminal,
): Promise<number> {
  const { out } = terminal
  if (act.act === 'score') {
    const { home, out: to, rejects, fresh = false, reasons = 0 } = options
    const { name, file } = act
    return scoreModel(
      ({ registry }) => oneVersion(registry, name),
      { home, file, out: to, rejects, fresh, reasons },
      terminal,
    )
  }
  if (act.act === 'adopt') return adopt(act.name, options, terminal)
  const print = (json: unknown, say: () => void) => {
    if (options.json) out.line(JSON.stringify(json, null, 2))
    else say()
    return exitCodes.ok
  }
  return withKept(options.home, async ({ registry }) => {
    switch (act.act) {
      case 'list':
        return list(registry, options, out, print)
      case 'show':
        return show(registry, act.name, out, print)
      case 'diff': {
        const [from, to] = await Promise.all(
          [act.from, act.to].map((wanted) => versionNamed(registry, act.name, wanted)),
        )
        const difference = versionDifference(from.version, to.version)
        return print(difference, () => sayDifference(difference, options.all ?? false, out))
      }
      case 'champion':
        return champion(registry, act.name, options.at, out, print)
      default:
        return change(registry, act, options, out)
    }
  })
}

type Print = (json: unknown, say: () => void) => number

async function list(
  registry: Known,
  options: ModelsOptions,
  out: TextOutput,
  print: Print,
): Promise<number> {
  const found = options.deleted
    ? (await registry.allModels()).filter(({ deletedAtUs }) => deletedAtUs !== undefined)
    : await registry.models()
  const rows = await Promise.all(
    found.map(async (model) => ({
      ...model,
      versions: await registry.allLabelled(model.name),
      aliases: await registry.aliases(model.name),
    })),
  )
  const json = rows.map(({ versions, ...model }) => ({
    ...model,
    versions: versions.map(({ version }) => version.version),
    live: liveOf(versions),
  }))
  return print(json, () => {
    if (rows.length === 0) return out.line('There are no models.')
    printTable(
      out,
      ['model', 'versions', 'newest', 'live', 'aliases', 'updated'],
      rows.map(({ name, versions, aliases, updatedAtUs }) => [
        name,
        count(versions.length),
        versions[0] === undefined ? '–' : `v${versions[0].version.version}`,
        liveOf(versions)
          .map((number) => `v${number}`)
          .join(', ') || '–',
        aliasText(aliases),
        dayAndTime(updatedAtUs),
      ]),
    )
  })
}

function liveOf(versions: readonly LabelledVersion[]): number[] {
  return versions
    .filter(({ version }) => version.status === 'live')
    .map(({ version }) => version.version)
}

function aliasText(aliases: Readonly<Record<string, number>>): string {
  const texts = Object.entries(aliases).map(([alias, version]) => `@${alias} v${version}`)
  return texts.join(', ') || '–'
}

async function show(registry: Known, name: string, out: TextOutput, print: Print): Promise<number> {
  const { model, rest } = parts(name)
  if (rest !== undefined) {
    const found = await versionNamed(registry, model, rest)
    return print(found, () => sayVersion(found, out))
  }
  const known = await registry.model(model)
  const versions = await registry.allLabelled(model)
  return print({ ...known, versions }, () => {
    if (known.description !== undefined) out.line(known.description)
    printTable(
      out,
      ['version', 'status', 'origin', 'kind', 'aliases', 'run', 'registered'],
      versions.map(({ version, aliases }) => [
        `v${version.version}`,
        version.status,
        originOf(version),
        version.kind,
        aliases.map((alias) => `@${alias}`).join(', ') || '–',
        version.build.runId || '–',
        dayAndTime(version.registeredAtUs),
      ]),
    )
  })
}

function sayVersion({ version, labels, aliases }: LabelledVersion, out: TextOutput): void {
  const { build, brought } = version
  const facts: (readonly [string, string])[] = [
    ['version', `${version.model} v${version.version}`],
    ['status', `${version.status}: ${version.statusReason}`],
    ['origin', originOf(version)],
    ['kind', version.kind],
    ['description', labels.description ?? ''],
    ['aliases', aliases.map((alias) => `@${alias}`).join(', ')],
    ['stage', labels.stage === 'none' ? '' : labels.stage],
    ...Object.entries(labels.tags).map(([tag, value]) => [`tag ${tag}`, value] as const),
    ['source', brought?.source ?? ''],
    ['run', build.runId],
    ...Object.entries(build.snapshots).map(([data, hash]) => [`data ${data}`, hash] as const),
    ...build.featureSets.map((set) => [`features ${set.name}`, set.version] as const),
    ['code', build.codeRevision],
    ['environment', build.environment ?? ''],
    ['seed', String(build.seed)],
    ...Object.entries(version.thresholds).map(
      ([outcome, value]) => [`threshold ${outcome}`, String(value)] as const,
    ),
    ...Object.entries(version.metrics).map(([name, metric]) => [name, metricText(metric)] as const),
    ['model hash', version.modelHash],
    ['record hash', version.hash],
    ['registered', `${dayAndTime(version.registeredAtUs)} by ${version.registeredBy}`],
  ]
  const known = facts.filter(([, text]) => text !== '')
  const width = Math.max(...known.map(([label]) => label.length))
  for (const [label, text] of known) {
    out.line(`${out.style('dim', label.padEnd(width))}  ${text}`)
  }
}

function sayDifference(
  difference: ReturnType<typeof versionDifference>,
  all: boolean,
  out: TextOutput,
): void {
  const { from, to, groups, changed } = difference
  const text = (row: DifferenceRow, side: 'from' | 'to') => {
    const metric = row.metrics?.[side]
    if (metric) return metricText(metric)
    const value = row[side] ?? '–'
    return /^[0-9a-f]{40,64}$/.test(value) ? value.slice(0, 12) : value.slice(0, 80)
  }
  const rows = groups.flatMap((group) =>
    group.rows
      .filter(({ change }) => all || change !== 'same')
      .map((row) => [group.name, row.name, text(row, 'from'), text(row, 'to'), row.change]),
  )
  if (rows.length === 0) return out.line('Nothing that is on record differs.')
  printTable(out, ['part', 'name', nameOf(from), nameOf(to), 'change'], rows)
  out.line(`${count(changed, 'value')} ${changed === 1 ? 'differs' : 'differ'}.`)
}

const nameOf = ({ model, version }: { model: string; version: number }) => `${model} v${version}`

async function champion(
  registry: Known,
  name: string,
  at: string | undefined,
  out: TextOutput,
  print: Print,
): Promise<number> {
  const atUs = at === undefined ? systemClock.nowUs() : parseTimestamp(at)
  if (atUs === undefined) {
    throw commandErrors.option_invalid(`--at: "${at}" is no time such as 2026-03-01T12:00:00Z.`)
  }
  const found = await registry.championsAt(name, atUs)
  return print(found, () => {
    const rows = [
      ...found.live.map((each) => ({ ...each, as: `policy ${each.policy}`, by: each.startedBy })),
      ...found.aliases.map((each) => ({ ...each, as: `@${each.alias}`, by: each.setBy })),
    ]
    const when = formatTimestamp(atUs)
    if (rows.length === 0) {
      return out.line(`At ${when} no version of ${found.model} was live, and it had no alias.`)
    }
    out.line(`${found.model} at ${when}`)
    printTable(
      out,
      ['as', 'version', 'from', 'to', 'by'],
      rows.map(({ as, version, fromUs, toUs, by }) => [
        as,
        `v${version}`,
        dayAndTime(fromUs),
        toUs === undefined ? '–' : dayAndTime(toUs),
        by,
      ]),
    )
  })
}

async function change(
  registry: Known,
  act: Exclude<ModelsAct, { act: 'list' | 'show' | 'diff' | 'champion' | 'score' | 'adopt' }>,
  options: ModelsOptions,
  out: TextOutput,
): Promise<number> {
  const said = options.reason?.trim() || byCommand(`models ${act.act}`).reason
  const by: ChangeBy = { actor: systemActor, reason: said }
  const tell = (json: unknown, text: string) => out.line(options.json ? JSON.stringify(json) : text)
  switch (act.act) {
    case 'alias': {
      const { name, alias, version } = act
      if (version === 'none') {
        await registry.deleteAlias(name, alias, by)
        tell({ model: name, alias, version: null }, `@${alias} of ${name} points nowhere now.`)
      } else {
        const found = await versionNamed(registry, name, version)
        const number = found.version.version
        await registry.setAlias(name, alias, number, by)
        tell({ model: name, alias, version: number }, `@${alias} of ${name} is v${number} now.`)
      }
      return exitCodes.ok
    }
    case 'purge': {
      const olderThanUs = durationOf(options.olderThan ?? '90d')
      const gone = await registry.purge(systemClock.nowUs() - olderThanUs, by)
      const text = `${count(gone.versions, 'version')} and ${count(gone.models, 'model')} removed.`
      tell(gone, text)
      return exitCodes.ok
    }
    case 'delete':
    case 'restore': {
      const { model, rest } = parts(act.name)
      const isDelete = act.act === 'delete'
      if (rest === undefined) {
        await (isDelete ? registry.deleteModel(model, by) : registry.restoreModel(model, by))
      } else {
        const number = isDelete
          ? (await versionNamed(registry, model, rest)).version.version
          : numberOf(rest)
        await (isDelete
          ? registry.deleteVersion(model, number, by)
          : registry.restoreVersion(model, number, by))
      }
      const what = rest === undefined ? model : `${model}@${rest}`
      tell(
        { [isDelete ? 'deleted' : 'restored']: what },
        isDelete ? `${what} is hidden; restore it until it is purged.` : `${what} is back.`,
      )
      return exitCodes.ok
    }
  }
}

/** `NAME`, `NAME@3` or `NAME@alias`; a name may hold an @ itself where something follows it. */
function parts(name: string): { model: string; rest: string | undefined } {
  const at = name.lastIndexOf('@')
  return at <= 0
    ? { model: name, rest: undefined }
    : { model: name.slice(0, at), rest: name.slice(at + 1) }
}

/** `churn@3` or `churn@champion`. Error: `option_invalid`. */
export async function oneVersion(registry: Known, name: string): Promise<ModelVersion> {
  const { model, rest } = parts(name)
  if (rest !== undefined) return (await versionNamed(registry, model, rest)).version
  throw commandErrors.option_invalid(`"${name}" names no version; write NAME@VERSION.`)
}

async function versionNamed(
  registry: Known,
  model: string,
  wanted: string,
): Promise<LabelledVersion> {
  return /^v?\d{1,15}$/i.test(wanted)
    ? registry.labelled(model, numberOf(wanted))
    : registry.byAlias(model, wanted)
}

function numberOf(text: string): number {
  const number = Number(text.replace(/^v/i, ''))
  if (Number.isSafeInteger(number) && number > 0) return number
  throw commandErrors.option_invalid(`"${text}" is no version; give its number.`)
}

/** For people: four digits; `--json` has all of them. */
function metricText({ value, low, high }: VersionMetric): string {
  const text = (figure: number) => String(Number(figure.toPrecision(4)))
  return low === undefined || high === undefined
    ? text(value)
    : `${text(value)} (${text(low)} to ${text(high)})`
}

/** To the minute, UTC. */
function dayAndTime(us: number): string {
  return formatTimestamp(us).slice(0, 16).replace('T', ' ')
}

function durationOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw commandErrors.option_invalid(`--older-than: ${(error as Error).message}`)
  }
}
