// The simulator of the Fraud-Detection-Handbook, written anew from its published description:
// customers with habits pay at terminals near them, and three kinds of fraud are laid over that.
import { createRandom, type Random } from 'assay'

export interface SimulationOptions {
  /** First day, `YYYY-MM-DD`. */
  readonly from: string
  /** The day after the last one, `YYYY-MM-DD`. */
  readonly until: string
  readonly seed: number
  readonly customers?: number
  readonly terminals?: number
}

interface Payment {
  readonly second: number
  readonly customer: number
  readonly terminal: number
  /** In cents. */
  amount: number
  /** 0 = genuine; 1 = large amount; 2 = compromised terminal; 3 = stolen card data. */
  scenario: 0 | 1 | 2 | 3
}

interface Customer {
  readonly id: number
  readonly meanAmount: number
  readonly paymentsPerDay: number
  readonly terminals: readonly number[]
  readonly random: Random
}

const SECONDS_A_DAY = 86_400
const LARGE_AMOUNT_CENTS = 22_000
const REACH = 5

export const HEADER =
  'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO\n'

/** Yields CSV text, the header first and then one simulated day at a time. */
export function* simulate(options: SimulationOptions): Generator<string> {
  const start = Date.parse(`${options.from}T00:00:00Z`)
  const days = (Date.parse(`${options.until}T00:00:00Z`) - start) / (SECONDS_A_DAY * 1000)
  const random = createRandom(options.seed)
  const terminalCount = options.terminals ?? 10_000
  const customers = createCustomers(random.fork('places'), options.customers ?? 5000, terminalCount)
  const criminals = createCriminals(random.fork('fraud'), customers.length, terminalCount)

  yield HEADER
  let transactionId = 0
  for (let day = 0; day < days; day++) {
    const payments = customers.flatMap((customer) => payDay(customer))
    payments.sort((a, b) => a.second - b.second || a.customer - b.customer)
    criminals.strike(day, payments)
    const date = new Date(start + day * SECONDS_A_DAY * 1000).toISOString().slice(0, 10)
    let text = ''
    for (const payment of payments) text += `${row(transactionId++, date, day, payment)}\n`
    yield text
  }
}

function createCustomers(random: Random, count: number, terminalCount: number): Customer[] {
  const place = () => ({ x: random.uniform(0, 100), y: random.uniform(0, 100) })
  const terminals = Array.from({ length: terminalCount }, place)
  return Array.from({ length: count }, (_, id) => {
    const home = place()
    return {
      id,
      meanAmount: random.uniform(5, 100),
      paymentsPerDay: random.uniform(0, 4),
      terminals: terminals.flatMap((terminal, index) =>
        Math.hypot(terminal.x - home.x, terminal.y - home.y) < REACH ? [index] : [],
      ),
      random: random.fork(`customer ${id}`),
    }
  })
}

function payDay({ id, meanAmount, paymentsPerDay, terminals, random }: Customer): Payment[] {
  if (terminals.length === 0) return []
  const payments: Payment[] = []
  for (let left = random.poisson(paymentsPerDay); left > 0; left--) {
    const second = Math.floor(random.normal(43_200, 20_000))
    if (second <= 0 || second >= SECONDS_A_DAY) continue
    let amount = random.normal(meanAmount, meanAmount / 2)
    if (amount < 0) amount = random.uniform(0, 2 * meanAmount)
    payments.push({
      second,
      customer: id,
      terminal: terminals[random.int(terminals.length)],
      amount: Math.round(amount * 100),
      scenario: 0,
    })
  }
  return payments
}

/** Two terminals a day are compromised for 28 days; three customers a day lose their card data for 14. */
function createCriminals(random: Random, customerCount: number, terminalCount: number) {
  const terminalUntil = new Map<number, number>()
  const customerUntil = new Map<number, number>()
  return {
    strike(day: number, payments: Payment[]) {
      for (const payment of payments) {
        if (payment.amount > LARGE_AMOUNT_CENTS) payment.scenario = 1
        if ((terminalUntil.get(payment.terminal) ?? 0) > day) payment.scenario = 2
        if ((customerUntil.get(payment.customer) ?? 0) > day && random.next() < 1 / 3) {
          payment.amount *= 5
          payment.scenario = 3
        }
      }
      // What is stolen today is used from tomorrow on.
      for (let i = 0; i < 2; i++) terminalUntil.set(random.int(terminalCount), day + 1 + 28)
      for (let i = 0; i < 3; i++) customerUntil.set(random.int(customerCount), day + 1 + 14)
    },
  }
}

function row(id: number, date: string, day: number, payment: Payment): string {
  const { second, customer, terminal, amount, scenario } = payment
  const two = (n: number) => String(n).padStart(2, '0')
  const time = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`
  const euros = `${Math.floor(amount / 100)}.${two(amount % 100)}`
  const sinceStart = day * SECONDS_A_DAY + second
  return `${id},${date} ${time},${customer},${terminal},${euros},${sinceStart},${day},${scenario === 0 ? 0 : 1},${scenario}`
}
