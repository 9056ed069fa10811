// Request fields that several endpoints share.
import { trackingLimits } from '../../tracking/index.ts'
import { list, record, text } from './endpoint.ts'
import { atMost, entityKey, every, experimentId, runId } from './text-rules.ts'

const limits = trackingLimits

/** Older clients call it run_uuid. */
export const theRun = text({ required: true, also: 'run_uuid', rule: runId })
export const theExperiment = text({ required: true, rule: experimentId })

export const metricKey = text({
  required: true,
  rule: every(entityKey, atMost(limits.name, 'Metric name')),
})
export const paramKey = text({
  required: true,
  rule: every(entityKey, atMost(limits.name, 'Param key')),
})
export const tagKey = text({ required: true, rule: every(entityKey, atMost(limits.name)) })

export const tagList = list(record({ key: tagKey, value: text() }))

type Pair = { readonly key: string; readonly value: string | undefined }

/** The last of several values of one key counts. */
export function toRecord(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value = '' }) => [key, value]))
}
