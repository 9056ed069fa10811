// Stands in for your own file until you have one: a small simulated bank. Start with
// `npx assay start --data FILE`, or name a file in project.ts, and remove this one.
import { createRandom } from 'assay'

const CUSTOMERS = 600
const SHOPS = 400
const SECONDS_A_DAY = 86_400

/** Yields the text of a CSV file, a day at a time. */
export function* simulatePayments(from: string, days: number, seed: number): Generator<string> {
  const random = createRandom(seed)
  const usual = Array.from({ length: CUSTOMERS }, () => random.uniform(10, 120))
  const stolenUntil = new Map<number, number>()
  yield 'payment_id,paid_at,customer_id,shop_id,amount,fraud\n'
  let number = 0
  for (let day = 0; day < days; day++) {
    if (random.next() < 0.8) stolenUntil.set(random.int(CUSTOMERS), day + 10)
    const lines: { second: number; text: string }[] = []
    for (let customer = 0; customer < CUSTOMERS; customer++) {
      for (let left = random.poisson(2); left > 0; left--) {
        const fraud = (stolenUntil.get(customer) ?? 0) > day && random.next() < 0.4
        const euros = Math.max(1, random.normal(usual[customer], usual[customer]! / 3))
        const second = random.int(SECONDS_A_DAY)
        const time = new Date(Date.parse(from) + (day * SECONDS_A_DAY + second) * 1000)
        const amount = (fraud ? euros * 5 : euros).toFixed(2)
        const text = `${time.toISOString()},${customer},${random.int(SHOPS)},${amount},${fraud ? 1 : 0}`
        lines.push({ second, text })
      }
    }
    lines.sort((a, b) => a.second - b.second)
    yield lines.map(({ text }) => `${number++},${text}\n`).join('')
  }
}
