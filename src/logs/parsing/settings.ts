// Settings of Drain as its benchmark's files have them: `regex`, `st`, `depth`, perhaps `log_format`, alone or
// one for each of several systems.
import { basename } from 'node:path'
import { fail } from '../errors.ts'
import type { DrainSettings } from './drain.ts'

export interface SystemSettings {
  readonly drain: DrainSettings
  /** The header that goes with them. */
  readonly format: string | undefined
}

export interface SettingsChoice {
  /** Whose settings, by name. */
  readonly system?: string | undefined
  /** Else of the system whose log has this name, */
  readonly file: string
  /** or this header. */
  readonly format?: string | undefined
}

/** Error: `log_settings_invalid`, with what is wrong. */
export function parseDrainSettings(json: string, choice: SettingsChoice): SystemSettings {
  const settings = chosen(objectOf(parsedJson(json), 'The settings'), choice)
  const { regex = [], st = 0.4, depth = 4, log_format: format } = settings
  if (!Array.isArray(regex) || regex.some((pattern) => typeof pattern !== 'string')) {
    throw fail.log_settings_invalid('regex is no list of patterns.')
  }
  for (const pattern of regex as string[]) checkPattern(pattern)
  if (typeof st !== 'number' || !(st >= 0 && st <= 1)) {
    throw fail.log_settings_invalid(`st is ${JSON.stringify(st)}, not a number from 0 to 1.`)
  }
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 3 || depth > 20) {
    throw fail.log_settings_invalid(
      `depth is ${JSON.stringify(depth)}, not a whole number from 3 to 20.`,
    )
  }
  if (format !== undefined && typeof format !== 'string') {
    throw fail.log_settings_invalid('log_format is no text.')
  }
  return { drain: { masks: regex as string[], similarity: st, depth }, format }
}

type Json = Readonly<Record<string, unknown>>

/** A file for one system is its settings; one for several has an object for each. */
function chosen(whole: Json, { system, file, format }: SettingsChoice): Json {
  const names = Object.keys(whole)
  const isMany = names.length > 0 && names.every((name) => isObject(whole[name]))
  if (!isMany) {
    if (system === undefined) return whole
    throw fail.log_settings_invalid(`The file has settings of one system, not by name: ${system}.`)
  }
  const of = (name: string) => objectOf(whole[name], `The settings of ${name}`)
  if (system !== undefined) {
    if (names.includes(system)) return of(system)
    throw fail.log_settings_invalid(`There is no ${system} among ${names.join(', ')}.`)
  }
  const log = basename(file).replace(/\.gz$/, '')
  const byFile = names.filter((name) => basename(String(of(name)['log_file'])) === log)
  const byFormat = names.filter((name) => of(name)['log_format'] === format)
  const [found, ...others] = byFile.length > 0 ? byFile : byFormat
  if (found !== undefined && others.length === 0) return of(found)
  throw fail.log_settings_invalid(
    `The file has settings of ${names.join(', ')}; neither the name ${log} nor the header tells whose to take.`,
  )
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw fail.log_settings_invalid(`They are no JSON: ${(cause as Error).message}`, { cause })
  }
}

function checkPattern(pattern: string): void {
  try {
    void new RegExp(pattern)
  } catch (cause) {
    throw fail.log_settings_invalid(`regex: ${(cause as Error).message}`, { cause })
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectOf(value: unknown, what: string): Json {
  if (isObject(value)) return value
  throw fail.log_settings_invalid(`${what} are no JSON object.`)
}
