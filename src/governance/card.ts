import type { ModelCard } from './card-schema.ts'

/** The words across the card, and wherever its approvals are shown, of a version scripts approved. */
export const scriptWatermark = 'Example: approved by a script'

/** What a card is built from: what people declared and what the pipeline measured. */
export interface ModelCardFacts {
  readonly name: string
  readonly version: string
  /** ISO 8601 date of registration. */
  readonly date: string
  readonly changes?: string | undefined
  readonly purpose: string
  readonly owner: string
  readonly contact?: string | undefined
  readonly architecture: string
  readonly data: readonly {
    readonly name: string
    readonly description: string
    /** Content hash of the snapshot. */
    readonly hash?: string | undefined
    /** Names of columns declared personal. */
    readonly personal?: readonly string[] | undefined
  }[]
  readonly inputs: readonly { readonly name: string; readonly description: string }[]
  readonly output: string
  readonly outcomes: readonly { readonly name: string; readonly description: string }[]
  readonly metrics: readonly {
    readonly name: string
    readonly value: number
    readonly low?: number | undefined
    readonly high?: number | undefined
    readonly slice?: string | undefined
  }[]
  readonly users: readonly string[]
  readonly useCases: readonly string[]
  readonly limitations: readonly string[]
  readonly tradeoffs: readonly string[]
  readonly ethicalConsiderations: readonly {
    readonly name: string
    readonly mitigation: string
  }[]
  readonly references?: readonly string[] | undefined
  readonly license?: string | undefined
  readonly path?: string | undefined
}

/** Builds a card in the Model Card Toolkit's shape. Nothing is invented: what is unknown is empty. */
export function buildModelCard(facts: ModelCardFacts): ModelCard {
  const described = (texts: readonly string[]) => texts.map((description) => ({ description }))
  return {
    schema_version: '0.0.2',
    model_details: {
      name: facts.name,
      overview: facts.purpose,
      documentation: facts.changes ?? '',
      owners: [
        { name: facts.owner, ...(facts.contact === undefined ? {} : { contact: facts.contact }) },
      ],
      version: { name: facts.version, date: facts.date },
      licenses: facts.license === undefined ? [] : [{ identifier: facts.license }],
      references: (facts.references ?? []).map((reference) => ({ reference })),
      citations: [],
      path: facts.path ?? '',
    },
    model_parameters: {
      model_architecture: facts.architecture,
      data: facts.data.map(({ name, description, hash, personal = [] }) => ({
        name,
        description,
        ...(hash === undefined ? {} : { link: `snapshot:${hash}` }),
        ...(personal.length === 0 ? {} : { sensitive: { sensitive_data: [...personal] } }),
      })),
      input_format: `${facts.inputs.length} features, each a number or missing`,
      input_format_map: facts.inputs.map(({ name, description }) => ({
        key: name,
        value: description,
      })),
      output_format: facts.output,
      output_format_map: facts.outcomes.map(({ name, description }) => ({
        key: name,
        value: description,
      })),
    },
    quantitative_analysis: {
      performance_metrics: facts.metrics.map(({ name, value, low, high, slice }) => ({
        type: name,
        value: String(value),
        ...(slice === undefined ? {} : { slice }),
        ...(low === undefined || high === undefined
          ? {}
          : { confidence_interval: { lower_bound: String(low), upper_bound: String(high) } }),
      })),
    },
    considerations: {
      users: described(facts.users),
      use_cases: described(facts.useCases),
      limitations: described(facts.limitations),
      tradeoffs: described(facts.tradeoffs),
      ethical_considerations: facts.ethicalConsiderations.map(({ name, mitigation }) => ({
        name,
        mitigation_strategy: mitigation,
      })),
    },
  }
}

/** One required field: the path people know it by, and whether a card fills it. */
interface CardRequirement {
  readonly field: string
  readonly filled: (card: ModelCard) => boolean
}

const text = (value: string) => value.trim() !== ''
const some = <T>(list: readonly T[], filled: (item: T) => boolean) =>
  list.length > 0 && list.every(filled)

/** What "complete" means. A row here is all it takes to ask for another field. */
const requirements: readonly CardRequirement[] = [
  { field: 'model_details.name', filled: (c) => text(c.model_details.name) },
  { field: 'model_details.overview', filled: (c) => text(c.model_details.overview) },
  {
    field: 'model_details.owners',
    filled: (c) => some(c.model_details.owners, (owner) => text(owner.name)),
  },
  { field: 'model_details.version', filled: (c) => text(c.model_details.version.name) },
  { field: 'model_details.version.date', filled: (c) => text(c.model_details.version.date) },
  {
    field: 'model_parameters.model_architecture',
    filled: (c) => text(c.model_parameters.model_architecture),
  },
  {
    field: 'model_parameters.data',
    filled: (c) => some(c.model_parameters.data, (d) => text(d.name) && text(d.description)),
  },
  {
    field: 'model_parameters.input_format_map',
    filled: (c) => some(c.model_parameters.input_format_map, (i) => text(i.key) && text(i.value)),
  },
  {
    field: 'model_parameters.output_format',
    filled: (c) => text(c.model_parameters.output_format),
  },
  {
    field: 'quantitative_analysis.performance_metrics',
    filled: (c) => some(c.quantitative_analysis.performance_metrics, (m) => text(m.value)),
  },
  {
    field: 'quantitative_analysis.performance_metrics.confidence_interval',
    filled: (c) =>
      c.quantitative_analysis.performance_metrics.some((m) => m.confidence_interval !== undefined),
  },
  {
    field: 'considerations.users',
    filled: (c) => some(c.considerations.users, (u) => text(u.description)),
  },
  {
    field: 'considerations.use_cases',
    filled: (c) => some(c.considerations.use_cases, (u) => text(u.description)),
  },
  {
    field: 'considerations.limitations',
    filled: (c) => some(c.considerations.limitations, (l) => text(l.description)),
  },
  {
    field: 'considerations.ethical_considerations',
    filled: (c) =>
      some(
        c.considerations.ethical_considerations,
        (e) => text(e.name) && text(e.mitigation_strategy),
      ),
  },
]

/** The required fields that a card leaves empty; none for a complete card. */
export function missingCardFields(card: ModelCard): string[] {
  return requirements.filter(({ filled }) => !filled(card)).map(({ field }) => field)
}
