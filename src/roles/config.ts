// What the supervisor hands to every role.
import { readFileSync } from 'node:fs'

export interface RoleConfig {
  readonly home: string
  /** Folder of the project, absolute. */
  readonly project: string
  /** A file of data named on the command line, absolute. */
  readonly data: string | null
  readonly port: number
  readonly host: string
  readonly replay: boolean
  readonly log: 'text' | 'json'
  /** What the live state of each namespace may take in memory; null: what it needs. */
  readonly stateMemoryBytes: number | null
  /** Address of the store of online values, with its password; null: none is kept up. */
  readonly online: string | null
  /** Of the gRPC door of prediction; null or absent: there is none. */
  readonly grpcPort?: number | null
  /** Policies that decide on the messages of topics, by topic. */
  readonly consume?: Readonly<Record<string, string>>
  readonly housekeeping: HousekeepingSettings
  /** Folder of the built page. */
  readonly page: string
  /** How often within a minute this role was ended by a fault of its memory; none where not told. */
  readonly crashes?: number
}

/** What goes for good by itself, and when. */
export interface HousekeepingSettings {
  /** Hour of the day, UTC; null: never by itself. */
  readonly hour: number | null
  /** For how many days deleted experiments, runs, models and versions can be restored; 0: for good. */
  readonly keepDeleted: number
  /** How many days results of pipelines stay after a run last used them; 0: for good. */
  readonly keepResults: number
  /** How many days files stay that nothing names; one at least, for what is on its way in. */
  readonly keepUnnamed: number
  /** How many days after their receipt records of decisions stay; 0: for good. */
  readonly keepDecisions: number
}

export const usualHousekeeping: HousekeepingSettings = {
  hour: 3,
  keepDeleted: 30,
  keepResults: 90,
  keepUnnamed: 1,
  keepDecisions: 0,
}

/** The configuration of this process, as its supervisor gave it. */
export function roleConfig(): RoleConfig {
  const text = process.env['ASSAY_ROLE_CONFIG']
  if (text === undefined) throw new Error('A role is started by `assay start`, not by hand.')
  return JSON.parse(text) as RoleConfig
}

/** The version of this package, from its own package.json. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
).version
