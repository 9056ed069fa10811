// What may be tracked: every value is checked here before a store sees it.
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import type { DatasetInput, Metric, NewMetric, Params, Tags } from './types.ts'

/** A text that is stored as it is: bounded, without NUL or half of a surrogate pair. */
export function checkText(what: string, text: unknown, longest: number, least = 0): void {
  if (typeof text !== 'string') {
    throw trackingErrors.tracking_value_invalid(`${what} must be a text.`)
  }
  if (text.length > longest || text.trim().length < least) {
    throw trackingErrors.tracking_value_invalid(
      `${what} must have ${least === 0 ? 'at most' : `${least} to`} ${longest} characters, ` +
        `not ${text.length}.`,
    )
  }
  if (!text.isWellFormed() || text.includes('\0')) {
    throw trackingErrors.tracking_value_invalid(
      `${what} has a NUL or half of a character, which no store keeps as it is.`,
    )
  }
}

export function checkName(name: unknown, what = 'A name'): void {
  checkText(what, name, limits.name, 1)
}

export function checkParams(params: Params): void {
  for (const [name, value] of Object.entries(params)) {
    checkName(name, 'The name of a parameter')
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
      continue
    if (typeof value !== 'string') {
      throw trackingErrors.tracking_value_invalid(
        `Parameter ${name} must be a finite number, a boolean or a text.`,
      )
    }
    checkText(`Parameter ${name}`, value, limits.paramValue)
  }
}

export function checkTags(tags: Tags, longest: number = limits.runTagValue): void {
  for (const [name, value] of Object.entries(tags)) {
    checkName(name, 'The name of a tag')
    checkText(`Tag ${name}`, value, longest)
  }
}

export function checkCount(what: string, count: number, most: number): void {
  if (count > most) {
    throw trackingErrors.tracking_value_invalid(
      `${count} ${what} came at once; at most ${most} are taken.`,
    )
  }
}

export function checkLimit(limit: number, most: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most) {
    throw trackingErrors.tracking_value_invalid(
      `A page has 1 to ${most} items; ${limit} were asked for.`,
    )
  }
}

/** A metric with its defaults. NaN and infinities pass only where the caller lets them. */
export function checkedMetric(metric: NewMetric, nowUs: number, onlyFinite: boolean): Metric {
  const { name, value, low, high, n, step = 0, atUs = nowUs, modelId, dataset } = metric
  checkName(name, 'The name of a metric')
  const bounds = [low ?? 0, high ?? 0, n ?? 0]
  const isValue = typeof value === 'number' && (!onlyFinite || Number.isFinite(value))
  if (!isValue || !bounds.every(Number.isFinite) || ![step, atUs].every(Number.isSafeInteger)) {
    throw trackingErrors.tracking_value_invalid(
      `Metric ${name} must be ${onlyFinite ? 'finite' : 'a number'}, with finite bounds and a ` +
        'whole step and time.',
    )
  }
  if (modelId !== undefined) checkName(modelId, 'The id of a logged model')
  if (dataset !== undefined) checkDatasetRef(dataset)
  return {
    name,
    // No store keeps the sign of a zero.
    value: value === 0 ? 0 : value,
    ...(low !== undefined && { low }),
    ...(high !== undefined && { high }),
    ...(n !== undefined && { n }),
    step,
    atUs,
    ...(modelId !== undefined && { modelId }),
    ...(dataset !== undefined && { dataset: { name: dataset.name, digest: dataset.digest } }),
  }
}

export function checkDataset(dataset: DatasetInput): void {
  const { name, sourceType, source, schema, profile, tags } = dataset
  checkDatasetRef(dataset)
  checkText(`The source type of data set ${name}`, sourceType, limits.name)
  checkText(`The source of data set ${name}`, source, limits.datasetSource)
  checkText(`The schema of data set ${name}`, schema ?? '', limits.datasetSchema)
  checkText(`The profile of data set ${name}`, profile ?? '', limits.datasetProfile)
  checkTags(tags)
}

function checkDatasetRef({ name, digest }: { name: string; digest: string }): void {
  checkText('The name of a data set', name, limits.datasetName, 1)
  checkText(`The digest of data set ${name}`, digest, limits.datasetDigest, 1)
}
