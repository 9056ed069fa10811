// The decision engine's way to models that another thread or server computes: each by the document that
// its deployment names.
import type { OutsideModels } from '../decisions/index.ts'
import { chancesOf, type ModelRuntime } from '../serving/index.ts'

export function outsideModels(models: {
  runtimeOf(document: string): ModelRuntime
}): OutsideModels {
  return {
    async score({ body }, row) {
      if (body.kind !== 'outside') throw new Error('It is computed where it is decided')
      const x = {
        names: body.features,
        rows: 1,
        columns: Array.from(row, (each) => Float64Array.of(each)),
      }
      const [chance] = await chancesOf(models.runtimeOf(body.served), x)
      return chance
    },
  }
}
