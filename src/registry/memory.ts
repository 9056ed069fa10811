import type { Restorable } from '../lib/unit-of-work.ts'
import type { RegistryStore } from './ports.ts'
import type { LivePeriod, ModelVersion, RegisteredModel } from './types.ts'

/** The simplest right store: maps of immutable values that a failed transaction puts back. */
export function createMemoryRegistryStore(): RegistryStore & Restorable {
  let models = new Map<string, RegisteredModel>()
  let versions = new Map<string, ModelVersion>()
  let aliases = new Map<string, Record<string, number>>()
  let periods: readonly LivePeriod[] = []

  const key = (model: string, version: number) => `${version}/${model}`

  return {
    save() {
      const saved = [new Map(models), new Map(versions), new Map(aliases), periods] as const
      return () => {
        ;[models, versions, aliases, periods] = saved
      }
    },
    async insertModel(model) {
      models.set(model.name, model)
    },
    model: async (name) => models.get(name),
    models: async () => [...models.values()].sort((a, b) => order(a.name, b.name)),

    async insertVersion(version) {
      if (versions.has(key(version.model, version.version))) {
        throw new Error(`${version.model} already has a version ${version.version}.`)
      }
      versions.set(key(version.model, version.version), version)
    },
    version: async (model, version) => versions.get(key(model, version)),
    versions: async (model) =>
      [...versions.values()]
        .filter((version) => model === undefined || version.model === model)
        .sort((a, b) => order(a.model, b.model) || b.version - a.version),
    versionByHash: async (hash) => [...versions.values()].find((version) => version.hash === hash),
    async setStatus(model, version, status, statusReason) {
      const found = versions.get(key(model, version))
      if (found !== undefined) {
        versions.set(key(model, version), { ...found, status, statusReason })
      }
    },

    async setAlias(model, alias, version) {
      aliases.set(model, { ...aliases.get(model), [alias]: version })
    },
    aliases: async (model) => ({ ...aliases.get(model) }),

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

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
