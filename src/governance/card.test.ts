import { expect, test } from 'vitest'
import { buildModelCard, missingCardFields } from './card.ts'
import { completeCardFacts } from './evidence.cases.ts'

test('a card built from complete facts lacks nothing', () => {
  expect(missingCardFields(buildModelCard(completeCardFacts))).toEqual([])
})

test.each([
  ['purpose', { purpose: ' ' }, 'model_details.overview'],
  ['owner', { owner: '' }, 'model_details.owners'],
  ['data', { data: [] }, 'model_parameters.data'],
  ['a data description', { data: [{ name: 'a', description: '' }] }, 'model_parameters.data'],
  ['inputs', { inputs: [] }, 'model_parameters.input_format_map'],
  ['use cases', { useCases: [] }, 'considerations.use_cases'],
  ['ethics', { ethicalConsiderations: [] }, 'considerations.ethical_considerations'],
  [
    'intervals',
    { metrics: [{ name: 'roc_auc', value: 0.9 }] },
    'quantitative_analysis.performance_metrics.confidence_interval',
  ],
])('a card without %s says so', (_, change, field) => {
  expect(missingCardFields(buildModelCard({ ...completeCardFacts, ...change }))).toEqual([field])
})

test('personal columns stand as sensitive data, and figures keep their exact value', () => {
  const card = buildModelCard({
    ...completeCardFacts,
    metrics: [{ name: 'a', value: 0.1 + 0.2, low: 0.1, high: 0.5 }],
  })
  expect(card.model_parameters.data[0]?.sensitive).toEqual({ sensitive_data: ['customer_id'] })
  expect(card.quantitative_analysis.performance_metrics[0]?.value).toBe('0.30000000000000004')
})
