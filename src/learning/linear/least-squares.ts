/**
 * Penalised least squares from the products of the features: in closed form without an L1 penalty,
 * else by coordinate descent.
 */
import { descend } from './coordinate-descent.ts'
import { fromStored } from './design.ts'
import { type Problem, sum } from './loss.ts'
import { weightedProducts } from './products.ts'
import { factorise, solveFactorised, type Symmetric } from './symmetric.ts'

/** Up to so many features the products are kept: 2000² doubles are 32 MB. */
export const PRODUCTS_MAX = 2000

/** As `solve`, for the squared loss and one output. */
export function solveLeastSquares(
  problem: Problem,
  limits: { readonly tolerance: number; readonly maxIterations: number },
): { readonly point: Float64Array; readonly iterations: number } {
  const { width } = problem.design
  const { l1, l2 } = problem
  const { products, towards, means, centre } = centredProducts(problem)
  for (let j = 0; j < width; j++) products.values[j * width + j] += l2
  const point = new Float64Array(width + 1)
  const coefficients = point.subarray(0, width)
  let iterations = 1
  if (l1 === 0) coefficients.set(solveFactorised(factorise(products), towards))
  else {
    const penalty = new Float64Array(width).fill(l1)
    iterations = descend(products, coefficients, towards, penalty, limits)
  }
  point[width] = centre - coefficients.reduce((total, beta, j) => total + beta * means[j], 0)
  return { point, iterations }
}

/**
 * Weighted mean products of the features about their weighted means, and of the features with the
 * labels about theirs: the intercept is then solved for.
 */
function centredProducts({ design, y, weights }: Problem) {
  const { width } = design
  const total = sum(weights)
  const all = weightedProducts(design, (i) => weights[i] / total)
  const towards = new Float64Array(width + 1)
  for (let i = 0; i < design.rows; i++) design.add(i, (weights[i] / total) * y[i], towards, 0)
  fromStored(design, towards)
  // The products with the intercept's 1 are the means.
  const means = all.values.subarray(width * all.size, width * all.size + width)
  const centre = towards[width]
  const products: Symmetric = { size: width, values: new Float64Array(width * width) }
  for (let j = 0; j < width; j++) {
    for (let k = 0; k < width; k++) {
      products.values[j * width + k] = all.values[j * all.size + k] - means[j] * means[k]
    }
    towards[j] -= means[j] * centre
  }
  return { products, towards: towards.subarray(0, width), means, centre }
}
