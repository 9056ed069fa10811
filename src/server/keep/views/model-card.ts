// A version's model card as the page shows it.
import { missingCardFields, type ModelCard } from '../../../governance/index.ts'
import type { Version } from '../../contract/index.ts'
import { metricTitle } from '../present.ts'

/** Sections of a card in reading order, each field with the paths that "complete" asks for. */
export function cardView(
  card: ModelCard | undefined,
  watermark: string | undefined,
): Version['card'] {
  if (card === undefined) return { complete: false, watermark: watermark ?? null, sections: [] }
  const missing = new Set(missingCardFields(card))
  const entry = (name: string, path: string, texts: readonly string[]) => ({
    name,
    text: texts.filter((text) => text !== '').join('\n'),
    missing: missing.has(path),
  })
  const { model_details: details, model_parameters: parameters, considerations } = card
  const described = (list: readonly { readonly description: string }[]) =>
    list.map((each) => each.description)
  return {
    complete: missing.size === 0,
    watermark: watermark ?? null,
    sections: [
      {
        title: 'Model details',
        entries: [
          entry('Name', 'model_details.name', [details.name]),
          entry('Overview', 'model_details.overview', [details.overview]),
          entry(
            'Owners',
            'model_details.owners',
            details.owners.map(({ name }) => name),
          ),
          entry('Version', 'model_details.version', [details.version.name]),
          entry('Date', 'model_details.version.date', [details.version.date]),
          entry('Documentation', 'model_details.documentation', [details.documentation]),
        ],
      },
      {
        title: 'Parameters',
        entries: [
          entry('Architecture', 'model_parameters.model_architecture', [
            parameters.model_architecture,
          ]),
          entry(
            'Data',
            'model_parameters.data',
            parameters.data.map(({ name, description }) => `${name}: ${description}`),
          ),
          entry(
            'Input',
            'model_parameters.input_format_map',
            parameters.input_format_map.map(({ key, value }) => `${key}: ${value}`),
          ),
          entry('Output', 'model_parameters.output_format', [
            parameters.output_format,
            ...parameters.output_format_map.map(({ key, value }) => `${key}: ${value}`),
          ]),
        ],
      },
      {
        title: 'Quantitative analysis',
        entries: card.quantitative_analysis.performance_metrics.map((metric) =>
          entry(
            metricTitle(metric.type) ?? metric.type,
            'quantitative_analysis.performance_metrics',
            [
              metric.confidence_interval === undefined
                ? round(metric.value)
                : `${round(metric.value)} (${round(metric.confidence_interval.lower_bound)} to ${round(metric.confidence_interval.upper_bound)})`,
            ],
          ),
        ),
      },
      {
        title: 'Considerations',
        entries: [
          entry('Users', 'considerations.users', described(considerations.users)),
          entry('Use cases', 'considerations.use_cases', described(considerations.use_cases)),
          entry('Limitations', 'considerations.limitations', described(considerations.limitations)),
          entry('Trade-offs', 'considerations.tradeoffs', described(considerations.tradeoffs)),
          entry(
            'Ethical considerations',
            'considerations.ethical_considerations',
            considerations.ethical_considerations.map(
              ({ name, mitigation_strategy: by }) => `${name} ${by}`,
            ),
          ),
        ],
      },
    ],
  }
}

const round = (text: string): string => Number(text).toFixed(3)
