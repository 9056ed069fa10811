// How many files may arrive at once. Each holds a connection and a file that is not whole yet, for as
// long as its client likes, above the least speed that the front door asks for.
import { mlflowErrors } from './errors.ts'

export interface Arriving {
  /** Runs while a file arrives. Error: `mlflow_uploads_full`, before anything of it is read. */
  during<T>(identityId: string, act: () => Promise<T>): Promise<T>
}

export const arrivingMax = { all: 256, perIdentity: 64 } as const
const RETRY_AFTER_S = 5

export function createArriving(): Arriving {
  const arriving = new Map<string, number>()
  let all = 0
  return {
    async during(id, act) {
      const own = arriving.get(id) ?? 0
      if (all >= arrivingMax.all || own >= arrivingMax.perIdentity) {
        const whose = all >= arrivingMax.all ? `${all}` : `${own} of ${id}`
        throw mlflowErrors.mlflow_uploads_full(`${whose} files are arriving now.`, {
          extra: { retryAfter: RETRY_AFTER_S },
        })
      }
      all++
      arriving.set(id, own + 1)
      try {
        return await act()
      } finally {
        all--
        const left = arriving.get(id)! - 1
        if (left > 0) arriving.set(id, left)
        else arriving.delete(id)
      }
    },
  }
}
