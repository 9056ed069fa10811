/** Chooses how a penalised mean loss is minimised. */
import { createRandom } from '../../lib/random.ts'
import type { FitOptions } from '../model.ts'
import { minimise } from './lbfgs.ts'
import { PRODUCTS_MAX, solveLeastSquares } from './least-squares.ts'
import { meanLoss, type Problem, smoothObjective, squaredLoss } from './loss.ts'
import type { Solver } from './model.ts'
import { CURVES_MAX, minimiseByNewton, penalties, UNKNOWNS_MAX } from './newton.ts'
import { minimiseWithL1 } from './owlqn.ts'
import { minimiseBySaga, type SparseProblem } from './saga.ts'

export type Solution = { readonly point: Float64Array; readonly iterations: number }

export type Method = {
  /** SAGA takes sparse designs and losses of bounded curvature. */
  readonly solver: Solver
  readonly tolerance: number
  readonly maxIterations: number
  /** Where L-BFGS and SAGA start; 0 everywhere if absent. */
  readonly start?: Float64Array
}

/** Where the iterations run out, the point reached is the solution. */
export function solve(problem: Problem, method: Method, options: FitOptions): Solution {
  const { design, outputs, l1 } = problem
  const { maxIterations } = method
  const { onProgress } = options
  const report = (done: number, trainingLoss: number) =>
    onProgress?.({ done, total: maxIterations, trainingLoss })

  if (method.solver === 'saga') {
    const random = createRandom(options.seed).fork('saga')
    // A pass does not know the loss of all rows; it is computed only for who asks.
    const pass =
      onProgress && ((done: number, at: Float64Array) => report(done, lossAt(problem, at)))
    return minimiseBySaga(problem as SparseProblem, random, method, pass)
  }
  if (problem.loss === squaredLoss && design.width <= PRODUCTS_MAX) {
    const solution = solveLeastSquares(problem, method)
    if (onProgress) report(solution.iterations, lossAt(problem, solution.point))
    return solution
  }
  const start = method.start ?? new Float64Array(outputs * (design.width + 1))
  const few = start.length <= UNKNOWNS_MAX && design.rows * outputs * outputs <= CURVES_MAX
  const fits = problem.loss.curve !== undefined && few
  if (fits && (l1 > 0 || method.solver === 'newton')) {
    return minimiseByNewton(problem, start, method, report)
  }
  const objective = smoothObjective(problem)
  if (l1 === 0) return minimise(objective, start, method, report)
  return minimiseWithL1(objective, penalties(problem), start, method, report)
}

/** The mean loss at a point, every row counted once, without penalty. */
export function lossAt(problem: Problem, point: Float64Array): number {
  const weights = new Float64Array(problem.y.length).fill(1)
  return meanLoss({ ...problem, weights })(point, new Float64Array(point.length))
}
