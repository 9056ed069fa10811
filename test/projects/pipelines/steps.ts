import { check, step } from 'assay'
import { longEnough } from './words.ts'

export const clean = step('clean', {
  title: 'Clean',
  inputs: { raw: 'file' },
  params: { lengthMin: 3 },
  outputs: {
    rows: {
      kind: 'table',
      checks: [
        check.rows({ min: 3 }),
        check.unique('id'),
        check.missing('text', { maxShare: 0.01 }),
        check.allowed('topic', ['cards', 'loans']),
        check.drift('length', { maxPsi: 0.5 }),
        check.coverage('topic', { minRows: 2 }),
      ],
    },
  },
  async run({ inputs, params, outputs, log }) {
    const [, ...lines] = (await inputs.raw.text()).trim().split('\n')
    const rows = lines
      .map((line) => line.split(','))
      .map(([id, topic, text]) => ({ id: Number(id), topic, text, length: text.length }))
      .filter(({ text }) => longEnough(text, params.lengthMin))
    log(`${rows.length} of ${lines.length} texts are long enough`)
    await outputs.rows.write(rows)
    return `${rows.length} texts`
  },
})

export const describe = step('describe', {
  inputs: { rows: 'table' },
  outputs: { facts: 'metrics' },
  async run({ inputs, outputs }) {
    const rows = await inputs.rows.rows()
    const lengths = rows.map(({ length }) => Number(length))
    await outputs.facts.write({ texts: rows.length, lengthMax: Math.max(...lengths) })
  },
})

export const train = step('train', {
  inputs: { rows: 'table' },
  outputs: { model: 'json', measures: 'metrics' },
  retry: { attempts: 2, backoffS: 0.1 },
  timeoutS: 60,
  async run({ inputs, outputs, report }) {
    const rows = await inputs.rows.rows()
    report('counting')
    const share = rows.filter(({ topic }) => topic === 'cards').length / rows.length
    await outputs.model.write({ kind: 'constant', share })
    await outputs.measures.write({ share })
    return `share ${share.toFixed(2)}`
  },
})

export const countDay = step('count-day', {
  params: { day: '' },
  outputs: { counted: 'json' },
  async run({ params, outputs }) {
    await outputs.counted.write({ day: params.day, letters: params.day.length })
    return params.day
  },
})
