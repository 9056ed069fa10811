// The text format of Prometheus (version 0.0.4). Durations are in seconds.

export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

export type Sample = readonly [labels: string, value: number]

export function metric(
  name: string,
  type: string,
  help: string,
  samples: readonly Sample[],
): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ]
}

export function labelled(name: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([value, n]) => [tag(name, value), n])
}

export function tag(name: string, value: string): string {
  return tags({ [name]: value })
}

export function tags(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Cumulative counts by upper bound, the last one without a bound. */
export interface HistogramSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly boundsUs: readonly number[]
  readonly counts: readonly number[]
  readonly sumUs: number
}

export function histogram(
  name: string,
  help: string,
  series: readonly HistogramSeries[],
): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...series.flatMap(({ labels, boundsUs, counts, sumUs }) => {
      const total = counts.at(-1) ?? 0
      const upTo = (le: string | number) => tags({ ...labels, le: String(le) })
      return [
        ...boundsUs.map((bound, i) => `${name}_bucket${upTo(bound / 1e6)} ${counts[i]}`),
        `${name}_bucket${upTo('+Inf')} ${total}`,
        `${name}_sum${tags(labels)} ${sumUs / 1e6}`,
        `${name}_count${tags(labels)} ${total}`,
      ]
    }),
  ]
}
