// `assay features list` and `show`: what a project declares, in words.
import { exitCodes, printTable, type FeaturesListOptions, type Terminal } from '../../cli/index.ts'
import {
  describeFeature,
  lineageOf,
  windowsInWords,
  type CompiledFeature,
  type CompiledFeatureSet,
  type FeatureLineage,
} from '../../features/index.ts'
import { formatDuration } from '../../lib/time.ts'
import type { LoadedFeatures } from '../../projects/index.ts'
import { commandErrors } from './errors.ts'
import { featuresIn } from './project.ts'

/** A line a feature: what it is of, over what window, in what unit, and what it says. */
export async function featuresList(
  path: string,
  options: FeaturesListOptions,
  { out }: Terminal,
): Promise<number> {
  const compiled = await featuresIn(path)
  const sets = options.set === undefined ? compiled.featureSets : [setNamed(compiled, options.set)]
  const rows = sets.flatMap((set) =>
    set.features.map((feature) => {
      const lineage = lineageOf(feature, set)
      return [
        feature.name,
        set.name,
        entityOf(lineage),
        windowOf(lineage),
        unitOf(feature),
        feature.description,
      ]
    }),
  )
  printTable(out, ['feature', 'set', 'of', 'window', 'unit', 'description'], rows)
  return exitCodes.ok
}

/** Everything that is declared of one feature. */
export async function featuresShow(name: string, path: string, { out }: Terminal): Promise<number> {
  const compiled = await featuresIn(path)
  const { set, feature } = featureNamed(compiled, name)
  const lineage = lineageOf(feature, set)
  const users = compiled.models.filter((model) => model.featureSets.includes(set.name))
  const facts: (readonly [string, string])[] = [
    ['feature', feature.name],
    ['description', feature.description],
    ['declared as', describeFeature(feature)],
    ['said as', feature.words?.text ?? '–'],
    ['said where missing', feature.words?.missing ?? '–'],
    ['unit', unitOf(feature)],
    ['of', entityOf(lineage)],
    ['window', windowOf(lineage)],
    ['source', set.source],
    ['columns', lineage.columns.join(', ') || '–'],
    ['labels', lineage.labels.join(', ') || '–'],
    ['version', feature.version],
    ['set', set.name],
    ['version of the set', set.version],
    ['models', users.map((model) => model.name).join(', ') || '–'],
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  for (const [label, text] of facts) {
    out.line(`${out.style('dim', label.padEnd(width))}  ${text}`)
  }
  return exitCodes.ok
}

/** The feature set of a name. Error: `option_invalid`, which lists those there are. */
export function setNamed(
  { featureSets }: Pick<LoadedFeatures, 'featureSets'>,
  name: string,
): CompiledFeatureSet {
  const set = featureSets.find((each) => each.name === name)
  if (set !== undefined) return set
  const names = featureSets.map((each) => each.name).join(', ')
  throw commandErrors.option_invalid(`There is no feature set "${name}"; there are: ${names}.`)
}

function featureNamed({ featureSets }: LoadedFeatures, wanted: string) {
  const found = featureSets.flatMap((set) =>
    set.features
      .filter(({ name }) => name === wanted || `${set.name}/${name}` === wanted)
      .map((feature) => ({ set, feature })),
  )
  const [first] = found
  if (first === undefined) {
    throw commandErrors.option_invalid(
      `There is no feature "${wanted}"; \`assay features list\` shows those there are.`,
    )
  }
  // Sets may share a declaration; where they do not, the name alone says too little.
  const other = found.find(({ feature }) => feature.version !== first.feature.version)
  if (other === undefined) return first
  const names = found.map(({ set, feature }) => `${set.name}/${feature.name}`).join(', ')
  throw commandErrors.option_invalid(`"${wanted}" is declared differently in ${names}; name one.`)
}

function entityOf({ keys }: FeatureLineage): string {
  return keys.map((key) => key.join(' × ')).join(', ') || 'the event'
}

const windowOf = (lineage: FeatureLineage): string => windowsInWords(lineage, formatDuration) ?? '–'

function unitOf({ unit, currency }: CompiledFeature): string {
  return unit === 'money' ? (currency ?? unit) : unit
}
