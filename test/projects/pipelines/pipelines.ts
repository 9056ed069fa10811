import { approval, cron, given, partitionBy, pipeline } from 'assay'
import { clean, countDay, describe, train } from './steps.ts'

/** Makes a data set that others train on. */
export const texts = pipeline('create-texts', {
  title: 'Texts',
  description: 'Reads messages, keeps those that are long enough, and describes them.',
  params: { lengthMin: { default: 3, min: 1, max: 100, description: 'Shortest text kept' } },
  steps({ params }) {
    const cleaned = clean({
      inputs: { raw: given.file('data/messages.csv') },
      params: { lengthMin: params.lengthMin },
    })
    return { clean: cleaned, describe: describe({ inputs: { rows: cleaned.outputs.rows } }) }
  },
  products: (steps) => ({ rows: steps.clean.outputs.rows }),
  triggers: [cron('0 3 * * *', { catchUp: 'last' })],
})

/** Trains on the product of another pipeline, after people have looked at it. */
export const training = pipeline('train-texts', {
  steps() {
    const look = approval({
      question: 'Are these the texts to learn from?',
      shows: { rows: texts.products.rows },
    })
    return { look, train: train({ inputs: { rows: texts.products.rows }, after: [look] }) }
  },
})

export const daily = pipeline('daily-counts', {
  steps: ({ partition }) => ({ count: countDay({ params: { day: partition } }) }),
  partitions: partitionBy.day({ from: '2026-01-01', until: '2026-02-01' }),
})
