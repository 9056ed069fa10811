import type { Restorable } from '../lib/unit-of-work.ts'
import type { RegistryStore } from './ports.ts'
import { pageOfModels, pageOfVersions } from './search.ts'
import { isPrompt } from './types.ts'
import type {
  AliasPeriod,
  LabelledVersion,
  LivePeriod,
  ModelVersion,
  RegisteredModel,
  TrainingInput,
  VersionLabels,
} from './types.ts'

interface Kept {
  readonly version: ModelVersion
  readonly labels: VersionLabels
  readonly wasApproved: boolean
}

/** The simplest right store: maps of immutable values that a failed transaction puts back. */
export function createMemoryRegistryStore(): RegistryStore & Restorable {
  let models = new Map<string, RegisteredModel>()
  let versions = new Map<string, Kept>()
  let names = new Map<string, { now: string; lastVersion: number }>()
  let aliases: readonly AliasPeriod[] = []
  let periods: readonly LivePeriod[] = []

  const key = (model: string, version: number) => `${version}/${model}`
  const shown = (model?: string, deleted?: 'with') =>
    [...versions.values()]
      .filter(({ version }) => model === undefined || version.model === model)
      .filter(({ labels }) => deleted === 'with' || labels.deletedAtUs === undefined)
      .sort((a, b) => compare(a.version, b.version))
  const openAliases = (model: string) =>
    aliases.filter((each) => each.model === model && each.toUs === undefined)
  const labelledOf = ({ version, labels }: Kept): LabelledVersion => ({
    version,
    labels,
    aliases: openAliases(version.model)
      .filter((each) => each.version === version.version)
      .map(({ alias }) => alias)
      .sort(order),
  })
  function change(model: string, version: number, changed: (kept: Kept) => Partial<Kept>): void {
    const found = versions.get(key(model, version))
    if (found !== undefined) versions.set(key(model, version), { ...found, ...changed(found) })
  }

  return {
    save() {
      const maps = [new Map(models), new Map(versions), new Map(names)] as const
      const lists = [aliases, periods] as const
      return () => {
        ;[models, versions, names] = maps
        ;[aliases, periods] = lists
      }
    },
    async insertModel(model) {
      if (models.has(model.name)) throw new Error(`There is a model ${model.name} already.`)
      models.set(model.name, model)
      const { lastVersion = 0 } = names.get(model.name) ?? {}
      names.set(model.name, { now: model.name, lastVersion })
    },
    model: async (name) => models.get(name),
    models: async (deleted) =>
      [...models.values()]
        .filter((model) => deleted === 'with' || model.deletedAtUs === undefined)
        .sort((a, b) => order(a.name, b.name)),
    async changeModel(name, changed) {
      const found = models.get(name)
      if (found !== undefined) models.set(name, changedBy(found, changed))
    },
    async setModelTag(name, tag, value) {
      const found = models.get(name)
      if (found !== undefined) models.set(name, { ...found, tags: tagged(found.tags, tag, value) })
    },
    async renameModel(from, to) {
      const found = models.get(from)
      if (found === undefined) return
      models.delete(from)
      models.set(to, { ...found, name: to })
      // A copy, because the map changes under the loop.
      const all = versions.values().toArray()
      for (const kept of all) {
        if (kept.version.model !== from) continue
        versions.delete(key(from, kept.version.version))
        const { registeredAs = from, ...rest } = kept.version
        const version = { ...rest, model: to, ...(registeredAs !== to && { registeredAs }) }
        versions.set(key(to, version.version), { ...kept, version })
      }
      const moved = <T extends { readonly model: string }>(each: T): T =>
        each.model === from ? { ...each, model: to } : each
      aliases = aliases.map(moved)
      periods = periods.map(moved)
      const { lastVersion = 0 } = names.get(from) ?? {}
      for (const [name, use] of names) if (use.now === from) names.set(name, { ...use, now: to })
      names.set(to, {
        now: to,
        lastVersion: Math.max(lastVersion, names.get(to)?.lastVersion ?? 0),
      })
    },
    async removeModel(name) {
      models.delete(name)
    },
    nameUse: async (name) => names.get(name),

    async insertVersion(version, labels) {
      const { model, version: number } = version
      if (versions.has(key(model, number))) {
        throw new Error(`${model} already has a version ${number}.`)
      }
      versions.set(key(model, number), { version, labels, wasApproved: false })
      const { lastVersion = 0 } = names.get(model) ?? {}
      names.set(model, { now: model, lastVersion: Math.max(lastVersion, number) })
    },
    version: async (model, version) => versions.get(key(model, version))?.version,
    versions: async (model) => shown(model).map(({ version }) => version),
    trainedOn: async (input, most) => {
      const fitting = shown().filter(({ version }) => isTrainedOn(version, input))
      const names = fitting.map(({ version: { model, version } }) => ({ model, version }))
      return { versions: names.slice(0, most), more: names.length > most }
    },
    registeredFrom: async (runIds) =>
      [...new Set(runIds)].flatMap((runId) => {
        const first = shown().find(({ version }) => version.build.runId === runId)?.version
        return first === undefined ? [] : [{ runId, model: first.model, version: first.version }]
      }),
    statusCounts: async (model) => countBy(shown(model).map(({ version }) => version.status)),
    versionByHash: async (hash) =>
      [...versions.values()].find(({ version }) => version.hash === hash)?.version,
    async setStatus(model, number, status, statusReason) {
      change(model, number, ({ version, wasApproved }) => ({
        version: { ...version, status, statusReason },
        wasApproved: wasApproved || status === 'approved' || status === 'live',
      }))
    },
    async labelled(model, version) {
      const found = versions.get(key(model, version))
      return found && labelledOf(found)
    },
    allLabelled: async (model, deleted) => shown(model, deleted).map(labelledOf),
    latestByStage: async (models) => {
      const seen = new Set<string>()
      return shown()
        .map(labelledOf)
        .filter(({ version, labels }) => {
          const place = JSON.stringify([version.model, labels.stage])
          const isFirst = models.includes(version.model) && !seen.has(place)
          seen.add(place)
          return isFirst
        })
    },
    async changeLabels(model, version, changed) {
      change(model, version, ({ labels }) => ({ labels: changedBy(labels, changed) }))
    },
    async setVersionTag(model, version, tag, value) {
      change(model, version, ({ labels }) => ({
        labels: { ...labels, tags: tagged(labels.tags, tag, value) },
      }))
    },
    removable: async (beforeUs, limit) =>
      shown(undefined, 'with')
        .filter(({ labels, wasApproved }) => {
          const { deletedAtUs } = labels
          return !wasApproved && deletedAtUs !== undefined && deletedAtUs < beforeUs
        })
        .map(({ version }) => ({ model: version.model, version: version.version }))
        .slice(0, limit),
    async emptyModels(beforeUs, limit) {
      const held = new Set([...versions.values()].map(({ version }) => version.model))
      return [...models.values()]
        .filter(({ deletedAtUs, name }) => (deletedAtUs ?? beforeUs) < beforeUs && !held.has(name))
        .map(({ name }) => name)
        .sort(order)
        .slice(0, limit)
    },
    modelsNamed: async () => [
      ...new Set([...versions.values()].map(({ version }) => version.modelHash)),
    ],
    async dataNamed() {
      const hashes = [...versions.values()].flatMap(({ version }) =>
        Object.values(version.build.snapshots),
      )
      return [...new Set(hashes)]
    },
    async removeVersion(model, version) {
      versions.delete(key(model, version))
    },
    searchModels: async (search, after) => pageOfModels([...models.values()], search, after),
    searchVersions: async (search, after) => {
      const prompts = [...models.values()].filter(isPrompt).map(({ name }) => name)
      return pageOfVersions(shown().map(labelledOf), new Set(prompts), search, after)
    },
    cameOf: async (source) =>
      [...versions.values()].some(({ version }) =>
        'runId' in source
          ? version.build.runId === source.runId
          : version.brought?.loggedModelId === source.loggedModelId,
      ),

    async openAlias(period) {
      aliases = [...aliases, period]
    },
    async closeAlias(model, alias, toUs, endedBy) {
      aliases = aliases.map((each) =>
        each.model === model && each.alias === alias && each.toUs === undefined
          ? { ...each, toUs, endedBy }
          : each,
      )
    },
    aliases: async (model) =>
      Object.fromEntries(openAliases(model).map(({ alias, version }) => [alias, version])),
    aliasPeriods: async (model) => aliases.filter((each) => each.model === model),

    async openLivePeriod(period) {
      periods = [...periods, period]
    },
    async closeLivePeriod(model, policy, toUs, endedBy) {
      periods = periods.map((period) =>
        period.model === model && period.policy === policy && period.toUs === undefined
          ? { ...period, toUs, endedBy }
          : period,
      )
    },
    livePeriods: async (model) => periods.filter((period) => period.model === model),
  }
}

function isTrainedOn({ build }: ModelVersion, { kind, name, hash }: TrainingInput): boolean {
  const inputs =
    kind === 'snapshot'
      ? Object.entries(build.snapshots)
      : build.featureSets.map((set) => [set.name, set.version] as const)
  return inputs.some((input) => input[0] === name && (hash === undefined || input[1] === hash))
}

function countBy<T extends string>(values: readonly T[]): Partial<Record<T, number>> {
  const counts: Partial<Record<T, number>> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

function changedBy<T extends object>(before: T, change: object): T {
  const entries = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T
}

function tagged(tags: Readonly<Record<string, string>>, key: string, value: string | undefined) {
  const { [key]: _, ...others } = tags
  return value === undefined ? others : { ...others, [key]: value }
}

function compare(a: ModelVersion, b: ModelVersion): number {
  return order(a.model, b.model) || b.version - a.version
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
