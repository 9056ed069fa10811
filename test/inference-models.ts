// A small model of our own behind a host, with rows and the probabilities that it gives them.
import { boostedTrees, fit, predictor } from '../src/learning/index.ts'
import { fromRows } from '../src/lib/matrix.ts'
import { createRandom } from '../src/lib/random.ts'
import { createModelHost } from '../src/serving/index.ts'

const random = createRandom('models behind the door')
const drawn = Array.from({ length: 300 }, () => [0, 1, 2].map(() => random.normal(0, 1)))
const x = fromRows(['f0', 'f1', 'f2'], drawn)
const y = Float64Array.from(drawn, ([a, b, c]) => (a + b * c > 0 ? 1 : 0))

export async function engineModel(name: string) {
  const model = fit(boostedTrees({ trees: 20, depth: 4 }), { x, y }, { seed: 1 })
  const models = createModelHost(async () => {
    throw new Error('nothing is outside')
  })
  await models.load({ format: 1, name, version: '1', body: { kind: 'engine', model } })
  const rows = drawn.slice(0, 5)
  const scores = predictor(model).scoreMatrix(fromRows(['f0', 'f1', 'f2'], rows))
  return { models, model, rows, probabilities: Array.from(scores, (yes) => [1 - yes, yes]) }
}
